-- A name is searched anywhere within it. Where the extension cannot be had the search works too, reading every row.
do $$
begin
    create extension if not exists pg_trgm;
    create index merchants_name_anywhere on merchants using gin (name_normal gin_trgm_ops);
exception when others then
    raise notice 'names are searched without an index: %', sqlerrm;
end $$;

-- A month that already has rows in the rest (the program began it before its partition was made) stays there: they
-- cannot be moved without changing the trail. Statement triggers are not inherited, so each partition gets its own.
create or replace function audit_partition(month date) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    first date := date_trunc('month', month);
    name  text := 'audit_' || to_char(first, 'YYYY_MM');
begin
    if to_regclass('public.' || name) is null then
        execute format('create table %I partition of audit for values from (%L) to (%L)',
            name, first::timestamp at time zone 'UTC', (first + interval '1 month')::timestamp at time zone 'UTC');
        execute format('create trigger audit_no_truncate before truncate on %I for each statement execute function audit_is_append_only()', name);
    end if;
exception when check_violation then
    null;
end $$;

do $$
declare
    part regclass;
begin
    for part in select inhrelid::regclass from pg_inherits where inhparent = 'audit'::regclass loop
        execute format('create trigger audit_no_truncate before truncate on %s for each statement execute function audit_is_append_only()', part);
    end loop;
end $$;
