package models

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ReviewFilter is the question the reviewers' queue answers. Empty fields do not filter.
type ReviewFilter struct {
	BusinessType string
	BusinessLine string
	Category     string
	Code         string
	Before       time.Time // at DOKU since before this time
	Mine         PersonID  // asked of this person, or open at theirs
	Snoozed      bool      // only those that are, instead of only those that are not
	Overdue      time.Time // due before this day
}

// ReviewRow is one document of the queue.
type ReviewRow struct {
	ID            DocumentID
	MerchantID    MerchantID
	Merchant      string
	BusinessType  string
	BusinessLine  string
	Category      string
	Code          string
	Version       int
	HasThumbnail  bool
	ReviewDueOn   *time.Time
	QueuedAt      time.Time
	UploadedBy    PersonID
	Uploader      string
	LeasedBy      PersonID // 0: nobody has it open
	Leaser        string
	LeasedUntil   *time.Time
	AssignedTo    PersonID
	Assigned      string
	FirstApproved string // whose approval waits for a second one
	SnoozedUntil  *time.Time
}

// ReviewCursor is the last row of a page: the queue goes on behind it.
type ReviewCursor struct {
	DueOn    *time.Time
	QueuedAt time.Time
	ID       DocumentID
}

// Cursor goes on behind this row.
func (r ReviewRow) Cursor() ReviewCursor {
	return ReviewCursor{DueOn: r.ReviewDueOn, QueuedAt: r.QueuedAt, ID: r.ID}
}

// The queue's order: what is due first, of that what waits longest. Its indexes stand on just these expressions.
const (
	reviewDueSQL   = `coalesce(d.review_due_on, 'infinity'::date)`
	reviewOrderSQL = reviewDueSQL + `, d.queued_at, d.id`
)

// ReviewQueue is a page of the queue, limit rows behind the cursor (nil: from the start).
func (r Reader) ReviewQueue(ctx context.Context, f ReviewFilter, now time.Time, after *ReviewCursor, limit int) ([]ReviewRow, error) {
	sql, args := f.page(now, after, limit)
	return scan[ReviewRow](ctx, r, sql, args...)
}

// page is the statement of a page. The limit stands in it, so that it is planned for a page and not for a tenth of all.
func (f ReviewFilter) page(now time.Time, after *ReviewCursor, limit int) (string, []any) {
	where, args := f.behind(now, after)
	return `select d.*, (select name from merchants m where m.id = d.merchant_id) as merchant, coalesce((select name from people p where p.id = d.uploaded_by), '') as uploader,
			coalesce((select name from people p where p.id = d.leased_by), '') as leaser, coalesce((select name from people p where p.id = d.assigned_to), '') as assigned,
			coalesce((select name from people p where p.id = d.first_approved_by), '') as first_approved
		from (select d.id, d.merchant_id, d.business_type, d.business_line, d.category, d.code, d.version, d.thumbnail is not null as has_thumbnail, d.review_due_on, d.queued_at,
				d.uploaded_by, case when d.leased_until > ? then d.leased_by end as leased_by, d.leased_until, d.assigned_to, d.first_approved_by, d.snoozed_until
			from documents d where ` + where + ` order by ` + reviewOrderSQL + ` limit ` + strconv.Itoa(limit) + `) d order by ` + reviewOrderSQL, append([]any{now}, args...)
}

// behind is where, behind a place in the queue.
func (f ReviewFilter) behind(now time.Time, place *ReviewCursor) (string, []any) {
	where, args := f.where(now)
	if place != nil {
		where += " and (" + reviewOrderSQL + ") > (?::date, ?, ?)"
		args = append(args, dayOr(place.DueOn, "infinity"), place.QueuedAt, place.ID)
	}
	return where, args
}

func (f ReviewFilter) where(now time.Time) (string, []any) {
	where, args := []string{"d.queued_at is not null"}, []any{}
	add := func(sql string, a ...any) { where, args = append(where, sql), append(args, a...) }
	if f.Snoozed {
		add("d.snoozed_until > ?", now)
	} else {
		add("(d.snoozed_until is null or d.snoozed_until <= ?)", now)
	}
	if f.BusinessType != "" {
		add("d.business_type = ?", f.BusinessType)
	}
	if f.BusinessLine != "" {
		add("d.business_line = ?", f.BusinessLine)
	}
	if f.Category != "" {
		add("d.category = ? and d.code = ?", f.Category, f.Code)
	}
	if !f.Before.IsZero() {
		add("d.queued_at < ?", f.Before)
	}
	if !f.Overdue.IsZero() {
		add(reviewDueSQL+" < ?::date", f.Overdue.Format(time.DateOnly))
	}
	if f.Mine != 0 {
		add("(d.assigned_to = ? or d.leased_by = ? and d.leased_until > ?)", f.Mine, f.Mine, now)
	}
	return strings.Join(where, " and "), args
}

func dayOr(t *time.Time, otherwise string) string {
	if t == nil {
		return otherwise
	}
	return t.Format(time.DateOnly)
}

// CountsOfReview counts the documents of several filters in one statement, each no further than limit. The order has it walk
// an index as far as it must, where a table read from its beginning may hold much that is decided.
func (r Reader) CountsOfReview(ctx context.Context, filters []ReviewFilter, now time.Time, limit int) ([]int, error) {
	return counts(ctx, r, len(filters), func(i int) (string, []any) {
		where, args := filters[i].where(now)
		return `documents d where ` + where + ` order by ` + reviewOrderSQL + ` limit ` + strconv.Itoa(limit), args
	})
}

// KindsInReview are the kinds of documents that wait for a reviewer, for a filter: it leaps from one to the next in the
// index instead of reading all.
func (r Reader) KindsInReview(ctx context.Context) ([]Slot, error) {
	return scan[Slot](ctx, r, `with recursive kinds as (
			(select category, code from documents where queued_at is not null order by category, code limit 1)
			union all
			select n.category, n.code from kinds k cross join lateral (select d.category, d.code from documents d where d.queued_at is not null
				and (d.category, d.code) > (k.category, k.code) order by d.category, d.code limit 1) n)
		select category, code from kinds limit 100`)
}

// forMeSQL are the documents a reviewer may be given: nobody has them open, no colleague was asked, and they are neither
// the reviewer's own upload nor own first approval. Its parameters are the reviewer, the time, and the reviewer thrice.
const forMeSQL = `(d.leased_by is null or d.leased_by = ? or d.leased_until <= ?) and (d.assigned_to is null or d.assigned_to = ?)
	and d.uploaded_by is distinct from ? and d.first_approved_by is distinct from ?`

// LeaseNext leases the first document of the queue behind a place (nil: of all) that the reviewer may be given to them until
// then, skip excepted. 0 when there is none. Two reviewers who ask at the same instant get two different ones.
func (k Keep) LeaseNext(ctx context.Context, me PersonID, f ReviewFilter, behind *ReviewCursor, skip DocumentID, d time.Duration) (id DocumentID, err error) {
	now := k.s.now()
	where, args := f.behind(now, behind)
	forMe := []any{me, now, me, me, me}
	args = slices.Concat([]any{me, now.Add(d)}, forMe, args, forMe, []any{skip})
	// What somebody is just changing is passed over at first. When nothing else is left it is waited for: it may be
	// the reviewer's even then, as when one reviewer asks twice at once.
	for _, passing := range []string{" for update skip locked", ""} {
		sql := `update documents d set leased_by = ?, leased_until = ? where d.queued_at is not null and ` + forMeSQL + ` and d.id = (select d.id from documents d where ` + where +
			` and ` + forMeSQL + ` and d.id <> ? order by ` + reviewOrderSQL + ` limit 1` + passing + `) returning d.id`
		if id, err = one[DocumentID](ctx, k.s.Reader, sql, args...); err != nil || id != 0 {
			break
		}
	}
	return id, err
}

// LeaseDocument leases an undecided document to a reviewer until then, or for longer when it is theirs already. false when
// another has it, or it is not theirs to decide.
func (k Keep) LeaseDocument(ctx context.Context, id DocumentID, me PersonID, d time.Duration) (bool, error) {
	now := k.s.now()
	n, err := k.exec(ctx, `update documents d set leased_by = ?, leased_until = ? where d.id = ? and d.queued_at is not null and (d.leased_by is null or d.leased_by = ? or d.leased_until <= ?)
		and d.uploaded_by is distinct from ? and d.first_approved_by is distinct from ?`, me, now.Add(d), id, me, now, me, me)
	return n == 1, err
}

// ReleaseDocument gives a lease back: that of a look, unless the reviewer has opened the document again since, as on
// loading its page anew; with look 0 in any case.
func (k Keep) ReleaseDocument(ctx context.Context, id DocumentID, me PersonID, look LookID) error {
	_, err := k.exec(ctx, `update documents set leased_by = null, leased_until = null where id = ? and leased_by = ?
		and (? = 0 or not exists (select 1 from looks where document_id = ? and person_id = ? and looks.id > ?))`, id, me, look, id, me, look)
	return err
}

// Look is one time a person had a document on the screen.
type Look struct {
	ID         LookID
	DocumentID DocumentID
	PersonID   PersonID
	Who        string `gorm:"->;-:migration"`
	OpenedAt   time.Time
	SeenAt     time.Time // when the screen last said that it was open
	OpenMS     int64     `gorm:"column:open_ms"` // how long it was in sight
}

// Looks are who looked at a document, newest first.
func (r Reader) Looks(ctx context.Context, id DocumentID, limit int) ([]Look, error) {
	return scan[Look](ctx, r, `select k.*, p.name as who from looks k join people p on p.id = k.person_id where k.document_id = ? order by k.id desc limit ?`, id, limit)
}

// Looked adds how long a look has lasted by now: no longer than since it began.
func (k Keep) Looked(ctx context.Context, id LookID, document DocumentID, me PersonID, open time.Duration) error {
	now := k.s.now()
	_, err := k.exec(ctx, `update looks set seen_at = ?, open_ms = greatest(open_ms, least(?, (extract(epoch from ?::timestamptz - opened_at) * 1000)::bigint))
		where id = ? and document_id = ? and person_id = ?`, now, open.Milliseconds(), now, id, document, me)
	return err
}

// Look begins: the acting person has a document on the screen.
func (tx *Tx) Look(d Document) (LookID, error) {
	var id LookID
	err := tx.g.Raw(`insert into looks (document_id, person_id, opened_at, seen_at) values (?, ?, ?, ?) returning id`, d.ID, tx.Actor.Person, tx.Now, tx.Now).Scan(&id).Error
	tx.Viewed(d, DocumentViewed)
	return id, translate(err)
}
