-- Lists of merchants. The index of each order holds all that lists are filtered by, so that a walk along it reads no merchant
-- but those of the page; those not registered yet, a small part that most filters stay within, have indexes of their own.
drop index merchants_recent, merchants_action, merchants_named, merchants_due, merchants_line, merchants_name;
create index merchants_recent on merchants (updated_at desc, id desc)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is null;
create index merchants_action on merchants ((case progress_state when 'failed' then 1 when 'refused' then 2 when 'todo' then 3
        when 'pending' then case next_actor when 'staff' then 2 else 4 end when 'waiting' then 5 when 'complete' then 6 else 7 end),
        (coalesce(due_on, 'infinity'::date)), id)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is null;
create index merchants_named on merchants (name_normal collate "C", id)
    include (combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is null;
create index merchants_due on merchants ((coalesce(due_on, 'infinity'::date)), id)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at, registered_at, active_at)
    where archived_at is null;
create index merchants_open_recent on merchants (updated_at desc, id desc)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at)
    where archived_at is null and progress_state <> 'registered';
create index merchants_open_named on merchants (name_normal collate "C", id)
    include (combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at)
    where archived_at is null and progress_state <> 'registered';
create index merchants_open_due on merchants ((coalesce(due_on, 'infinity'::date)), id)
    include (name_normal, combination_id, responsible_id, progress_state, next_actor, quarter, due_on, created_at, first_document_at, at_doku_at, approved_at)
    where archived_at is null and progress_state <> 'registered';
create index merchants_created on merchants (created_at);
create index merchants_first_document on merchants (first_document_at) where first_document_at is not null;
create index merchants_at_doku on merchants (at_doku_at) where at_doku_at is not null;
create index merchants_approved on merchants (approved_at) where approved_at is not null;
create index merchants_registered on merchants (registered_at) where registered_at is not null;
create index merchants_active on merchants (active_at) where active_at is not null;
create index merchants_business on merchants (business_id) where business_id <> '';
create index merchants_name on merchants (name_normal);
create index documents_file on documents (file_id) where file_id <> '';
drop index slots_expiring;
create index slots_expiring on slots (expires_on, merchant_id) include (category, code, state) where expires_on is not null;
-- The indexes answer alone for what vacuum has seen.
alter table merchants set (autovacuum_vacuum_scale_factor = 0.02);
alter table merchants alter column name_normal set statistics 200;

-- Merchants whose name matches a pattern, no more than most: always by the parts of their names. A word that stands in many
-- would be read for from the table's start, where it need not stand at all.
create function merchants_named_like(pattern text, most integer) returns setof bigint language plpgsql stable parallel safe
    set enable_seqscan = off as $$
begin
    return query execute 'select id from merchants where name_normal like $1 limit ' || most using pattern;
end $$;

-- Merchants in whose names stands the first or the second of each pair of patterns.
create function merchants_named_nearly(first text[], second text[], most integer) returns table (id bigint, name_normal text) language plpgsql stable parallel safe
    set enable_seqscan = off as $$
begin
    return query execute 'select m.id, m.name_normal from merchants m where ' || (select string_agg(format('(m.name_normal like %L or m.name_normal like %L)', a, b), ' and ')
        from unnest(first, second) p(a, b)) || ' limit ' || most;
end $$;

-- A person's views of the list: a name for filters and an order. Shared ones are offered to all.
create table views (
    id          bigint generated always as identity primary key,
    person_id   bigint not null references people (id) on delete cascade,
    name        text not null check (name <> ''),
    query       text not null,
    shared      boolean not null default false,
    created_at  timestamptz not null,
    updated_at  timestamptz not null
);
create unique index views_name_key on views (person_id, lower(name));
create index views_shared on views (lower(name), id) where shared;
comment on column views.query is 'The filter as the address of the list writes it; never a personal value.';
