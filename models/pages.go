package models

import (
	"context"
	"time"

	"berkas/internal/fault"
)

// MerchantPage is what a merchant's page says beside its checklist and what happened: one statement for all of it.
type MerchantPage struct {
	Dossier
	Responsible string
	Creator     string
	Combination Combination // without its four parameters, which are the merchant's
	Assumed     bool        // the merchant's requirement set rests on an assumption
	Comments    []Comment   // the newest ones, newest first

	Before, After []Requirement // what DOKU asked for before its last change and since, where that is young enough
}

const merchantPageSQL = `select m.*, coalesce(r.name, '') as responsible, coalesce(w.name, '') as creator, coalesce(s.assumed, false) as assumed,
	c.state as combination_state, c.set_id as combination_set_id, c.problem as combination_problem, c.doku_says as combination_says, c.read_at as combination_read_at,
	coalesce((select json_agg(json_build_object('ID', o.id, 'MerchantID', o.merchant_id, 'Ordinal', o.ordinal, 'Name', o.name, 'Position', o.position,
		'Nationality', o.nationality, 'IsPrimary', o.is_primary, 'Private', encode(o.private, 'base64')) order by o.ordinal) from contacts o where o.merchant_id = m.id), '[]') as contacts,
	coalesce((select json_agg(json_build_object('ID', b.id, 'MerchantID', b.merchant_id, 'Ordinal', b.ordinal, 'Name', b.name, 'Description', b.description,
		'Category', b.category, 'TransactionFrequency', b.transaction_frequency, 'TransactionQuantity', b.transaction_quantity, 'SocialMedia', b.social_media)
		order by b.ordinal) from brands b where b.merchant_id = m.id), '[]') as brands,
	coalesce((select json_agg(json_build_object('ID', c.id, 'UID', c.uid, 'MerchantID', c.merchant_id, 'Body', encode(c.body, 'base64'), 'WrittenBy', c.written_by,
		'Writer', (select name from people where people.id = c.written_by), 'WrittenAt', c.written_at) order by c.id desc)
		from (select * from comments where merchant_id = m.id order by id desc limit ` + commentsShown + `) c), '[]') as comments,
	coalesce((select json_agg(json_build_object('SetID', q.set_id, 'OwnerPath', q.owner_path, 'Category', q.category, 'Code', q.code, 'Name', q.name,
		'Extensions', q.extensions, 'MaxSize', q.max_size, 'Form', q.form) order by q.position) from requirements q
		where m.previous_set_id is not null and m.set_changed_at > ? and q.set_id in (m.previous_set_id, m.set_id)), '[]') as requirements
	from merchants m join combinations c on c.id = m.combination_id left join requirement_sets s on s.id = m.set_id
	left join people r on r.id = m.responsible_id left join people w on w.id = m.created_by where m.id = ?`

// MerchantPage by the merchant's id, with what DOKU changed after a time. fault.NotFound when there is none.
func (r Reader) MerchantPage(ctx context.Context, id MerchantID, changedAfter time.Time) (p MerchantPage, err error) {
	type row struct {
		Merchant
		Responsible        string
		Creator            string
		Assumed            bool
		CombinationState   CombinationState
		CombinationSetID   *RequirementSetID
		CombinationReadAt  *time.Time
		CombinationSays    string
		CombinationProblem string
		Contacts           []Contact     `gorm:"serializer:json"`
		Brands             []Brand       `gorm:"serializer:json"`
		Comments           []Comment     `gorm:"serializer:json"`
		Requirements       []Requirement `gorm:"serializer:json"`
	}
	rows, err := scan[row](ctx, r, merchantPageSQL, changedAfter, id)
	if err == nil && len(rows) == 0 {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return p, err
	}
	m := rows[0]
	p.Dossier = Dossier{Merchant: m.Merchant, Contacts: m.Contacts, Brands: m.Brands}
	p.Responsible, p.Creator, p.Assumed, p.Comments = m.Responsible, m.Creator, m.Assumed, m.Comments
	p.Combination = Combination{ID: m.CombinationID, State: m.CombinationState, SetID: m.CombinationSetID, Problem: m.CombinationProblem, DOKUSays: m.CombinationSays, ReadAt: m.CombinationReadAt}
	for _, q := range m.Requirements {
		if m.SetID != nil && q.SetID == *m.SetID {
			p.After = append(p.After, q)
		} else {
			p.Before = append(p.Before, q)
		}
	}
	return p, nil
}
