-- What portal seed took off an empty database while it fills it, to be put back step by step. While there is any, no portal
-- serves: the portfolio is not whole.
create table seeding (
    statement  text primary key,
    step       integer not null
);

-- Rows of slots and documents that name each other can come in any order within a transaction that asks for it.
alter table slots alter constraint slots_document_id_fkey deferrable;

-- Sealing takes the oldest rows that wait, however many do.
create index audit_pending_order on audit_pending (transaction, audit_id);
