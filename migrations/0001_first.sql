-- The first schema. It already carries what review, insights, audit sealing and registration will need.
-- Sealed columns hold AES-GCM ciphertext whose first byte is the version of the key; *_hash columns are keyed hashes.

create table deployment (
    single      boolean primary key default true check (single),
    doku_host   text not null,
    client_id   text not null,
    bound_at    timestamptz not null default now()
);
comment on table deployment is 'Which DOKU and which partner the file ids in this database belong to; another one is refused.';

create table settings (
    name        text primary key,
    value       jsonb not null,
    updated_at  timestamptz not null default now()
);

create table people (
    id                   bigint generated always as identity primary key,
    email                text not null,
    name                 text not null,
    role                 text not null check (role in ('staff', 'reviewer', 'manager', 'admin')),
    team                 text not null default '',
    language             text not null default '' check (language in ('', 'id', 'en')),
    password_hash        text not null,
    must_change_password boolean not null default false,
    demo                 boolean not null default false,
    disabled_at          timestamptz,
    created_at           timestamptz not null default now(),
    updated_at           timestamptz not null default now()
);
create unique index people_email_key on people (lower(email));

create table sessions (
    id           bigint generated always as identity primary key,
    token_hash   bytea not null constraint sessions_token_key unique,
    person_id    bigint not null references people (id) on delete cascade,
    agent        text not null default '',
    created_at   timestamptz not null,
    seen_at      timestamptz not null,
    expires_at   timestamptz not null
);
create index sessions_person on sessions (person_id);
create index sessions_expiry on sessions (expires_at);

create table sign_in_throttle (
    subject_hash bytea primary key,
    failures     integer not null,
    since        timestamptz not null
);

create table leases (
    name    text primary key,
    holder  text not null,
    until   timestamptz not null
);

-- What DOKU asks for ---------------------------------------------------------------------------------------------

create table combinations (
    id              bigint generated always as identity primary key,
    business_type   text not null,
    legal_entity    text not null,
    business_line   text not null,
    nationality     text not null,
    state           text not null default 'pending' check (state in ('pending', 'ready', 'refused')),
    set_id          bigint,
    problem         text not null default '',
    doku_says       text not null default '',
    read_at         timestamptz,
    asked_at        timestamptz,
    created_at      timestamptz not null default now(),
    constraint combinations_key unique (business_type, legal_entity, business_line, nationality)
);

create table requirement_sets (
    id              bigint generated always as identity primary key,
    combination_id  bigint not null references combinations (id),
    version         integer not null,
    raw             text not null,
    raw_hash        bytea not null,
    assumed         boolean not null,
    read_at         timestamptz not null,
    constraint requirement_sets_version_key unique (combination_id, version)
);
alter table combinations add foreign key (set_id) references requirement_sets (id);

create table requirements (
    id          bigint generated always as identity primary key,
    set_id      bigint not null references requirement_sets (id),
    position    integer not null,
    path        text not null,
    owner_path  text not null,
    category    text not null,
    code        text not null default '',
    name        text not null default '',
    extensions  jsonb not null default '[]',
    max_size    bigint not null default 0,
    form        jsonb not null default '[]'
);
create index requirements_set on requirements (set_id, position);

-- Merchants ------------------------------------------------------------------------------------------------------

create table merchants (
    id                     bigint generated always as identity primary key,
    uid                    uuid not null constraint merchants_uid_key unique,
    name                   text not null,
    name_normal            text not null,
    business_type          text not null,
    legal_entity           text not null,
    business_line          text not null,
    nationality            text not null,
    description            text not null default '',
    website_readiness      text not null default '',
    mobile_app_readiness   text not null default '',
    nib                    text not null default '',
    address_street         text not null default '',
    address_area           text not null default '',
    address_country        text not null default '',
    bank_id                text not null default '',
    bank_name              text not null default '',
    bank_account_name      text not null default '',
    private                bytea,
    notes                  text not null default '',
    responsible_id         bigint references people (id),
    due_on                 date,
    combination_id         bigint not null references combinations (id),
    set_id                 bigint references requirement_sets (id),
    previous_set_id        bigint references requirement_sets (id),
    set_changed_at         timestamptz,
    progress               jsonb not null default '{}',
    progress_state         text not null default 'todo' check (progress_state in ('pending', 'todo', 'waiting', 'refused', 'failed', 'complete', 'registered')),
    next_actor             text not null default 'doku' check (next_actor in ('staff', 'merchant', 'reviewer', 'doku', 'nobody')),
    next_actor_since       timestamptz not null default now(),
    business_id            text not null default '',
    brand_id               text not null default '',
    business_status        text not null default '',
    shared_key             bytea,
    partner_ref_id         text not null default '',
    registered_at          timestamptz,
    legal_hold             boolean not null default false,
    sample                 boolean not null default false,
    archived_at            timestamptz,
    created_by             bigint references people (id),
    created_at             timestamptz not null default now(),
    updated_at             timestamptz not null default now()
);
create index merchants_recent on merchants (updated_at desc, id desc) where archived_at is null;
create index merchants_open on merchants (progress_state, updated_at desc, id desc) where archived_at is null;
create index merchants_responsible on merchants (responsible_id, updated_at desc, id desc) where archived_at is null;
create index merchants_name on merchants (name_normal text_pattern_ops);
create index merchants_combination on merchants (combination_id);
create unique index merchants_brand_key on merchants (brand_id) where brand_id <> '';

create table merchant_keys (
    merchant_id  bigint not null references merchants (id),
    source       text not null,
    kind         text not null check (kind in ('nik', 'npwp', 'phone', 'email')),
    hash         bytea not null,
    primary key (merchant_id, source, kind)
);
create index merchant_keys_hash on merchant_keys (kind, hash);
comment on table merchant_keys is 'Keyed hashes of personal numbers and addresses: exact search and duplicate warnings without clear values.';

create table contacts (
    id            bigint generated always as identity primary key,
    merchant_id   bigint not null references merchants (id),
    ordinal       integer not null,
    name          text not null default '',
    position      text not null default '',
    nationality   text not null default '',
    is_primary    boolean not null default false,
    private       bytea,
    constraint contacts_ordinal_key unique (merchant_id, ordinal)
);

create table brands (
    id                     bigint generated always as identity primary key,
    merchant_id            bigint not null references merchants (id),
    ordinal                integer not null,
    name                   text not null default '',
    description            text not null default '',
    category               text not null default '',
    transaction_frequency  text not null default '',
    transaction_quantity   text not null default '',
    social_media           jsonb not null default '[]',
    constraint brands_ordinal_key unique (merchant_id, ordinal)
);

-- Slots and documents --------------------------------------------------------------------------------------------

create table slots (
    id              bigint generated always as identity primary key,
    merchant_id     bigint not null references merchants (id),
    owner_path      text not null,
    category        text not null,
    code            text not null default '',
    ordinal         integer not null default 0,
    position        integer not null default 0,
    requirement_id  bigint references requirements (id),
    by_hand         boolean not null default false,
    document_id     bigint,
    created_at      timestamptz not null default now(),
    constraint slots_place_key unique (merchant_id, owner_path, category, code, ordinal)
);

create table slot_fields (
    slot_id   bigint not null references slots (id) on delete cascade,
    code      text not null,
    value     bytea not null,
    masked    text not null,
    set_by    bigint references people (id),
    set_at    timestamptz not null,
    primary key (slot_id, code)
);

create table documents (
    id               bigint generated always as identity primary key,
    uid              uuid not null constraint documents_uid_key unique,
    merchant_id      bigint not null references merchants (id),
    slot_id          bigint not null references slots (id),
    version          integer not null,
    category         text not null,
    code             text not null default '',
    state            text not null check (state in ('waiting', 'sending', 'delivered', 'refused', 'failed')),
    file_name        text not null default '',
    file_url         bytea,
    content_type     text not null default '',
    size             bigint not null default 0,
    sha256           bytea,
    width            integer not null default 0,
    height           integer not null default 0,
    pages            integer not null default 0,
    measured         boolean not null default false,
    sharpness        double precision not null default 0,
    perceptual_hash  bigint,
    taken_at         timestamptz,
    rotation         smallint not null default 0 check (rotation between 0 and 3),
    expires_on       date,
    blob_ref         text not null default '',
    data_key         bytea,
    thumbnail        bytea,
    file_id          text not null default '',
    link             bytea,
    link_expires_at  timestamptz,
    link_refreshed_at timestamptz,
    attempts         integer not null default 0,
    unclear          integer not null default 0,
    problem          text not null default '',
    doku_says        text not null default '',
    next_attempt_at  timestamptz,
    claimed_by       text not null default '',
    claimed_until    timestamptz,
    uploaded_by      bigint references people (id),
    uploaded_at      timestamptz not null,
    delivered_at     timestamptz,
    review           text not null default 'undecided' check (review in ('undecided', 'approved', 'refused')),
    review_due_on    date,
    business_type    text not null default '',
    business_line    text not null default '',
    withdrawn_at     timestamptz,
    withdrawn_by     bigint references people (id),
    withdrawn_why    text not null default '',
    read_back_at     timestamptz,
    purged_at        timestamptz,
    constraint documents_version_key unique (slot_id, version)
);
alter table slots add foreign key (document_id) references documents (id);
create index documents_merchant on documents (merchant_id, id);
create index documents_undelivered on documents (next_attempt_at) where state in ('waiting', 'sending') and withdrawn_at is null;
create index documents_review on documents (review_due_on, delivered_at, id) where state = 'delivered' and review = 'undecided' and withdrawn_at is null;
create index documents_blob on documents (blob_ref) where blob_ref <> '';
create index documents_sha256 on documents (sha256);

create table attachments (
    id            bigint generated always as identity primary key,
    merchant_id   bigint not null references merchants (id),
    document_id   bigint not null references documents (id),
    place         text not null,
    attached_id   text not null default '',
    link          bytea,
    link_expires_at   timestamptz,
    link_refreshed_at timestamptz,
    constraint attachments_document_key unique (document_id),
    constraint attachments_place_key unique (merchant_id, place)
);

create table submissions (
    id             bigint generated always as identity primary key,
    uid            uuid not null constraint submissions_uid_key unique,
    merchant_id    bigint not null references merchants (id),
    kind           text not null check (kind in ('registration', 'lite')),
    request_id     text not null constraint submissions_request_key unique,
    body           bytea not null,
    business_type  text not null,
    legal_entity   text not null,
    business_line  text not null,
    nationality    text not null,
    callback_hash  bytea,
    outcome        text not null default 'pending' check (outcome in ('pending', 'registered', 'refused', 'uncertain')),
    doku_says      text not null default '',
    submitted_by   bigint references people (id),
    created_at     timestamptz not null,
    settled_at     timestamptz
);
create index submissions_merchant on submissions (merchant_id, id);

create table transitions (
    id            bigint generated always as identity primary key,
    at            timestamptz not null,
    merchant_id   bigint not null references merchants (id),
    subject_kind  text not null check (subject_kind in ('merchant', 'document', 'review', 'submission')),
    subject_id    bigint not null,
    from_state    text not null,
    to_state      text not null,
    actor_kind    text not null,
    actor_id      bigint,
    team          text not null default ''
);
create index transitions_subject on transitions (subject_kind, subject_id, id);
create index transitions_merchant on transitions (merchant_id, id);

-- DOKU's health, one row for all replicas --------------------------------------------------------------------------

create table doku_health (
    single         boolean primary key default true check (single),
    down_since     timestamptz,
    last_ok_at     timestamptz,
    last_error_at  timestamptz,
    last_error     text not null default '',
    latency_ms     integer not null default 0
);
insert into doku_health default values;

-- Audit ----------------------------------------------------------------------------------------------------------

create sequence audit_id;
create table audit (
    id            bigint not null default nextval('audit_id'),
    at            timestamptz not null,
    transaction   xid8 not null default pg_current_xact_id(),
    actor_kind    text not null check (actor_kind in ('user', 'cli', 'system', 'doku', 'anonymous')),
    actor_id      bigint,
    actor_role    text not null default '',
    action        text not null,
    subject_kind  text not null,
    subject_id    bigint,
    merchant_id   bigint,
    detail        jsonb not null default '{}',
    request_id    text not null default '',
    primary key (id, at)
) partition by range (at);
create index audit_merchant on audit (merchant_id, id) where merchant_id is not null;
create index audit_actor on audit (actor_id, id) where actor_id is not null;
create table audit_rest partition of audit default;
comment on table audit is 'Append-only: no role of the program may change or delete a row, and a trigger refuses it to every other.';

create table audit_private (
    audit_id  bigint not null,
    name      text not null,
    salt      bytea not null,
    value     bytea not null,
    primary key (audit_id, name)
);
comment on table audit_private is 'Personal values beside an audit row, sealed and erasable; the row itself holds their salted hash.';

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_append_only before update or delete on audit for each row execute function audit_is_append_only();
create trigger audit_no_truncate before truncate on audit for each statement execute function audit_is_append_only();

-- Makes the month's partition. The program's role may call it although it may not create tables.
create function audit_partition(month date) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    first date := date_trunc('month', month);
    name  text := 'audit_' || to_char(first, 'YYYY_MM');
begin
    if to_regclass('public.' || name) is null then
        execute format('create table %I partition of audit for values from (%L) to (%L)',
            name, first::timestamp at time zone 'UTC', (first + interval '1 month')::timestamp at time zone 'UTC');
    end if;
end $$;
select audit_partition(current_date), audit_partition((current_date + interval '1 month')::date);

-- What the program's own role may do when another role owns the tables.
create function grant_program(program name) returns void language plpgsql as $$
declare
    part regclass;
begin
    execute format('grant usage on schema public to %I', program);
    execute format('grant select, insert, update, delete on all tables in schema public to %I', program);
    execute format('grant usage, select on all sequences in schema public to %I', program);
    execute format('grant execute on all functions in schema public to %I', program);
    for part in select oid::regclass from pg_class where relname ~ '^audit(_[0-9]{4}_[0-9]{2}|_rest)?$' and relkind in ('r', 'p') loop
        execute format('revoke update, delete, truncate on %s from %I', part, program);
    end loop;
    execute format('revoke update, delete, truncate on transitions from %I', program);
    execute format('revoke insert, update, delete, truncate on schema_migrations from %I', program);
    execute format('revoke execute on function grant_program(name) from %I', program);
end $$;
revoke execute on function grant_program(name) from public;
