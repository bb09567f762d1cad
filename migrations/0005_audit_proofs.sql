-- The audit trail's proof binds each leaf to its merchant, so that one merchant's rows are proved without reading another's,
-- and none of them can be missing. No release has sealed a trail the earlier way: it is sealed anew.
drop table audit_leaves;
drop table audit_seals;

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
    seal_id      bigint not null references audit_seals (id),
    position     integer not null,
    audit_id     bigint not null constraint audit_leaves_row_key unique,
    at           timestamptz not null,
    merchant_id  bigint,
    row_hash     bytea not null,
    primary key (seal_id, position)
);
create trigger audit_seals_append_only before update or delete on audit_seals for each row execute function audit_is_append_only();
create trigger audit_leaves_append_only before update or delete on audit_leaves for each row execute function audit_is_append_only();
create trigger audit_seals_no_truncate before truncate on audit_seals for each statement execute function audit_is_append_only();
create trigger audit_leaves_no_truncate before truncate on audit_leaves for each statement execute function audit_is_append_only();
insert into audit_pending (audit_id, at, transaction) select id, at, transaction from audit on conflict do nothing;

-- The page about the trail asks for the newest rows of somebody or of some kind, between two times. Rows that nobody in
-- person wrote are told apart by what did.
drop index audit_action;
drop index audit_actor;
create index audit_action on audit (action, at, id);
create index audit_actor on audit (actor_id, at, id) where actor_id is not null;
create index audit_nobody on audit (actor_kind, at, id) where actor_id is null;
