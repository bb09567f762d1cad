-- Review. A document that counts, is at DOKU and is undecided stands in the reviewers' queue since queued_at; one predicate
-- (models: Tx.Queue) says which those are. What the queue is filtered by stands in the row itself.
alter table documents
    add column queued_at         timestamptz,
    add column snoozed_until     timestamptz,
    add column assigned_to       bigint references people (id),
    add column leased_by         bigint references people (id),
    add column leased_until      timestamptz,
    add column first_approved_by bigint references people (id),
    add column decided_at        timestamptz,
    add column reasons           jsonb not null default '[]';
comment on column documents.first_approved_by is 'Whose approval waits for that of a second reviewer.';
comment on column documents.reasons is 'The reason codes of the refusal that counts, the gravest first.';

update documents d set queued_at = d.delivered_at, review_due_on = m.due_on, business_type = m.business_type, business_line = m.business_line
from slots s, merchants m where s.id = d.slot_id and m.id = d.merchant_id and s.document_id = d.id and (s.requirement_id is not null or s.by_hand)
    and d.state = 'delivered' and d.review = 'undecided' and d.withdrawn_at is null and m.archived_at is null and m.registered_at is null;

drop index documents_review;
drop index documents_undecided;
create index documents_queue on documents ((coalesce(review_due_on, 'infinity'::date)), queued_at, id) where queued_at is not null;
create index documents_queue_kind on documents (category, code, (coalesce(review_due_on, 'infinity'::date)), queued_at, id) where queued_at is not null;
create index documents_queue_line on documents (business_line, (coalesce(review_due_on, 'infinity'::date)), queued_at, id) where queued_at is not null;
create index documents_queue_type on documents (business_type, (coalesce(review_due_on, 'infinity'::date)), queued_at, id) where queued_at is not null;
create index documents_queue_age on documents (queued_at, id) where queued_at is not null;
create index documents_assigned on documents (assigned_to) where assigned_to is not null and queued_at is not null;
create index documents_leased on documents (leased_by) where leased_by is not null;
create index documents_snoozed on documents ((coalesce(review_due_on, 'infinity'::date)), queued_at, id) where snoozed_until is not null and queued_at is not null;

-- What a reviewer said of one version of a document, and of the data typed beside it. Four eyes: the database refuses a
-- decision of whoever uploaded the version.
create table decisions (
    id           bigint generated always as identity primary key,
    uid          uuid not null constraint decisions_uid_key unique,
    document_id  bigint not null references documents (id),
    merchant_id  bigint not null references merchants (id),
    version      integer not null,
    sha256       bytea,
    outcome      text not null check (outcome in ('approved', 'refused')),
    standing     text not null check (standing in ('counts', 'first', 'undone', 'reopened', 'replaced')),
    reasons      jsonb not null default '[]',
    note         bytea,
    message      bytea,
    facts        bytea not null,
    uploaded_by  bigint references people (id),
    decided_by   bigint not null references people (id),
    decided_at   timestamptz not null,
    settled_at   timestamptz,
    replaces     bigint references decisions (id),
    screen_ms    bigint not null default 0,
    constraint decisions_four_eyes check (uploaded_by is distinct from decided_by)
);
comment on column decisions.standing is 'counts: it is the document''s review. first: an approval that a second reviewer must share. The others count no longer.';
comment on column decisions.facts is 'Keyed hash of the typed data that the decision relied on.';
create unique index decisions_counting_key on decisions (document_id) where standing = 'counts';
create unique index decisions_first_key on decisions (document_id) where standing = 'first' and settled_at is null;
create index decisions_document on decisions (document_id, id);
create index decisions_merchant on decisions (merchant_id, id);
create index decisions_by on decisions (decided_by, decided_at);

-- A question to a colleague about a document. It is answered when somebody decides.
create table questions (
    id           bigint generated always as identity primary key,
    uid          uuid not null constraint questions_uid_key unique,
    document_id  bigint not null references documents (id),
    merchant_id  bigint not null references merchants (id),
    question     bytea not null,
    asked_by     bigint not null references people (id),
    asked_of     bigint not null references people (id),
    asked_at     timestamptz not null
);
create index questions_document on questions (document_id, id);

-- Who had a document on the screen and for how long. fetched: loaded ahead and never shown.
create table looks (
    id           bigint generated always as identity primary key,
    document_id  bigint not null references documents (id),
    person_id    bigint not null references people (id),
    opened_at    timestamptz not null,
    seen_at      timestamptz not null,
    open_ms      bigint not null default 0
);
create index looks_document on looks (document_id, id);

-- What colleagues say to each other about a merchant, and what was sent to the merchant.
create table comments (
    id           bigint generated always as identity primary key,
    uid          uuid not null constraint comments_uid_key unique,
    merchant_id  bigint not null references merchants (id),
    body         bytea not null,
    written_by   bigint not null references people (id),
    written_at   timestamptz not null
);
create index comments_merchant on comments (merchant_id, id);

create table messages (
    id           bigint generated always as identity primary key,
    uid          uuid not null constraint messages_uid_key unique,
    merchant_id  bigint not null references merchants (id),
    channel      text not null check (channel in ('whatsapp', 'email', 'copy', 'other')),
    language     text not null check (language in ('id', 'en')),
    body         bytea not null,
    sent_by      bigint not null references people (id),
    sent_at      timestamptz not null
);
create index messages_merchant on messages (merchant_id, id);
alter table merchants add column messaged_at timestamptz;
create index merchants_messaged on merchants (messaged_at) where archived_at is null and next_actor = 'merchant';

-- Reasons: switched off for some documents or all (off_for holds codes, or '*'), with the partner's own texts.
create table reason_settings (
    code        text primary key,
    off_for     jsonb not null default '[]',
    text_id     text not null default '',
    text_en     text not null default '',
    updated_at  timestamptz not null
);
