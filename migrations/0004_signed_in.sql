-- When a person last signed in: the list of people shows it, and sessions are forgotten once they are over.
alter table people add column signed_in_at timestamptz;
update people p set signed_in_at = (select max(a.at) from audit a where a.action = 'session.started' and a.subject_kind = 'person' and a.subject_id = p.id);
