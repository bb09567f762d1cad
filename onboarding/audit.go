package onboarding

import (
	"context"
	"iter"

	"berkas/models"
)

const exportBatch = 1000

// ExportAudit records that a part of the audit trail is taken away, and is then that part, newest first, however long. It
// is read some rows at a time: a slow reader holds neither memory nor a connection to the database.
func (s *Service) ExportAudit(ctx context.Context, actor models.Actor, f models.AuditFilter) (iter.Seq2[models.AuditRow, error], error) {
	err := s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.ExportedAudit(f)
		return nil
	})
	return func(yield func(models.AuditRow, error) bool) {
		var after *models.AuditCursor
		for {
			rows, err := s.Store.AuditTrail(ctx, f, after, exportBatch)
			if err != nil {
				yield(models.AuditRow{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = row.Cursor()
			}
			if len(rows) < exportBatch {
				return
			}
		}
	}, err
}
