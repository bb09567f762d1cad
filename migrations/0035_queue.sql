-- What filters the reviewers' queue stands in its indexes: whatever is asked of it is found, ordered and counted without the
-- documents themselves. Those are read for the rows of a page alone.
drop index documents_queue;
create index documents_queue on documents ((coalesce(review_due_on, 'infinity'::date)), queued_at, id)
    include (review_due_on, snoozed_until, business_type, business_line, category, code) where queued_at is not null;
drop index documents_queue_kind;
create index documents_queue_kind on documents (category, code, (coalesce(review_due_on, 'infinity'::date)), queued_at, id)
    include (review_due_on, snoozed_until, business_type, business_line) where queued_at is not null;
drop index documents_queue_line;
create index documents_queue_line on documents (business_line, (coalesce(review_due_on, 'infinity'::date)), queued_at, id)
    include (review_due_on, snoozed_until, business_type, category, code) where queued_at is not null;
drop index documents_queue_type;
create index documents_queue_type on documents (business_type, (coalesce(review_due_on, 'infinity'::date)), queued_at, id)
    include (review_due_on, snoozed_until, business_line, category, code) where queued_at is not null;
drop index documents_queue_age;
create index documents_queue_age on documents (queued_at, id) include (snoozed_until) where queued_at > '-infinity';
drop index documents_snoozed;
create index documents_snoozed on documents ((coalesce(review_due_on, 'infinity'::date)), queued_at, id)
    include (review_due_on, snoozed_until, business_type, business_line, category, code) where snoozed_until is not null and queued_at is not null;
-- An index alone answers where vacuum has seen that all may see a row.
alter table documents set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
