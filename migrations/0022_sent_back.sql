-- Merchants whose registration waits for a person, or may.
create index merchants_unsettled on merchants (registration, id) where registration in ('refused', 'rejected', 'uncertain', 'stuck') and archived_at is null;
