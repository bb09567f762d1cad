-- Tallies are kept of every kind of merchants that can be asked for: kind is 'type|entity|line', any of them '*' for all. What
-- has a day is kept by months too, as a measure of its own ('due_month' beside 'due'). Persons' are of all kinds together and of
-- the narrowest; models/tallies.go says which of all these there are.
create or replace function merchant_facts(m merchants) returns table (measure text, day date, key text, person_id bigint, n bigint, total bigint) language sql stable as $$
    select f.measure, f.day, f.key, coalesce((m).responsible_id, 0), f.n::bigint, f.total::bigint from (
        select 'merchants' as measure, date '1970-01-01' as day, (m).progress_state as key, 1 as n, 0 as total
        union all select 'next', date '1970-01-01', (m).next_actor, 1, extract(epoch from (m).next_actor_since)::bigint where (m).next_actor <> 'nobody'
        union all select 'due', (m).due_on, '', 1, 0 where (m).due_on is not null and (m).progress_state not in ('complete', 'registered')
        union all select 'completeness', c.week, k.key, k.n, 0
            from (select (s.step ->> 'week')::date as week, s.step ->> 'quarter' as quarter, lag(s.step ->> 'quarter') over (order by s.i) as before
                from jsonb_array_elements((m).course) with ordinality s(step, i)) c
            cross join lateral (values (c.quarter, 1), (c.before, -1)) k(key, n) where k.key is not null
        union all select k.measure, k.day, k.key, 1, k.total
            from (values ('created', (m).created_at, null::timestamptz), ('first_document', (m).first_document_at, (m).created_at), ('at_doku', (m).at_doku_at, (m).first_document_at),
                ('approved', (m).approved_at, (m).at_doku_at), ('registered', (m).registered_at, (m).approved_at), ('active', (m).active_at, (m).registered_at)) s(stage, at, before)
            cross join lateral (select floor(extract(epoch from s.at - s.before))::bigint as seconds) t
            cross join lateral (values ('funnel', week_of((m).created_at), s.stage, 0), ('pace', week_of(s.at), s.stage, 0),
                ('took', week_of((m).created_at), s.stage || '|' || tally_bucket(t.seconds), t.seconds)) k(measure, day, key, total)
            where s.at is not null and (k.measure <> 'took' or t.seconds >= 0)
    ) f where (m).archived_at is null
$$;

create or replace function decision_facts(v decisions, m merchants) returns table (measure text, day date, key text, person_id bigint, n bigint, total bigint) language sql stable as $$
    select f.measure, week_of((v).decided_at), f.key, coalesce(f.reviewer, (m).responsible_id, 0), 1::bigint, f.total from (
        select 'decided' as measure, concat_ws('|', (v).outcome, case (v).version when 1 then 'first' else 'later' end) as key, null::bigint as reviewer, 0::bigint as total
        union all select 'first_pass', concat_ws('|', (v).outcome, d.category, d.code), null, 0 from documents d where d.id = (v).document_id and (v).version = 1
        union all select 'reason', r.code, null, 0 from jsonb_array_elements_text((v).reasons) r(code) where (v).outcome = 'refused'
        union all select 'decided_by', (v).outcome, (v).decided_by, 0
        union all select 'queue_time', tally_bucket(w.seconds), (v).decided_by, w.seconds
            from (select floor(extract(epoch from (v).decided_at - (v).queued_at))::bigint as seconds) w where w.seconds >= 0
    ) f where (v).standing = 'counts' and (m).archived_at is null
$$;
delete from tally_deltas where measure in ('due_month', 'queue_month');

-- What is kept already is told anew: of a kind, a person and a team.
alter table tallies rename to tallies_before;
alter table tallies_before rename constraint tallies_pkey to tallies_before_pkey;
create table tallies (
    measure  text collate "C" not null,
    kind     text collate "C" not null,
    whose    text collate "C" not null,
    day      date not null,
    key      text collate "C" not null,
    n        bigint not null,
    total    bigint not null
) with (fillfactor = 80);
with narrow as materialized (
    select c.business_type, c.legal_entity, c.business_line, t.whose, t.measure, t.day, t.key, sum(t.n) as n, sum(t.total) as total
    from tallies_before t join combinations c on t.kind = '#' || c.id where t.measure not in ('due_month', 'queue_month') group by 1, 2, 3, 4, 5, 6, 7)
insert into tallies (measure, kind, whose, day, key, n, total)
select * from (
    select s.measure, coalesce(f.business_type, '*') || '|' || coalesce(f.legal_entity, '*') || '|' || coalesce(f.business_line, '*') as kind, f.whose, s.day, f.key, sum(f.n) as n, sum(f.total) as total
        from narrow f cross join lateral (select f.measure, f.day union all select f.measure || '_month', date_trunc('month', f.day::timestamp)::date where f.measure not in ('merchants', 'next', 'slots')) s(measure, day)
        where f.whose not like 'who:%' group by f.whose, s.measure, s.day, f.key, f.measure, cube (f.business_type, f.legal_entity, f.business_line)
    union all select f.measure, coalesce(f.business_type, '*') || '|' || coalesce(f.legal_entity, '*') || '|' || coalesce(f.business_line, '*'), f.whose, f.day, f.key, sum(f.n), sum(f.total)
        from narrow f where f.whose like 'who:%' and f.measure in ('merchants', 'next', 'slots') group by f.whose, f.measure, f.day, f.key, cube (f.business_type, f.legal_entity, f.business_line)
    union all select f.measure, coalesce(f.business_type, '*') || '|' || coalesce(f.legal_entity, '*') || '|' || coalesce(f.business_line, '*'), f.whose, f.day, f.key, f.n, f.total
        from narrow f where f.whose like 'who:%' and f.measure not in ('merchants', 'next', 'slots')
    union all select s.measure, '*|*|*', f.whose, s.day, f.key, sum(f.n), sum(f.total)
        from tallies_before f cross join lateral (select f.measure, f.day union all select f.measure || '_month', date_trunc('month', f.day::timestamp)::date where f.measure not in ('merchants', 'next', 'slots')) s(measure, day)
        where f.kind = '' and f.measure not in ('merchants', 'next', 'slots', 'due_month', 'queue_month') and (f.whose like 'who:%' or f.whose like 'team:%' and f.measure in ('decided_by', 'queue_time'))
        group by f.whose, s.measure, s.day, f.key) t
where t.n <> 0 or t.total <> 0
order by measure, kind, whose, day, key;
drop table tallies_before;
alter table tallies add primary key (measure, kind, whose, day, key);

-- Who changes to another team takes along what is counted of them, told by kinds as a team's is. Folding waits meanwhile, and
-- then folds into the new one.
create or replace function team_is_tallied() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(5011);
    with kinds as (
        select k.*, coalesce(k.business_type, '*') || '|' || coalesce(k.legal_entity, '*') || '|' || coalesce(k.business_line, '*') as kind
        from (select business_type, legal_entity, business_line, grouping(business_type, legal_entity, business_line) = 0 as narrow from combinations group by cube (business_type, legal_entity, business_line)) k),
    theirs as materialized (
        select k.business_type, k.legal_entity, k.business_line, k.narrow, m.moved, x.*
        from (select unnest(array['merchants', 'next', 'slots', 'decided_by', 'queue_time', 'decided_by_month', 'queue_time_month']) as measure, true as moved
            union all select unnest(array['due', 'expires', 'completeness', 'pace', 'funnel', 'took', 'decided', 'first_pass', 'reason']), false) m
            cross join kinds k join tallies x on x.measure = m.measure and x.kind = k.kind and x.whose = 'who:' || old.id),
    all_kinds as (
        select measure, kind, day, key, n, total from theirs where moved
        union all select s.measure, coalesce(f.business_type, '*') || '|' || coalesce(f.legal_entity, '*') || '|' || coalesce(f.business_line, '*'), s.day, f.key, sum(f.n), sum(f.total)
            from theirs f cross join lateral (select f.measure, f.day union all select f.measure || '_month', date_trunc('month', f.day::timestamp)::date where f.measure not in ('merchants', 'next', 'slots')) s(measure, day)
            where not f.moved and f.narrow group by s.measure, s.day, f.key, cube (f.business_type, f.legal_entity, f.business_line))
    insert into tallies as t (measure, kind, whose, day, key, n, total)
    select x.measure, x.kind, 'team:' || w.team, x.day, x.key, sum(w.sign * x.n), sum(w.sign * x.total)
    from all_kinds x cross join (values (-1, old.team), (1, new.team)) w(sign, team)
    where w.team <> '' group by 1, 2, 3, 4, 5
    on conflict (measure, kind, whose, day, key) do update set n = t.n + excluded.n, total = t.total + excluded.total;
    return null;
end $$;
