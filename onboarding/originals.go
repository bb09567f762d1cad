package onboarding

import (
	"context"
	"errors"
	"slices"
	"time"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

const checkWait = time.Minute // until a document delivered by address is fetched again

// CheckOriginal fetches, once, the bytes of a document that was delivered by address, checks them like any other and
// keeps them as its original. What does not pass is said on the document, which stays at DOKU. Later when DOKU's storage
// does not answer as it should.
func (s *Service) CheckOriginal(ctx context.Context, id models.DocumentID) error {
	d, err := s.Store.Document(ctx, id)
	if err != nil || d.State != models.Delivered || d.BlobRef != "" || d.PurgedAt != nil || d.WithdrawnAt != nil {
		return err
	}
	if !LinkFresh(d, s.Now()) {
		if d, err = s.refreshLink(ctx, d); fault.Code(err) == "link_unavailable" {
			return s.keepChecked(ctx, d, err)
		}
		if err != nil {
			return err
		}
	}
	body, err := s.followLink(ctx, d)
	if e, ok := errors.AsType[*doku.LinkError](err); ok && !e.Expired() {
		return Later{After: checkWait}
	}
	if err != nil {
		return s.keepChecked(ctx, d, fault.Wrap(err, fault.Unavailable, "link_unavailable"))
	}
	defer body.Close()
	row, err := s.slotOf(ctx, d)
	if err != nil {
		return err
	}
	err = s.acceptBody(ctx, &d, row, body)
	switch {
	case fault.Code(err) == "upload_failed": // the body broke off
		return Later{After: checkWait}
	case err == nil, fault.Is(err, fault.Invalid):
		return s.keepChecked(ctx, d, err)
	}
	return err
}

// slotOf is the slot of a document as if it were empty: no file is a duplicate of itself.
func (s *Service) slotOf(ctx context.Context, d models.Document) (models.ChecklistRow, error) {
	rows, err := s.Store.ChecklistRows(ctx, d.MerchantID)
	if err != nil {
		return models.ChecklistRow{}, err
	}
	i := slices.IndexFunc(rows, func(r models.ChecklistRow) bool { return r.ID == d.SlotID })
	row := rows[i]
	row.Documents = nil
	return row, nil
}

// keepChecked stores what came of the check.
func (s *Service) keepChecked(ctx context.Context, d models.Document, refused error) error {
	if refused != nil {
		d.Problem, d.BlobRef, d.DataKey, d.SHA256, d.Thumbnail = fault.Code(refused), "", nil, nil, nil
	}
	err := s.Store.Write(ctx, models.System, func(tx *models.Tx) error { return tx.KeepOriginal(d) })
	if fault.Is(err, fault.Conflict) { // checked by another process meanwhile
		s.forgetBlob(ctx, &d)
		return nil
	}
	return err
}
