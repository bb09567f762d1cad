-- What DOKU makes of a registered business. One row for each merchant that is polled: when DOKU is asked next, by whom at the
-- moment, and what came of it. Whoever asks takes the next turn; an answer of an earlier turn than the last one kept is stale.
create table polls (
    merchant_id    bigint primary key references merchants (id),
    next_at        timestamptz not null,
    wanted_at      timestamptz,
    turn           bigint not null default 0,
    answered_turn  bigint not null default 0,
    answered_at    timestamptz,
    covers         bigint not null default 0,
    claimed_by     text not null default '',
    claimed_until  timestamptz,
    unchanged      integer not null default 0,
    problem        text not null default '',
    differences    jsonb not null default '[]'
) with (fillfactor = 70);
comment on column polls.wanted_at is 'When somebody last wanted an answer newer than the one there was.';
comment on column polls.covers is 'The last callback there was when the turn was taken: the answer is newer than what it reports.';
comment on column polls.unchanged is 'Answers in a row that brought nothing new: the next question waits the longer.';
create index polls_due on polls (next_at);
create index polls_different on polls (merchant_id) where differences <> '[]';

insert into polls (merchant_id, next_at) select m.id, now() from merchants m join submissions s on s.id = m.submission_id
    where m.registration = 'registered' and m.brand_id <> '' and s.request_id not like 'before:%';

alter table merchants add column brand_status text not null default '';
update merchants set brand_status = business_status where active_at is not null;

-- What DOKU posted to the address of a submission. The body is a hint, kept sealed and never believed.
create table callbacks (
    id             bigint generated always as identity primary key,
    submission_id  bigint not null references submissions (id),
    merchant_id    bigint not null references merchants (id),
    request_id     text not null,
    body           bytea not null,
    signed         boolean not null,
    received_at    timestamptz not null,
    worked_at      timestamptz,
    outcome        text not null default '' check (outcome in ('', 'asked', 'settled', 'ignored')),
    constraint callbacks_request_key unique (submission_id, request_id)
);
comment on column callbacks.outcome is 'asked: DOKU was asked how the business stands. settled: it settled a submission without an answer. ignored: it had nothing to say.';
create index callbacks_waiting on callbacks (merchant_id, id) where worked_at is null;
create index callbacks_merchant on callbacks (merchant_id, id);

-- Originals that may go.
create index documents_read_back on documents (read_back_at) where read_back_at is not null and purged_at is null and blob_ref <> '';
create index documents_attached on documents (delivered_at) where purged_at is null and blob_ref <> '' and state = 'delivered';

alter table transitions drop constraint transitions_subject_kind_check;
alter table transitions add constraint transitions_subject_kind_check check (subject_kind in ('merchant', 'document', 'review', 'submission', 'business')) not valid; -- it only became wider
