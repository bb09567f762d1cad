-- Merchants are found by the state of any document, approved ones too; by who acts next; those of a kind or somebody's and
-- archived ones in any order, by an index alone.
drop index slots_open;
create index slots_states on slots (state, category, code, merchant_id) where state <> '';
create index merchants_next on merchants (next_actor, updated_at desc, id desc) where archived_at is null and progress_state <> 'registered';
drop index merchants_combination;
create index merchants_kind on merchants (combination_id, responsible_id)
    include (updated_at, id, name_normal, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is null;
drop index merchants_responsible;
create index merchants_responsible on merchants (responsible_id, updated_at desc, id desc)
    include (name_normal, combination_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is null;
drop index merchants_archived;
create index merchants_archived on merchants (updated_at desc, id desc)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is not null;
create index documents_queue_merchant on documents (merchant_id) where queued_at is not null;
