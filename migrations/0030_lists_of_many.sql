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
drop index documents_queue;
create index documents_queue on documents ((coalesce(review_due_on, 'infinity'::date)), queued_at, id)
    include (review_due_on, snoozed_until, business_type, business_line, category, code, assigned_to, leased_by, leased_until) where queued_at is not null;
create index documents_queue_merchant on documents (merchant_id) where queued_at is not null;
drop index merchants_action;
create index merchants_action on merchants ((case progress_state when 'failed' then 1 when 'refused' then 2 when 'todo' then 3
        when 'pending' then case next_actor when 'staff' then 2 else 4 end when 'waiting' then 5 when 'complete' then 6 else 7 end),
        (coalesce(due_on, 'infinity'::date)), id)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, messaged_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is null;
drop index merchants_open_recent;
create index merchants_open_recent on merchants (updated_at desc, id desc)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, messaged_at, first_document_at, at_doku_at, approved_at)
    where archived_at is null and progress_state <> 'registered';
drop index merchants_open_named;
create index merchants_open_named on merchants (name_normal collate "C", id)
    include (combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, messaged_at, first_document_at, at_doku_at, approved_at)
    where archived_at is null and progress_state <> 'registered';
drop index merchants_open_due;
create index merchants_open_due on merchants ((coalesce(due_on, 'infinity'::date)), id)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, messaged_at, first_document_at, at_doku_at, approved_at)
    where archived_at is null and progress_state <> 'registered';

drop function merchants_named_like(text, integer);
-- Merchants whose name matches a pattern, archived ones or the others, no more than most: always by the parts of their names. A word
-- that stands in many would be read for from the table's start, where it need not stand at all.
create function merchants_named_like(pattern text, most integer, archived boolean) returns setof bigint language plpgsql stable parallel safe
    set enable_seqscan = off as $$
begin
    return query execute 'select id from merchants where name_normal like $1 and (archived_at is not null) = $2 limit ' || most using pattern, archived;
end $$;
