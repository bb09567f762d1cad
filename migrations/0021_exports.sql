-- How far the exports are that people look at; forgotten after a day.
create table exports (
    id        bigint generated always as identity primary key,
    person_id bigint not null references people (id),
    format    text not null check (format in ('csv', 'xlsx')),
    rows      integer not null default 0,
    total     integer not null default 0,
    begun_at  timestamptz not null,
    seen_at   timestamptz not null,
    ended_at  timestamptz,
    problem   text not null default ''
);
comment on column exports.total is 'Rows there are to write; 0 before they are counted.';
comment on column exports.seen_at is 'When whoever writes it was heard of last.';
create index exports_person on exports (person_id, id);
create index exports_seen on exports (seen_at);
