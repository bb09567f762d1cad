package models

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Keep is the housekeeping: the closed list of statements that change a row without an actor and an audit row, because
// they change nothing anyone decided. A test enumerates its methods.
type Keep struct{ s *Store }

// Keep is the store's housekeeping.
func (s *Store) Keep() Keep { return Keep{s} }

func (k Keep) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	r := k.s.db.WithContext(ctx).Exec(sql, args...)
	return r.RowsAffected, translate(r.Error)
}

// TouchSession notes that a session was used.
func (k Keep) TouchSession(ctx context.Context, id SessionID) error {
	_, err := k.exec(ctx, `update sessions set seen_at = ? where id = ?`, k.s.now(), id)
	return err
}

// SweepSessions forgets sessions that are over and throttles that cooled down.
func (k Keep) SweepSessions(ctx context.Context, idle, throttle time.Duration) error {
	now := k.s.now()
	if _, err := k.exec(ctx, `delete from sessions where expires_at < ? or seen_at < ?`, now, now.Add(-idle)); err != nil {
		return err
	}
	_, err := k.exec(ctx, `delete from sign_in_throttle where since < ?`, now.Add(-throttle))
	return err
}

// CountAttempt counts a subject's attempt to sign in, which is taken back when it turns out well, and returns how many
// there are within the window and when it began.
func (k Keep) CountAttempt(ctx context.Context, subject []byte, window time.Duration) (n int, since time.Time, err error) {
	now := k.s.now()
	row, err := one[struct { // GORM takes bytes that come first in parentheses for a list
		Failures int
		Since    time.Time
	}](ctx, k.s.Reader, `insert into sign_in_throttle (failures, subject_hash, since) values (1, ?, ?)
		on conflict (subject_hash) do update set
			failures = case when sign_in_throttle.since < ? then 1 else sign_in_throttle.failures + 1 end,
			since = case when sign_in_throttle.since < ? then excluded.since else sign_in_throttle.since end
		returning failures, since`, subject, now, now.Add(-window), now.Add(-window))
	return row.Failures, row.Since, err
}

// ForgiveAttempt takes one counted attempt of a subject back.
func (k Keep) ForgiveAttempt(ctx context.Context, subject []byte) error {
	_, err := k.exec(ctx, `update sign_in_throttle set failures = greatest(failures - 1, 0) where subject_hash = ?`, subject)
	return err
}

// ForgetAttempts clears a subject's attempts after it succeeded.
func (k Keep) ForgetAttempts(ctx context.Context, subject []byte) error {
	_, err := k.exec(ctx, `delete from sign_in_throttle where subject_hash = ?`, subject)
	return err
}

// TakeLease makes holder the only one to do the named work until then; false when another holds it.
func (k Keep) TakeLease(ctx context.Context, name, holder string, d time.Duration) (bool, error) {
	now := k.s.now()
	n, err := k.exec(ctx, `insert into leases (name, holder, until) values (?, ?, ?)
		on conflict (name) do update set holder = excluded.holder, until = excluded.until where leases.until < ? or leases.holder = excluded.holder`,
		name, holder, now.Add(d), now)
	return n == 1, err
}

// DropLease gives a lease back.
func (k Keep) DropLease(ctx context.Context, name, holder string) error {
	_, err := k.exec(ctx, `delete from leases where name = ? and holder = ?`, name, holder)
	return err
}

// ClaimDelivery makes holder the one that sends a document until the lease ends. false when it is not to be sent, not
// now, or another sends it.
func (k Keep) ClaimDelivery(ctx context.Context, id DocumentID, holder string, d time.Duration) (bool, error) {
	now := k.s.now()
	n, err := k.exec(ctx, `update documents set state = 'sending', claimed_by = ?, claimed_until = ?
		where id = ? and withdrawn_at is null and (state = 'waiting' and next_attempt_at <= ? or state = 'sending' and claimed_until < ?)`, holder, now.Add(d), id, now.Add(time.Second), now)
	return n == 1, err
}

// RenewClaim keeps a delivery ours while it takes its time; false when it was lost.
func (k Keep) RenewClaim(ctx context.Context, id DocumentID, holder string, d time.Duration) (bool, error) {
	n, err := k.exec(ctx, `update documents set claimed_until = ? where id = ? and state = 'sending' and claimed_by = ?`, k.s.now().Add(d), id, holder)
	return n == 1, err
}

// Postpone gives a claimed delivery back for later. unclear counts an answer nobody understands.
func (k Keep) Postpone(ctx context.Context, d Document, problem string, unclear bool, next time.Time) error {
	add := 0
	if unclear {
		add = 1
	}
	_, err := k.exec(ctx, `update documents set state = 'waiting', claimed_by = '', claimed_until = null, attempts = attempts + 1, unclear = unclear + ?, problem = ?, next_attempt_at = ?
		where id = ? and state = 'sending' and claimed_by = ?`, add, problem, next, d.ID, d.ClaimedBy)
	k.s.notify(ctx, map[MerchantID]bool{d.MerchantID: true})
	return err
}

// waitsForDOKU is a document whose turn is to come because DOKU was not to be had when it had one.
const waitsForDOKU = `state = 'waiting' and withdrawn_at is null and next_attempt_at > ? and problem in ('unreachable', 'credential')`

// WakeDeliveries lets up to limit documents that wait because DOKU was not to be had go at the next sweep: their turn is
// long past. Those that wait because DOKU asked them to (problem limited) go on waiting.
func (k Keep) WakeDeliveries(ctx context.Context, limit int) (int64, error) {
	now := k.s.now()
	return k.exec(ctx, `update documents set next_attempt_at = ? where id in (select id from documents where `+waitsForDOKU+` order by next_attempt_at limit ?)`, now.Add(-time.Minute), now, limit)
}

// Requeue hands documents to the queue again, in one transaction with the time of their next turn.
func (k Keep) Requeue(ctx context.Context, ids []DocumentID, next time.Time, enqueue func(*Tx) error) error {
	return k.s.inTx(ctx, func(g *gormDB, ptx pgx.Tx) error {
		if err := g.Exec(`update documents set next_attempt_at = ? where id in ?`, next, ids).Error; err != nil {
			return translate(err)
		}
		return enqueue(k.s.tx(ctx, g, ptx, System))
	})
}

// SweepDeliveries hands the queue up to limit documents whose turn came more than missed ago and which nobody sends: what
// a crash, a lost job or an outage left behind. It says how many.
func (k Keep) SweepDeliveries(ctx context.Context, missed time.Duration, limit int, enqueue func(*Tx, DocumentID) error) (n int, err error) {
	now := k.s.now()
	err = k.s.inTx(ctx, func(g *gormDB, ptx pgx.Tx) error {
		var ids []DocumentID
		err := g.Raw(`update documents set next_attempt_at = ? where id in (select id from documents where state in ('waiting', 'sending') and withdrawn_at is null
			and next_attempt_at < ? and (claimed_until is null or claimed_until < ?) order by next_attempt_at limit ? for update skip locked) returning id`,
			now, now.Add(-missed), now, limit).Scan(&ids).Error
		if err != nil {
			return err
		}
		tx := k.s.tx(ctx, g, ptx, System)
		for _, id := range ids {
			if err := enqueue(tx, id); err != nil {
				return err
			}
		}
		n = len(ids)
		return nil
	})
	return n, translate(err)
}

// ReleaseClaims forgets the claims of all processes, and has what no attempt was made of go at once: its job may have died
// with them. Only for a database whose one process is this one.
func (k Keep) ReleaseClaims(ctx context.Context) error {
	_, err := k.exec(ctx, `update documents set state = 'waiting', claimed_by = '', claimed_until = null, next_attempt_at = ?
		where state in ('waiting', 'sending') and withdrawn_at is null and (state = 'sending' or attempts = 0)`, k.s.now().Add(-time.Minute))
	if err == nil {
		_, err = k.exec(ctx, `update submissions set claimed_by = '', claimed_until = null, next_attempt_at = least(next_attempt_at, ?) where claimed_by <> '' or next_attempt_at <= ?`, k.s.now().Add(-time.Minute), k.s.now())
	}
	if err == nil {
		_, err = k.exec(ctx, `update polls set claimed_by = '', claimed_until = null where claimed_by <> ''`)
	}
	return err
}

// AskedCombination notes that DOKU is being asked.
func (k Keep) AskedCombination(ctx context.Context, id CombinationID, problem string) error {
	_, err := k.exec(ctx, `update combinations set asked_at = ?, problem = ? where id = ?`, k.s.now(), problem, id)
	return err
}

// SaveLink caches a document's link as obtained now. link is sealed.
func (k Keep) SaveLink(ctx context.Context, id DocumentID, link []byte, until time.Time) error {
	_, err := k.exec(ctx, `update documents set link = ?, link_expires_at = ?, link_refreshed_at = ? where id = ?`, link, until, k.s.now(), id)
	return err
}

// FreshLink is one attached document's new link.
type FreshLink struct {
	Document   DocumentID
	AttachedID string
	Link       []byte // sealed
	Until      time.Time
}

// SaveLinks caches the fresh links of the documents of a submission's business, all or none, in one statement.
func (k Keep) SaveLinks(ctx context.Context, id SubmissionID, links []FreshLink) error {
	if len(links) == 0 {
		return nil
	}
	var values []string
	var args []any
	for _, l := range links {
		values = append(values, "(?::bigint, ?::text, ?::bytea, ?::timestamptz)")
		args = append(args, l.Document, l.AttachedID, l.Link, l.Until)
	}
	now := k.s.now()
	_, err := k.exec(ctx, `with fresh (document, attached, link, until) as (values `+strings.Join(values, ", ")+`),
		attached as (update attachments a set attached_id = f.attached, link_refreshed_at = ? from fresh f where a.document_id = f.document and a.submission_id = ?)
		update documents d set link = f.link, link_expires_at = f.until, link_refreshed_at = ? from fresh f where d.id = f.document`, append(args, now, id, now)...)
	return err
}

// ExpireLink has a document's link count as expired.
func (k Keep) ExpireLink(ctx context.Context, id DocumentID) error {
	_, err := k.exec(ctx, `update documents set link_expires_at = ? where id = ? and link_expires_at > ?`, k.s.now(), id, k.s.now())
	return err
}

// RejectLink is ExpireLink for the very link that DOKU's storage did not honour: a fresh one that took its place
// meanwhile stays.
func (k Keep) RejectLink(ctx context.Context, id DocumentID, link []byte) error {
	_, err := k.exec(ctx, `update documents set link_expires_at = ? where id = ? and link = ?`, k.s.now(), id, link)
	return err
}

// ReadBack notes that a document of a registered merchant was read once through a refreshed link.
func (k Keep) ReadBack(ctx context.Context, id DocumentID) error {
	_, err := k.exec(ctx, `update documents set read_back_at = ? where id = ? and read_back_at is null`, k.s.now(), id)
	return err
}

// DOKUAnswered notes that DOKU answered and how fast; true when it had been down. While documents wait for DOKU, only an
// upload that gets through ends an outage.
func (k Keep) DOKUAnswered(ctx context.Context, upload bool, latency time.Duration) (bool, error) {
	n, err := k.exec(ctx, `update doku_health set down_since = null, last_ok_at = ?, latency_ms = ?
		where down_since is not null and (? or not exists (select 1 from documents where `+waitsForDOKU+`))`, k.s.now(), latency.Milliseconds(), upload, k.s.now())
	if n > 0 || err != nil {
		return n > 0, err
	}
	// One row for all replicas: written at most every five seconds while all is well.
	_, err = k.exec(ctx, `update doku_health set last_ok_at = ?, latency_ms = ? where last_ok_at is null or last_ok_at < ?`, k.s.now(), latency.Milliseconds(), k.s.now().Add(-5*time.Second))
	return false, err
}

// DOKUFailed notes that DOKU did not answer a call as it should; status 0 is no answer at all.
func (k Keep) DOKUFailed(ctx context.Context, call string, status int) error {
	now := k.s.now()
	_, err := k.exec(ctx, `update doku_health set down_since = coalesce(down_since, ?), last_error_at = ?, last_error = ?`, now, now, fmt.Sprintf("%s %d", call, status))
	return err
}

// MakePartitions makes the audit trail's partitions of this month and the next.
func (k Keep) MakePartitions(ctx context.Context) error {
	now := k.s.now()
	_, err := k.exec(ctx, `select audit_partition(?::date), audit_partition((?::date + interval '1 month')::date)`, now, now)
	return err
}
