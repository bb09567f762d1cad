-- Merchants not registered yet whose checklist changed.
create index merchants_set_changed on merchants (set_changed_at desc, id) where previous_set_id is not null and registration = '' and archived_at is null;
