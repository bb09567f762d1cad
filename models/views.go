package models

import (
	"context"
	"time"

	"berkas/internal/fault"
)

// ViewLimit is how many views a person may save.
const ViewLimit = 50

// ViewID is a saved view's.
type ViewID int64

// Ref is what an audit row about a view names.
func (id ViewID) Ref() Ref { return Ref{Kind: "view", ID: int64(id)} }

// View is a person's name for filters and an order of the list of merchants. Query is what the list's address says.
type View struct {
	ID        ViewID
	PersonID  PersonID
	Owner     string `gorm:"->;-:migration"`
	Name      string
	Query     string
	Shared    bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

const viewsSQL = `select v.*, p.name as owner from views v join people p on p.id = v.person_id where `

// Views are those a person saved and those that others share, by name.
func (r Reader) Views(ctx context.Context, person PersonID) ([]View, error) {
	return scan[View](ctx, r, viewsSQL+`v.person_id = ? or v.shared order by v.person_id <> ?, lower(v.name), v.id limit 500`, person, person)
}

// View is one that a person may open. fault.NotFound when there is none.
func (r Reader) View(ctx context.Context, id ViewID, person PersonID) (View, error) {
	rows, err := scan[View](ctx, r, viewsSQL+`v.id = ? and (v.person_id = ? or v.shared)`, id, person)
	if err == nil && len(rows) == 0 {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return View{}, err
	}
	return rows[0], nil
}

// AddView saves a view of the acting person. fault.Conflict view_name_taken, view_limit.
func (tx *Tx) AddView(v *View) error {
	v.PersonID, v.CreatedAt, v.UpdatedAt = tx.Actor.Person, tx.Now, tx.Now
	var there int64
	if err := tx.g.Raw(`select count(*) from (select 1 from people where id = ? for update) one, views where person_id = ?`, v.PersonID, v.PersonID).Scan(&there).Error; err != nil {
		return translate(err)
	}
	if there >= ViewLimit {
		return fault.New(fault.Conflict, "view_limit", "max", ViewLimit)
	}
	if err := create(tx, v); err != nil {
		return err
	}
	tx.Audit(ViewSaved, v.ID.Ref(), "shared", v.Shared)
	return nil
}

// ChangeView gives a view of the acting person another name, or shares it. fault.Conflict view_name_taken, and when it is gone.
func (tx *Tx) ChangeView(id ViewID, name string, shared bool) error {
	tx.Audit(ViewChanged, id.Ref(), "shared", shared)
	return swapped(tx.g.Exec(`update views set name = ?, shared = ?, updated_at = ? where id = ? and person_id = ?`, name, shared, tx.Now, id, tx.Actor.Person))
}

// DeleteView forgets a view of the acting person. fault.Conflict when it is gone.
func (tx *Tx) DeleteView(id ViewID) error {
	tx.Audit(ViewDeleted, id.Ref())
	return swapped(tx.g.Exec(`delete from views where id = ? and person_id = ?`, id, tx.Actor.Person))
}
