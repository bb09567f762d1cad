package onboarding

import (
	"context"
	"unicode/utf8"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/models"
)

const viewNameLimit = 60

// SaveView keeps a query of the list under a name, for the acting person or for all. fault.Invalid with the field that is
// wrong, fault.Conflict view_name_taken, view_limit.
func (s *Service) SaveView(ctx context.Context, actor models.Actor, name, query string, shared bool) (models.ViewID, error) {
	v := models.View{Name: oneLine(name), Query: query, Shared: shared}
	if err := viewAllowed(actor, v.Name, shared); err != nil {
		return 0, err
	}
	err := s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.AddView(&v) })
	return v.ID, err
}

// ChangeView gives a view another name, or shares it. Faults as SaveView; fault.Conflict when it is not the person's own.
func (s *Service) ChangeView(ctx context.Context, actor models.Actor, id models.ViewID, name string, shared bool) error {
	name = oneLine(name)
	if err := viewAllowed(actor, name, shared); err != nil {
		return err
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.ChangeView(id, name, shared) })
}

// DeleteView forgets a view of the acting person.
func (s *Service) DeleteView(ctx context.Context, actor models.Actor, id models.ViewID) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.DeleteView(id) })
}

func viewAllowed(actor models.Actor, name string, shared bool) error {
	switch {
	case name == "":
		return fault.New(fault.Invalid, "view_name_missing")
	case utf8.RuneCountInString(name) > viewNameLimit || LooksPersonal(name):
		return fault.New(fault.Invalid, "view_name_wrong", "max", viewNameLimit)
	case shared && !auth.Can(actor, auth.ShareViews):
		return fault.New(fault.Forbidden, "forbidden")
	}
	return nil
}
