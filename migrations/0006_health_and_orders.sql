-- What waits for DOKU and what does not get on: the page about DOKU's health asks every few seconds, while thousands may
-- wait.
create index documents_oldest on documents (uploaded_at) where state in ('waiting', 'sending') and withdrawn_at is null;
create index documents_stuck on documents (state, merchant_id) where state in ('refused', 'failed') and withdrawn_at is null;
create index documents_undecided on documents (delivered_at, id) where state = 'delivered' and review = 'undecided' and withdrawn_at is null;
create index doku_minutes_minute on doku_minutes (minute);

-- The orders in which merchants are listed, each with its index, so that a page is read and not sorted. What has no due
-- date comes last. The expressions stand in models/merchant_orders.go too.
alter table people add column merchant_order text not null default '' check (merchant_order in ('', 'action', 'recent', 'name', 'due'));
create index merchants_action on merchants ((case progress_state when 'failed' then 1 when 'refused' then 2 when 'todo' then 3
    when 'pending' then case next_actor when 'staff' then 2 else 4 end when 'waiting' then 5 when 'complete' then 6 else 7 end),
    (coalesce(due_on, 'infinity'::date)), id) where archived_at is null;
create index merchants_named on merchants (name_normal, id) where archived_at is null;
create index merchants_due on merchants ((coalesce(due_on, 'infinity'::date)), id) where archived_at is null;
create index merchants_archived on merchants (updated_at desc, id desc) where archived_at is not null;
