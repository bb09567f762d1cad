-- The nightly comparison with DOKU, for every brand id it ever gave.
alter table submissions
    add column compared_at timestamptz,
    add column differences jsonb not null default '[]';
comment on column submissions.differences is 'How the business of a submission that does not count any more is another at DOKU; that of the merchant''s own stands in polls.';
create index submissions_compared on submissions ((coalesce(compared_at, settled_at)), id) where brand_id <> '' and body <> '';
create index submissions_different on submissions (merchant_id) where differences <> '[]';
