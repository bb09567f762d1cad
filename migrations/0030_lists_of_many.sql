-- Merchants are found by the state of any document, approved ones too; archived ones in any order by an index alone.
drop index slots_open;
create index slots_states on slots (category, code, state, merchant_id) where state <> '';
drop index merchants_archived;
create index merchants_archived on merchants (updated_at desc, id desc)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is not null;
