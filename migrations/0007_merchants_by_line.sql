-- A line of business that few merchants are in is found without reading all of them.
create index merchants_line on merchants (business_line, updated_at desc, id desc) where archived_at is null;
