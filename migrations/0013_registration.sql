-- Registration. A submission is one attempt to have a merchant become a business at DOKU: its bytes and its Request-Id are stored
-- before anything is sent, and however often it is sent they stay the same. A merchant has one that stands, at most.
alter table submissions drop constraint submissions_outcome_check;
alter table submissions
    add constraint submissions_outcome_check check (outcome in
        ('pending', 'redelivering', 'uncertain', 'stuck', 'registered', 'refused', 'rejected', 'absent', 'withdrawn')),
    drop column doku_says,
    add column said             bytea,
    add column problem          text not null default '',
    add column attempts         integer not null default 0,
    add column unclear          integer not null default 0,
    add column maybe_since      timestamptz,
    add column next_attempt_at  timestamptz,
    add column claimed_by       text not null default '',
    add column claimed_until    timestamptz,
    add column business_id      text not null default '',
    add column brand_id         text not null default '',
    add column business_status  text not null default '',
    add column replaces         bigint references submissions (id),
    add column mended_at        timestamptz,
    add column approved_by      bigint references people (id),
    add column four_eyes        boolean not null default false,
    add constraint submissions_four_eyes check (not four_eyes or approved_by is distinct from submitted_by),
    add column settled_by       bigint references people (id),
    add column note             bytea;
comment on column submissions.outcome is 'pending: not answered. redelivering: DOKU lost a file, which goes again. uncertain: DOKU may have it. stuck: a person must find out. registered. refused by DOKU''s answer, rejected by its verification. absent: a person found that it is not there. withdrawn before it was sent.';
comment on column submissions.maybe_since is 'Since when a request that DOKU may have carried out is without an answer: written before it leaves.';
comment on column submissions.said is 'DOKU''s words, sealed.';
comment on column submissions.approved_by is 'Who approved the last of the documents: with four_eyes not whoever submits.';
comment on column submissions.mended_at is 'When a person said what a refusal or rejection is about, and the dossier was open again.';

create unique index submissions_standing_key on submissions (merchant_id) where outcome in ('pending', 'redelivering', 'uncertain', 'stuck', 'registered');
create unique index submissions_callback_key on submissions (callback_hash) where callback_hash is not null;
create index submissions_due on submissions (next_attempt_at) where outcome in ('pending', 'redelivering', 'uncertain');
create index submissions_stuck on submissions (id) where outcome = 'stuck';

-- Every time a submission left, written before it does; without an end the process died within.
create table submission_attempts (
    id             bigint generated always as identity primary key,
    submission_id  bigint not null references submissions (id),
    began_at       timestamptz not null,
    ended_at       timestamptz,
    status         integer not null default 0,
    problem        text not null default ''
);
create index submission_attempts_submission on submission_attempts (submission_id, id);

alter table merchants
    add column submission_id  bigint references submissions (id),
    add column registration   text not null default '' check (registration in ('', 'pending', 'redelivering', 'uncertain', 'stuck', 'registered', 'refused', 'rejected'));
comment on column merchants.registration is 'The outcome of submission_id while it matters: '''' before the first and once a refusal was mended.';

insert into submissions (uid, merchant_id, kind, request_id, body, business_type, legal_entity, business_line, nationality, outcome, created_at, settled_at,
        business_id, brand_id, business_status)
    select gen_random_uuid(), id, 'registration', 'before:' || uid, '', business_type, legal_entity, business_line, nationality, 'registered', registered_at, registered_at,
        business_id, brand_id, business_status from merchants where registered_at is not null;
update merchants m set submission_id = s.id, registration = 'registered' from submissions s where s.merchant_id = m.id;

-- What was submitted is not decided on any more, and what comes later is a change after registration.
alter table merchants add column locked boolean not null generated always as (registration in ('pending', 'redelivering', 'uncertain', 'stuck', 'registered')) stored;

alter table attachments add column submission_id bigint references submissions (id);
update attachments a set submission_id = m.submission_id from merchants m where m.id = a.merchant_id;
alter table attachments
    alter column submission_id set not null,
    drop constraint attachments_document_key,
    drop constraint attachments_place_key,
    add constraint attachments_document_key unique (submission_id, document_id),
    add constraint attachments_place_key unique (submission_id, place);
create index attachments_document on attachments (document_id);
