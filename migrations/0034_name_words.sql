-- Misspelt names are searched by a vocabulary, which grows far slower than merchants do: the distinct words of all names. A word
-- is never taken out again: one that no name has any more finds nothing.
create table name_words (word text collate "C" primary key);

-- What is left of a word when one letter is missing, and the word. Words that have one of these in common are a slip of the keys
-- apart, or hardly more: another letter, one too few or too many, two swapped.
create function name_gaps(word text) returns text[] language sql immutable strict parallel safe as $$
    select array(select overlay(word placing '' from i for 1) from generate_series(1, char_length(word)) i) || word
$$;

-- How a word begins and ends.
create function name_ends(word text) returns text[] language sql immutable strict parallel safe as $$
    select array[left(word, 3) || '*', '*' || right(word, 3)]
$$;

create index name_words_near on name_words using gin (name_gaps(word), name_ends(word)) with (fastupdate = off);

-- New words are added in their order, so that of two who add the same none waits for the other in a circle.
create function learn_names(names text) returns void language sql as $$
    insert into name_words (word)
    select w.word from (select distinct unnest(string_to_array(names, ' ') collate "C")) w(word)
    where char_length(w.word) between 3 and 40 and not exists (select from name_words n where n.word = w.word)
    order by 1 on conflict do nothing
$$;

create function names_are_learnt() returns trigger language plpgsql as $$
begin
    if tg_level = 'ROW' then
        perform learn_names(new.name_normal);
    else
        perform learn_names(string_agg(name_normal, ' ')) from new_rows;
    end if;
    return null;
end $$;

create trigger names_inserted after insert on merchants referencing new table as new_rows for each statement execute function names_are_learnt();
create trigger names_updated after update of name_normal on merchants for each row when (new.name_normal <> old.name_normal) execute function names_are_learnt();
select learn_names(string_agg(name_normal, ' ')) from merchants;
analyze name_words;

-- One list of merchants per word is read far faster than one for every three letters.
create index merchants_name_words on merchants using gin (string_to_array(name_normal, ' ')) with (fastupdate = off);

-- Merchants in whose names one word of each group stands: a name's groups are separated by spaces, a group's words by '|'.
drop function merchants_named_nearly(text[], text[], integer);
create function merchants_named_nearly(names text[], most integer, archived boolean) returns table (id bigint, name_normal text) language plpgsql stable parallel safe
    set enable_seqscan = off as $$
begin
    return query execute 'select m.id, m.name_normal from merchants m where (m.archived_at is not null) = $1 and (' || (select string_agg('(' || (
            select string_agg(format('string_to_array(m.name_normal, '' '') && %L::text[]', string_to_array(g.words, '|')), ' and ') from unnest(string_to_array(n.name, ' ')) g(words)) || ')', ' or ')
        from unnest(names) n(name)) || ') limit ' || most using archived;
end $$;
