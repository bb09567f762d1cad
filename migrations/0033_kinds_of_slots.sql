-- Which kinds of documents a merchant has in which state, a bit each, so that lists by a document's state are read from an
-- index of merchants: each order's index will hold them.
alter table merchants
    add column slots_missing bigint not null default 0,
    add column slots_approved bigint not null default 0,
    add column slots_refused bigint not null default 0,
    add column slots_other bigint not null default 0;
comment on column merchants.slots_other is 'Waiting, delivered or failed.';

drop index merchants_recent, merchants_action, merchants_named, merchants_due, merchants_kind, merchants_responsible, merchants_archived, merchants_open, merchants_next, merchants_open_recent, merchants_open_named, merchants_open_due;

create function kind_bit(category text, code text) returns bigint language sql immutable as $$
    select 1::bigint << (('x' || substr(md5(category || '|' || code), 1, 8))::bit(32)::bigint % 63)::integer
$$;
alter table merchants disable trigger user;
update merchants m set slots_missing = k.missing, slots_approved = k.approved, slots_refused = k.refused, slots_other = k.other
from (select s.merchant_id,
        coalesce(bit_or(b.bits) filter (where s.state = 'missing'), 0) as missing, coalesce(bit_or(b.bits) filter (where s.state = 'approved'), 0) as approved,
        coalesce(bit_or(b.bits) filter (where s.state = 'refused'), 0) as refused, coalesce(bit_or(b.bits) filter (where s.state in ('waiting', 'delivered', 'failed')), 0) as other
    from slots s join (select category, code, kind_bit(category, code) | kind_bit(category, '') as bits from slots group by 1, 2) b on b.category = s.category and b.code = s.code
    where s.state <> '' group by s.merchant_id) k
where k.merchant_id = m.id;
alter table merchants enable trigger user;
drop function kind_bit(text, text);
