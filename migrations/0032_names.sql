-- Names are searched across their words too: in the index a letter that hardly stands in names stands for the space, so that
-- where a word ends is looked up with the rest. Where the extension cannot be had the search reads every row.
do $$
begin
    create index merchants_name_across on merchants using gin (replace(name_normal, ' ', 'q') gin_trgm_ops);
    drop index merchants_name_anywhere;
exception when others then
    raise notice 'names are searched without an index: %', sqlerrm;
end $$;

create or replace function merchants_named_like(pattern text, most integer, archived boolean) returns setof bigint language plpgsql stable parallel safe
    set enable_seqscan = off as $$
begin
    return query execute 'select id from merchants where replace(name_normal, '' '', ''q'') like replace($1, '' '', ''q'') and name_normal like $1 and (archived_at is not null) = $2 limit ' || most
        using pattern, archived;
end $$;

create or replace function merchants_named_nearly(first text[], second text[], most integer) returns table (id bigint, name_normal text) language plpgsql stable parallel safe
    set enable_seqscan = off as $$
begin
    return query execute 'select m.id, m.name_normal from merchants m where ' || (select string_agg(format('(replace(m.name_normal, '' '', ''q'') like %L or replace(m.name_normal, '' '', ''q'') like %L)', a, b), ' and ')
        from unnest(first, second) p(a, b)) || ' limit ' || most;
end $$;
