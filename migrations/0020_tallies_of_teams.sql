-- Tallies are told apart by the kind of merchants and by whose they are, so that any question of a kind and a team reads few
-- cells: kind '' is all, or 'type:…', 'entity:…', 'line:…', or '#…', a combination; whose '' is everybody's, or 'who:…', a
-- person's (0 is nobody), or 'team:…'. Which of them meet says models/tallies.go. Of a measure of reviewers the person is the
-- one who decided, of all others the one who is responsible for the merchant.
drop table tallies;
create table tallies (
    measure  text collate "C" not null,
    kind     text collate "C" not null,
    whose    text collate "C" not null,
    day      date not null,
    key      text collate "C" not null,
    n        bigint not null,
    total    bigint not null,
    primary key (measure, kind, whose, day, key)
) with (fillfactor = 80);

alter table tally_deltas rename column responsible_id to person_id;
truncate tally_deltas;

drop function merchant_facts(merchants);
create function merchant_facts(m merchants) returns table (measure text, day date, key text, person_id bigint, n bigint, total bigint) language sql stable as $$
    select f.measure, f.day, f.key, coalesce((m).responsible_id, 0), f.n::bigint, f.total::bigint from (
        select 'merchants' as measure, date '1970-01-01' as day, (m).progress_state as key, 1 as n, 0 as total
        union all select 'next', date '1970-01-01', (m).next_actor, 1, extract(epoch from (m).next_actor_since)::bigint where (m).next_actor <> 'nobody'
        union all select d.measure, d.day, '', 1, 0 from (values ('due', (m).due_on), ('due_month', date_trunc('month', (m).due_on::timestamp)::date)) d(measure, day)
            where (m).due_on is not null and (m).progress_state not in ('complete', 'registered')
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

drop function slot_facts(slots, merchants);
create function slot_facts(s slots, m merchants) returns table (measure text, day date, key text, person_id bigint, n bigint, total bigint) language sql stable as $$
    select f.measure, f.day, f.key, coalesce((m).responsible_id, 0), 1::bigint, f.total from (
        select 'slots' as measure, date '1970-01-01' as day, concat_ws('|', (s).category, (s).code, (s).state) as key, extract(epoch from (s).state_since)::bigint as total where (m).registered_at is null
        union all select 'expires', (s).expires_on, concat_ws('|', (s).category, (s).code), 0 where (s).expires_on is not null
    ) f where (s).state <> '' and (m).archived_at is null
$$;

drop function decision_facts(decisions, merchants);
create function decision_facts(v decisions, m merchants) returns table (measure text, day date, key text, person_id bigint, n bigint, total bigint) language sql stable as $$
    select f.measure, case f.measure when 'queue_month' then date_trunc('month', week_of((v).decided_at)::timestamp)::date else week_of((v).decided_at) end, f.key, coalesce(f.reviewer, (m).responsible_id, 0), 1::bigint, f.total from (
        select 'decided' as measure, concat_ws('|', (v).outcome, case (v).version when 1 then 'first' else 'later' end) as key, null::bigint as reviewer, 0::bigint as total
        union all select 'first_pass', concat_ws('|', (v).outcome, d.category, d.code), null, 0 from documents d where d.id = (v).document_id and (v).version = 1
        union all select 'reason', r.code, null, 0 from jsonb_array_elements_text((v).reasons) r(code) where (v).outcome = 'refused'
        union all select 'decided_by', (v).outcome, (v).decided_by, 0
        union all select k.measure, tally_bucket(w.seconds), (v).decided_by, w.seconds
            from (select floor(extract(epoch from (v).decided_at - (v).queued_at))::bigint as seconds) w cross join (values ('queue_time'), ('queue_month')) k(measure) where w.seconds >= 0
    ) f where (v).standing = 'counts' and (m).archived_at is null
$$;

-- One statement, however many rows it changed, appends what it changed of the facts: those of the rows as they are less
-- those of the rows as they were. Whoever changes slots or decisions holds the merchant, whose facts they are.
create or replace function merchants_are_tallied() returns trigger language plpgsql as $$
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
    insert into tally_deltas (combination_id, person_id, measure, day, key, n, total)
    select (m.r).combination_id, f.person_id, f.measure, f.day, f.key, sum(m.sign * f.n), sum(m.sign * f.total)
    from (select -1 as sign, o as r from unnest(was) o union all select 1, n from unnest(are) n) m cross join lateral merchant_facts(m.r) f
    group by 1, 2, 3, 4, 5 having sum(m.sign * f.n) <> 0 or sum(m.sign * f.total) <> 0;

    if TG_OP <> 'UPDATE' or not exists (select 1 from unnest(was) with ordinality o join unnest(are) with ordinality n on n.ordinality = o.ordinality
        where (o.combination_id, o.responsible_id, o.archived_at is null, o.registered_at is null)
            is distinct from (n.combination_id, n.responsible_id, n.archived_at is null, n.registered_at is null)) then
        return null;
    end if;
    insert into tally_deltas (combination_id, person_id, measure, day, key, n, total)
    select (m.r).combination_id, f.person_id, f.measure, f.day, f.key, sum(m.sign * f.n), sum(m.sign * f.total)
    from (select -1 as sign, o as r from unnest(was) o union all select 1, n from unnest(are) n) m
        cross join lateral (select x.* from slots s cross join lateral slot_facts(s, m.r) x where s.merchant_id = (m.r).id
            union all select x.* from decisions v cross join lateral decision_facts(v, m.r) x where v.merchant_id = (m.r).id) f
    group by 1, 2, 3, 4, 5 having sum(m.sign * f.n) <> 0 or sum(m.sign * f.total) <> 0;
    return null;
end $$;

create or replace function slots_are_tallied() returns trigger language plpgsql as $$
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
    insert into tally_deltas (combination_id, person_id, measure, day, key, n, total)
    select m.combination_id, f.person_id, f.measure, f.day, f.key, sum(s.sign * f.n), sum(s.sign * f.total)
    from (select -1 as sign, o as r from unnest(was) o union all select 1, n from unnest(are) n) s join merchants m on m.id = (s.r).merchant_id
        cross join lateral slot_facts(s.r, m) f
    group by 1, 2, 3, 4, 5 having sum(s.sign * f.n) <> 0 or sum(s.sign * f.total) <> 0;
    return null;
end $$;

create or replace function decisions_are_tallied() returns trigger language plpgsql as $$
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
    insert into tally_deltas (combination_id, person_id, measure, day, key, n, total)
    select m.combination_id, f.person_id, f.measure, f.day, f.key, sum(v.sign * f.n), sum(v.sign * f.total)
    from (select -1 as sign, o as r from unnest(was) o union all select 1, n from unnest(are) n) v join merchants m on m.id = (v.r).merchant_id
        cross join lateral decision_facts(v.r, m) f
    group by 1, 2, 3, 4, 5 having sum(v.sign * f.n) <> 0 or sum(v.sign * f.total) <> 0;
    return null;
end $$;

-- Who changes to another team takes along what is counted of them. Folding waits meanwhile, and then folds into the new one.
create function team_is_tallied() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(5011);
    insert into tallies as t (measure, kind, whose, day, key, n, total)
    select x.measure, x.kind, 'team:' || w.team, x.day, x.key, sum(w.sign * x.n), sum(w.sign * x.total)
    from unnest(array['merchants', 'next', 'slots', 'due', 'due_month', 'expires', 'completeness', 'pace', 'funnel', 'took', 'decided', 'first_pass', 'reason', 'decided_by', 'queue_time', 'queue_month']) m(measure)
        cross join (select '' as kind union all select '#' || id from combinations) k
        join tallies x on x.measure = m.measure and x.kind = k.kind and x.whose = 'who:' || old.id
        cross join (values (-1, old.team), (1, new.team)) w(sign, team)
    where w.team <> '' group by 1, 2, 3, 4, 5
    on conflict (measure, kind, whose, day, key) do update set n = t.n + excluded.n, total = t.total + excluded.total;
    return null;
end $$;
create trigger people_team_changed after update of team on people for each row when (old.team <> new.team) execute function team_is_tallied();

-- All is counted anew: what the rows say waits to be folded.
insert into tally_deltas (combination_id, person_id, measure, day, key, n, total)
select m.combination_id, f.person_id, f.measure, f.day, f.key, sum(f.n), sum(f.total) from merchants m cross join lateral merchant_facts(m) f group by 1, 2, 3, 4, 5 having sum(f.n) <> 0 or sum(f.total) <> 0;
insert into tally_deltas (combination_id, person_id, measure, day, key, n, total)
select m.combination_id, f.person_id, f.measure, f.day, f.key, sum(f.n), sum(f.total) from slots s join merchants m on m.id = s.merchant_id cross join lateral slot_facts(s, m) f group by 1, 2, 3, 4, 5;
insert into tally_deltas (combination_id, person_id, measure, day, key, n, total)
select m.combination_id, f.person_id, f.measure, f.day, f.key, sum(f.n), sum(f.total) from decisions v join merchants m on m.id = v.merchant_id cross join lateral decision_facts(v, m) f group by 1, 2, 3, 4, 5;
