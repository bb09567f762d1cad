-- What a merchant's evidence bundle is made of is read anew for each; its bytes go when it expires, the row stays.
create table bundles (
    id           bigint generated always as identity primary key,
    uid          uuid not null constraint bundles_uid_key unique,
    merchant_id  bigint not null references merchants (id),
    state        text not null check (state in ('waiting', 'making', 'ready', 'failed')),
    done         bigint not null default 0,
    total        bigint not null default 0,
    blob_ref     text not null default '',
    data_key     bytea,
    size         bigint not null default 0,
    sha256       bytea,
    language     text not null check (language in ('id', 'en')),
    problem      text not null default '',
    asked_by     bigint not null references people (id),
    asked_at     timestamptz not null,
    made_at      timestamptz,
    expires_at   timestamptz
);
comment on column bundles.done is 'Lines written so far, of about total.';
create index bundles_merchant on bundles (merchant_id, id);
create unique index bundles_underway_key on bundles (merchant_id) where state in ('waiting', 'making');
create index bundles_blob on bundles (blob_ref) where blob_ref <> '';
create index bundles_expiring on bundles (expires_at) where blob_ref <> '';
