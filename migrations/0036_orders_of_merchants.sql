-- The index of each order holds all that lists are filtered by. They are made after the transaction that changed every row, so
-- that what was there before stands in none of them.
do $$
declare
    held text := 'progress_state, next_actor, quarter, due_on, created_at, messaged_at, first_document_at, at_doku_at, approved_at, registered_at, active_at, slots_missing, slots_approved, slots_refused, slots_other';
    recent text := '(updated_at desc, id desc) include (name_normal, combination_id, responsible_id, ' || held || ')';
    action text := '((case progress_state when ''failed'' then 1 when ''refused'' then 2 when ''todo'' then 3
            when ''pending'' then case next_actor when ''staff'' then 2 else 4 end when ''waiting'' then 5 when ''complete'' then 6 else 7 end),
        (coalesce(due_on, ''infinity''::date)), id) include (name_normal, combination_id, responsible_id, ' || held || ')';
    named text := '(name_normal collate "C", id) include (combination_id, responsible_id, ' || held || ')';
    due text := '((coalesce(due_on, ''infinity''::date)), id) include (name_normal, combination_id, responsible_id, ' || held || ')';
begin
    execute 'create index merchants_recent on merchants ' || recent || ' where archived_at is null';
    execute 'create index merchants_action on merchants ' || action || ' where archived_at is null';
    execute 'create index merchants_named on merchants ' || named || ' where archived_at is null';
    execute 'create index merchants_due on merchants ' || due || ' where archived_at is null';
    execute 'create index merchants_open_recent on merchants ' || recent || ' where archived_at is null and progress_state <> ''registered''';
    execute 'create index merchants_open_named on merchants ' || named || ' where archived_at is null and progress_state <> ''registered''';
    execute 'create index merchants_open_due on merchants ' || due || ' where archived_at is null and progress_state <> ''registered''';
    execute 'create index merchants_archived on merchants ' || recent || ' where archived_at is not null';
    execute 'create index merchants_archived_action on merchants ' || action || ' where archived_at is not null';
    execute 'create index merchants_archived_named on merchants ' || named || ' where archived_at is not null';
    execute 'create index merchants_archived_due on merchants ' || due || ' where archived_at is not null';
    execute 'create index merchants_kind on merchants (combination_id, responsible_id) include (updated_at, id, name_normal, ' || held || ') where archived_at is null';
    execute 'create index merchants_open on merchants (progress_state, updated_at desc, id desc) include (name_normal, combination_id, responsible_id, ' || replace(held, 'progress_state, ', '') || ') where archived_at is null';
    execute 'create index merchants_next on merchants (next_actor, updated_at desc, id desc) include (name_normal, combination_id, responsible_id, ' || replace(held, 'next_actor, ', '') || ') where archived_at is null and progress_state <> ''registered''';
    -- Documents on their way, or to be decided, are few beside all others.
    execute 'create index merchants_other on merchants (id) include (updated_at, name_normal, combination_id, responsible_id, ' || held || ') where archived_at is null and slots_other <> 0';
    execute 'create index merchants_responsible on merchants (responsible_id, updated_at desc, id desc) include (name_normal, combination_id, ' || held || ') where archived_at is null';
    -- Names begin with the legal entity, so that on one walk along all names those of some would come after all others.
    execute 'create index merchants_entity_named on merchants (legal_entity, name_normal collate "C", id) include (combination_id, responsible_id, ' || held || ') where archived_at is null';
end $$;
