-- What DOKU refused or could not be sent and still counts: the page about DOKU's health asks every few seconds, and most of
-- it was replaced by another version long ago.
drop index documents_stuck;
create index documents_stuck on documents (state, id) include (merchant_id) where state in ('refused', 'failed') and withdrawn_at is null;
create index slots_stuck on slots (document_id) where state in ('refused', 'failed');
create index documents_sending on documents (uploaded_at) where state = 'sending' and withdrawn_at is null;
