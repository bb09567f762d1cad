-- Pictures that are nearly the same. Two difference hashes that differ in three bits of 64 share one of their four bands of
-- 16 bits. Bands that are almost all light or all dark say nothing and are left out: many papers have white margins.
create function picture_bands(h bigint) returns integer[] language sql immutable strict parallel safe as $$
    select coalesce(array_agg(i * 65536 + band), '{}')
    from (select i, ((h >> (i * 16)) & 65535)::integer as band from generate_series(0, 3) i) b
    where bit_count(band::bit(16)) between 3 and 13
$$;
create index documents_picture on documents using gin (picture_bands(perceptual_hash)) where perceptual_hash is not null;
