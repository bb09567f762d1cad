-- Where a slot stands, as onboarding computes it with the merchant's completeness. A slot that nobody asks for has no state.
alter table slots
    add column state        text not null default '' check (state in ('', 'missing', 'waiting', 'delivered', 'approved', 'refused', 'failed')),
    add column state_since  timestamptz not null default now(),
    add column expires_on   date,
    add column refused_for  text not null default '';
comment on column slots.state is 'delivered: at DOKU and undecided. refused: by DOKU or by a reviewer. failed: given up.';
comment on column slots.refused_for is 'The gravest reason, when refused.';

update slots s set state = f.state, state_since = f.since, expires_on = f.expires_on, refused_for = f.refused_for
from (select s.id, case when d.id is null then 'missing' when d.state = 'sending' then 'waiting' when d.state = 'delivered' and d.review <> 'undecided' then d.review else d.state end as state,
        case when d.id is null then s.created_at when d.state = 'delivered' and d.review = 'undecided' then coalesce(d.delivered_at, d.uploaded_at)
            else coalesce(d.decided_at, d.uploaded_at) end as since,
        d.expires_on, case when d.state = 'refused' then d.problem when d.state = 'delivered' and d.review = 'refused' then coalesce(d.reasons ->> 0, '') else '' end as refused_for
    from slots s left join documents d on d.id = s.document_id where s.requirement_id is not null or s.by_hand) f
where f.id = s.id;

-- What is still to be done, or is refused, or expires, is a small part of all slots.
create index slots_open on slots (category, code, state, merchant_id) where state in ('missing', 'waiting', 'delivered', 'refused', 'failed');
create index slots_refused on slots (refused_for, merchant_id) where refused_for <> '';
create index slots_expiring on slots (expires_on, merchant_id) where expires_on is not null;

-- Weeks begin on Monday in Jakarta.
create function week_of(at timestamptz) returns date language sql immutable parallel safe as $$
    select date_trunc('week', at at time zone 'Asia/Jakarta')::date
$$;

-- When a merchant first reached each stage beside created_at and registered_at, and in which quarter of what DOKU asks for
-- it was from which week on: 4 is all of it.
alter table merchants
    add column first_document_at  timestamptz,
    add column at_doku_at         timestamptz,
    add column approved_at        timestamptz,
    add column active_at          timestamptz,
    add column quarter            text not null default '0' check (quarter in ('0', '1', '2', '3', '4', 'registered')),
    add column course             jsonb not null default '[]';

update merchants m set first_document_at = f.first_document_at, at_doku_at = f.at_doku_at, approved_at = f.approved_at, quarter = f.quarter,
    course = case when f.quarter = '0' then '[]' else jsonb_build_array(jsonb_build_object('week', f.at, 'quarter', f.quarter)) end,
    active_at = case when m.business_status = 'ACTIVE' then m.registered_at end
from (select m.id, week_of(coalesce(m.registered_at, m.updated_at)) as at, (select min(uploaded_at) from documents d where d.merchant_id = m.id) as first_document_at,
        case when c.n > 0 and c.delivered = c.n then c.delivered_at end as at_doku_at, case when c.n > 0 and c.approved = c.n then c.decided_at end as approved_at,
        case when m.registered_at is not null then 'registered' when m.set_id is null then '0'
            when coalesce((m.progress ->> 'done')::integer, 0) >= coalesce((m.progress ->> 'total')::integer, 0) then '4'
            else ((m.progress ->> 'done')::integer * 4 / (m.progress ->> 'total')::integer)::text end as quarter
    from merchants m cross join lateral (select count(*) as n, count(*) filter (where d.state = 'delivered') as delivered, max(d.delivered_at) as delivered_at,
            count(*) filter (where s.state = 'approved') as approved, max(d.decided_at) as decided_at
        from slots s left join documents d on d.id = s.document_id where s.merchant_id = m.id and s.state <> '') c) f
where f.id = m.id;
update merchants set course = jsonb_build_array(jsonb_build_object('week', week_of(created_at), 'quarter', '0')) || course
where course = '[]' or (course -> 0 ->> 'week')::date > week_of(created_at);

alter table decisions add column queued_at timestamptz;
comment on column decisions.queued_at is 'Since when the document was in the queue; null when it replaces a decision.';
update decisions v set queued_at = d.delivered_at from documents d where d.id = v.document_id and v.replaces is null;

-- What managers count, for the questions they ask: of all merchants (kind ''), of a type, an entity or a line ('type:…',
-- 'entity:…', 'line:…'), and of whoever is responsible ('who:…', 0 is nobody). The measures are listed in models/tallies.go;
-- a few of them are also counted by combination and person at once ('#…', and the person), others have no person (-1).
create table tallies (
    measure         text not null,
    kind            text not null,
    day             date not null,
    key             text not null,
    responsible_id  bigint not null,
    n               bigint not null,
    total           bigint not null,
    primary key (measure, kind, day, key, responsible_id)
) with (fillfactor = 70);

-- What changed and is not in them yet: acts only append here, and so never wait for one another.
create table tally_deltas (
    id              bigint generated always as identity primary key,
    combination_id  bigint not null,
    responsible_id  bigint not null,
    measure         text not null,
    day             date not null,
    key             text not null,
    n               bigint not null,
    total           bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Durations are counted by their logarithm: 0 is less than a minute, k is less than 2^k minutes, 21 all that is longer.
create function tally_bucket(seconds bigint) returns text language sql immutable parallel safe as $$
    select width_bucket(seconds / 60, '{1,2,4,8,16,32,64,128,256,512,1024,2048,4096,8192,16384,32768,65536,131072,262144,524288,1048576}'::bigint[])::text
$$;

-- The facts of one row. Archived merchants count nowhere. These are planned into the statements of the triggers.
create function merchant_facts(m merchants) returns table (measure text, day date, key text, n bigint, total bigint) language sql stable as $$
    select f.measure, f.day, f.key, f.n::bigint, f.total::bigint from (
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

create function slot_facts(s slots, m merchants) returns table (measure text, day date, key text, n bigint, total bigint) language sql stable as $$
    select f.measure, f.day, f.key, 1::bigint, f.total from (
        select 'slots' as measure, date '1970-01-01' as day, concat_ws('|', (s).category, (s).code, (s).state) as key, extract(epoch from (s).state_since)::bigint as total where (m).registered_at is null
        union all select 'refused', date '1970-01-01', concat_ws('|', (s).refused_for, (s).category, (s).code), 0 where (m).registered_at is null and (s).refused_for <> ''
        union all select 'expires', (s).expires_on, concat_ws('|', (s).category, (s).code), 0 where (s).expires_on is not null
    ) f where (s).state <> '' and (m).archived_at is null
$$;

create function decision_facts(v decisions, m merchants) returns table (measure text, day date, key text, n bigint, total bigint) language sql stable as $$
    select f.measure, week_of((v).decided_at), f.key, 1::bigint, f.total from documents d cross join lateral (
        select 'decided' as measure, concat_ws('|', (v).outcome, case (v).version when 1 then 'first' else 'later' end, d.category, d.code) as key, 0::bigint as total
        union all select 'first_pass', (v).outcome, 0 where (v).version = 1
        union all select 'reason', concat_ws('|', r.code, d.category, d.code), 0 from jsonb_array_elements_text((v).reasons) r(code) where (v).outcome = 'refused'
        union all select 'decided_by', (v).decided_by || '|' || (v).outcome, 0
        union all select 'queue_time', tally_bucket(w.seconds) || '|' || (v).decided_by, w.seconds
            from (select floor(extract(epoch from (v).decided_at - (v).queued_at))::bigint as seconds) w where w.seconds >= 0
    ) f where d.id = (v).document_id and (v).standing = 'counts' and (m).archived_at is null
$$;

-- One statement, however many rows it changed, appends what it changed of the facts: those of the rows as they are less
-- those of the rows as they were. Whoever changes slots or decisions holds the merchant, whose facts they are.
create function merchants_are_tallied() returns trigger language plpgsql as $$
declare
    was merchants[];
    are merchants[];
begin
    if TG_OP = 'INSERT' then
        select array_agg(row(n.*)::merchants) into are from new_rows n;
    elsif TG_OP = 'DELETE' then
        select array_agg(row(o.*)::merchants) into was from old_rows o;
    else
        select array_agg(row(o.*)::merchants), array_agg(row(n.*)::merchants) into was, are from old_rows o join new_rows n on n.id = o.id
        where (o.progress_state, o.quarter, o.course, o.next_actor, o.next_actor_since, o.due_on, o.combination_id, o.responsible_id, o.archived_at,
                o.created_at, o.first_document_at, o.at_doku_at, o.approved_at, o.registered_at, o.active_at)
            is distinct from (n.progress_state, n.quarter, n.course, n.next_actor, n.next_actor_since, n.due_on, n.combination_id, n.responsible_id, n.archived_at,
                n.created_at, n.first_document_at, n.at_doku_at, n.approved_at, n.registered_at, n.active_at);
    end if;
    if was is null and are is null then
        return null;
    end if;
    insert into tally_deltas (combination_id, responsible_id, measure, day, key, n, total)
    select (m.r).combination_id, coalesce((m.r).responsible_id, 0), f.measure, f.day, f.key, sum(m.sign * f.n), sum(m.sign * f.total)
    from (select -1 as sign, o as r from unnest(was) o union all select 1, n from unnest(are) n) m cross join lateral merchant_facts(m.r) f
    group by 1, 2, 3, 4, 5 having sum(m.sign * f.n) <> 0 or sum(m.sign * f.total) <> 0;

    if TG_OP <> 'UPDATE' or not exists (select 1 from unnest(was) with ordinality o join unnest(are) with ordinality n on n.ordinality = o.ordinality
        where (o.combination_id, o.responsible_id, o.archived_at is null, o.registered_at is null)
            is distinct from (n.combination_id, n.responsible_id, n.archived_at is null, n.registered_at is null)) then
        return null;
    end if;
    insert into tally_deltas (combination_id, responsible_id, measure, day, key, n, total)
    select (m.r).combination_id, coalesce((m.r).responsible_id, 0), f.measure, f.day, f.key, sum(m.sign * f.n), sum(m.sign * f.total)
    from (select -1 as sign, o as r from unnest(was) o union all select 1, n from unnest(are) n) m
        cross join lateral (select x.* from slots s cross join lateral slot_facts(s, m.r) x where s.merchant_id = (m.r).id
            union all select x.* from decisions v cross join lateral decision_facts(v, m.r) x where v.merchant_id = (m.r).id) f
    group by 1, 2, 3, 4, 5 having sum(m.sign * f.n) <> 0 or sum(m.sign * f.total) <> 0;
    return null;
end $$;

create function slots_are_tallied() returns trigger language plpgsql as $$
declare
    was slots[];
    are slots[];
begin
    if TG_OP = 'INSERT' then
        select array_agg(row(n.*)::slots) into are from new_rows n where n.state <> '';
    elsif TG_OP = 'DELETE' then
        select array_agg(row(o.*)::slots) into was from old_rows o where o.state <> '';
    else
        select array_agg(row(o.*)::slots), array_agg(row(n.*)::slots) into was, are from old_rows o join new_rows n on n.id = o.id
        where (o.category, o.code, o.state, o.state_since, o.expires_on, o.refused_for) is distinct from (n.category, n.code, n.state, n.state_since, n.expires_on, n.refused_for);
    end if;
    if was is null and are is null then
        return null;
    end if;
    insert into tally_deltas (combination_id, responsible_id, measure, day, key, n, total)
    select m.combination_id, coalesce(m.responsible_id, 0), f.measure, f.day, f.key, sum(s.sign * f.n), sum(s.sign * f.total)
    from (select -1 as sign, o as r from unnest(was) o union all select 1, n from unnest(are) n) s join merchants m on m.id = (s.r).merchant_id
        cross join lateral slot_facts(s.r, m) f
    group by 1, 2, 3, 4, 5 having sum(s.sign * f.n) <> 0 or sum(s.sign * f.total) <> 0;
    return null;
end $$;

create function decisions_are_tallied() returns trigger language plpgsql as $$
declare
    was decisions[];
    are decisions[];
begin
    if TG_OP <> 'INSERT' then
        select array_agg(row(o.*)::decisions) into was from old_rows o where o.standing = 'counts';
    end if;
    if TG_OP <> 'DELETE' then
        select array_agg(row(n.*)::decisions) into are from new_rows n where n.standing = 'counts';
    end if;
    if was is null and are is null then
        return null;
    end if;
    insert into tally_deltas (combination_id, responsible_id, measure, day, key, n, total)
    select m.combination_id, coalesce(m.responsible_id, 0), f.measure, f.day, f.key, sum(v.sign * f.n), sum(v.sign * f.total)
    from (select -1 as sign, o as r from unnest(was) o union all select 1, n from unnest(are) n) v join merchants m on m.id = (v.r).merchant_id
        cross join lateral decision_facts(v.r, m) f
    group by 1, 2, 3, 4, 5 having sum(v.sign * f.n) <> 0 or sum(v.sign * f.total) <> 0;
    return null;
end $$;

-- Each trigger says which of the two tables it has; a trigger for several events may have none.
do $$
declare
    counted text;
begin
    foreach counted in array array['merchants', 'slots', 'decisions'] loop
        execute format('create trigger %1$s_inserted after insert on %1$I referencing new table as new_rows for each statement execute function %1$s_are_tallied()', counted);
        execute format('create trigger %1$s_updated after update on %1$I referencing old table as old_rows new table as new_rows for each statement execute function %1$s_are_tallied()', counted);
        execute format('create trigger %1$s_deleted after delete on %1$I referencing old table as old_rows for each statement execute function %1$s_are_tallied()', counted);
        execute format('insert into tally_deltas (combination_id, responsible_id, measure, day, key, n, total)
            select m.combination_id, coalesce(m.responsible_id, 0), f.measure, f.day, f.key, sum(f.n), sum(f.total) from %s group by 1, 2, 3, 4, 5 having sum(f.n) <> 0 or sum(f.total) <> 0',
            case counted when 'merchants' then 'merchants m cross join lateral merchant_facts(m) f'
                when 'slots' then 'slots s join merchants m on m.id = s.merchant_id cross join lateral slot_facts(s, m) f'
                else 'decisions v join merchants m on m.id = v.merchant_id cross join lateral decision_facts(v, m) f' end);
    end loop;
end $$;
