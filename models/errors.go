package models

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
	"gorm.io/gorm"

	"berkas/internal/fault"
)

// Which fault a violated constraint means, by its name. What is not here is a defect of ours.
var constraints = map[string]struct{ code string }{
	"people_email_key":         {"email_taken"},
	"views_name_key":           {"view_name_taken"},
	"slots_place_key":          {"conflict"},
	"documents_version_key":    {"conflict"},
	"merchants_brand_key":      {"brand_taken"},
	"attachments_place_key":    {"conflict"},
	"submissions_request_key":  {"conflict"},
	"submissions_standing_key": {"registration_underway"},
	"bundles_underway_key":     {"evidence_underway"},
	"callbacks_request_key":    {"callback_known"},
}

// translate turns what the driver says into a fault; a fault stays what it is.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if errors.Is(err, gorm.ErrRecordNotFound) || errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows) {
		return fault.Wrap(err, fault.NotFound, "not_found")
	}
	_, connect := errors.AsType[*pgconn.ConnectError](err) // whatever the server says to one who knocks
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && !connect {
		return translateServer(pg)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	_, network := errors.AsType[net.Error](err)
	broken := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, driver.ErrBadConn)
	if connect || network || broken || errors.Is(err, puddle.ErrClosedPool) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrConnDone) || pgconn.SafeToRetry(err) {
		return fault.Wrap(err, fault.Unavailable, "database_unavailable")
	}
	return err
}

func translateServer(pg *pgconn.PgError) error {
	if c, ok := constraints[pg.ConstraintName]; ok {
		return fault.Wrap(pg, fault.Conflict, c.code)
	}
	switch pg.Code {
	case "23503", // a reference to a row that is not there: a choice the form does not offer
		"22021", "22P05": // a text no column can hold, such as one with a zero byte
		return fault.Wrap(pg, fault.Invalid, "unknown_choice")
	}
	switch pg.Code[:2] {
	case "08", "57", "53": // connection, shutdown or cancelled, out of room or connections
		return fault.Wrap(pg, fault.Unavailable, "database_unavailable")
	case "40", "55": // serialization, lock not to be had
		return fault.Wrap(pg, fault.Conflict, "conflict")
	}
	return pg
}
