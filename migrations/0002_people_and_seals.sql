-- A person's theme; the audit trail's proof.

alter table people add column theme text not null default '' check (theme in ('', 'light', 'dark'));

-- Each row carries the program's own mark, which nobody without its key can make: a row that was written past the
-- program, or changed, shows. Rows from before have none.
alter table audit add column mac bytea not null default '';

-- Rows that were committed and not sealed yet. A trigger fills it, so that no row can miss its seal.
create table audit_pending (
    audit_id     bigint primary key,
    at           timestamptz not null,
    transaction  xid8 not null
);
create function audit_becomes_pending() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into audit_pending (audit_id, at, transaction) values (new.id, new.at, new.transaction);
    return null;
end $$;
create trigger audit_pending after insert on audit for each row execute function audit_becomes_pending();
insert into audit_pending (audit_id, at, transaction) select id, at, transaction from audit;

-- One seal a second at most: the root of a Merkle tree (RFC 6962) over the rows in the order of their commits, chained to
-- the seal before and marked with the program's key.
create table audit_seals (
    id         bigint primary key,
    sealed_at  timestamptz not null,
    rows       integer not null check (rows > 0),
    root       bytea not null,
    chain      bytea not null
);
create table audit_leaves (
    seal_id   bigint not null references audit_seals (id),
    position  integer not null,
    audit_id  bigint not null constraint audit_leaves_row_key unique,
    at        timestamptz not null,
    leaf      bytea not null,
    primary key (seal_id, position)
);
create trigger audit_seals_append_only before update or delete on audit_seals for each row execute function audit_is_append_only();
create trigger audit_leaves_append_only before update or delete on audit_leaves for each row execute function audit_is_append_only();
create index audit_at on audit (at, id);
create index audit_action on audit (action, id);

-- How DOKU answered, minute by minute, for the page about its health.
create table doku_minutes (
    minute    timestamptz not null,
    call      text not null,
    answered  integer not null default 0,
    failed    integer not null default 0,
    total_ms  bigint not null default 0,
    max_ms    integer not null default 0,
    primary key (minute, call)
);

create or replace function grant_program(program name) returns void language plpgsql as $$
declare
    part regclass;
begin
    execute format('grant usage on schema public to %I', program);
    execute format('grant select, insert, update, delete on all tables in schema public to %I', program);
    execute format('grant usage, select on all sequences in schema public to %I', program);
    execute format('grant execute on all functions in schema public to %I', program);
    for part in select oid::regclass from pg_class where relname ~ '^audit(_[0-9]{4}_[0-9]{2}|_rest|_seals|_leaves)?$' and relkind in ('r', 'p') loop
        execute format('revoke update, delete, truncate on %s from %I', part, program);
    end loop;
    execute format('revoke update, delete, truncate on transitions from %I', program);
    execute format('revoke insert, update, delete, truncate on schema_migrations from %I', program);
    execute format('revoke execute on function grant_program(name) from %I', program);
end $$;
