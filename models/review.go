package models

import (
	"context"
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
	forMe        PersonID  // may be given to this reviewer
	but          DocumentID
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
	// oldestSQL is true of all the queue. It opens the index of what waits longest to those who read in its order: to others it
	// looks as good as the queue's own where the planner takes nothing to be as old as it is asked for.
	oldestSQL = `d.queued_at > '-infinity'`
)

// ReviewQueue is a page of the queue, limit rows behind the cursor (nil: from the start). The limit stands in the statement,
// so that it is planned for a page and not for a tenth of all.
func (r Reader) ReviewQueue(ctx context.Context, f ReviewFilter, now time.Time, after *ReviewCursor, limit int) ([]ReviewRow, error) {
	first, args := f.first(now, after, limit)
	return scan[ReviewRow](ctx, r, `select d.id, d.merchant_id, d.business_type, d.business_line, d.category, d.code, d.version, d.thumbnail is not null as has_thumbnail, d.review_due_on, d.queued_at,
			d.uploaded_by, case when d.leased_until > ? then d.leased_by end as leased_by, d.leased_until, d.assigned_to, d.snoozed_until,
			(select name from merchants m where m.id = d.merchant_id) as merchant, coalesce((select name from people p where p.id = d.uploaded_by), '') as uploader,
			coalesce((select name from people p where p.id = d.leased_by and d.leased_until > ?), '') as leaser, coalesce((select name from people p where p.id = d.assigned_to), '') as assigned,
			coalesce((select name from people p where p.id = d.first_approved_by), '') as first_approved
		from documents d where `+first+` order by `+reviewOrderSQL+` limit `+strconv.Itoa(limit), append([]any{now, now}, args...)...)
}

// first are conditions on the first documents behind a place, of which no more than limit are read in the queue's order.
// What one index does not tell apart is looked for in indexes alone, before any document is read.
func (f ReviewFilter) first(now time.Time, place *ReviewCursor, limit int) (string, []any) {
	if !f.aged() && !f.mixed() {
		return f.behind(now, place)
	}
	ids, args := f.ids(now, place, limit)
	still, a := ReviewFilter{forMe: f.forMe, but: f.but, Snoozed: f.Snoozed}.where(now) // one that is waited for may have been given away meanwhile
	return "d.id = any(array(" + ids + ")) and " + still, append(args, a...)
}

// ids finds the first documents behind a place, in the queue's order.
func (f ReviewFilter) ids(now time.Time, place *ReviewCursor, limit int) (string, []any) {
	if f.aged() {
		return f.idsByDay(now, place, limit)
	}
	where, args := f.behind(now, place)
	return "select d.id from documents d where " + where + " order by " + reviewOrderSQL + " limit " + strconv.Itoa(limit), args
}

// idsByDay is ids for those of an age. It leaps from one due day of the queue to the next: those of a day that
// wait for long stand together, before those of the same day that do not.
func (f ReviewFilter) idsByDay(now time.Time, place *ReviewCursor, limit int) (string, []any) {
	start, args := `'-infinity'::date, '-infinity'::timestamptz, 0::bigint`, []any(nil)
	if place != nil {
		start, args = `?::date, ?::timestamptz, ?::bigint`, []any{dayOr(place.DueOn, "infinity"), place.QueuedAt, place.ID}
	}
	where, a := f.where(now)
	most := ` limit ` + strconv.Itoa(limit)
	return `with recursive days(due, since, id) as (
			select ` + start + `
			union all
			select (select min(` + reviewDueSQL + `) from documents d where d.queued_at is not null and ` + reviewDueSQL + ` > y.due), '-infinity', 0 from days y where y.due is not null)
		select d.id from (select * from days order by due) y cross join lateral (select d.id, d.queued_at from documents d where ` + where + ` and ` + reviewDueSQL + ` = y.due
			and (d.queued_at, d.id) > (y.since, y.id) order by d.queued_at, d.id` + most + `) d order by y.due, d.queued_at, d.id` + most, append(args, a...)
}

// aged reports whether it is the age that leaves few: a person's own and what is put off are few by themselves.
func (f ReviewFilter) aged() bool { return !f.Before.IsZero() && f.Mine == 0 && !f.Snoozed }

// mixed reports whether what is asked for stands in several indexes.
func (f ReviewFilter) mixed() bool {
	return f.BusinessType != "" && f.BusinessLine+f.Category != "" || f.BusinessLine != "" && f.Category != ""
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
		add("d.id = any(array(select id from documents where queued_at is not null and (assigned_to = ? or leased_by = ? and leased_until > ?)))", f.Mine, f.Mine, now)
	}
	if f.forMe != 0 {
		add(forMeSQL+" and d.id <> ?", f.forMe, now, f.forMe, f.forMe, f.forMe, f.but)
	}
	return strings.Join(where, " and "), args
}

func dayOr(t *time.Time, otherwise string) string {
	if t == nil {
		return otherwise
	}
	return t.Format(time.DateOnly)
}

// CountsOfReview counts the documents of several filters in one statement, each no further than limit.
func (r Reader) CountsOfReview(ctx context.Context, filters []ReviewFilter, now time.Time, limit int) ([]int, error) {
	return counts(ctx, r, scan[counted], len(filters), func(i int) (string, []any) {
		sql, args := filters[i].counted(now, limit)
		return "(" + sql + ") d", args
	})
}

// counted finds what is to be counted. Its order has it walk an index as far as it must, where a table read from its
// beginning may hold much that is decided: that of the age, when nothing else is asked for.
func (f ReviewFilter) counted(now time.Time, limit int) (string, []any) {
	if f.Before.IsZero() || f != (ReviewFilter{Before: f.Before}) {
		return f.ids(now, nil, limit)
	}
	where, args := f.where(now)
	return "select d.id from documents d where " + where + " and " + oldestSQL + " order by d.queued_at, d.id limit " + strconv.Itoa(limit), args
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

// leaseable is how many documents a reviewer is offered to lease the first that nobody takes at the same instant.
const leaseable = 50

// LeaseNext leases the first document of the queue behind a place (nil: of all) that the reviewer may be given to them until
// then, skip excepted. 0 when there is none. Two reviewers who ask at the same instant get two different ones.
func (k Keep) LeaseNext(ctx context.Context, me PersonID, f ReviewFilter, behind *ReviewCursor, skip DocumentID, d time.Duration) (id DocumentID, err error) {
	now := k.s.now()
	f.forMe, f.but = me, skip
	first, args := f.first(now, behind, leaseable)
	args = append([]any{me, now.Add(d), me, now, me, me, me}, args...)
	// What somebody is just changing is passed over at first. When nothing else is left it is waited for: it may be
	// the reviewer's even then, as when one reviewer asks twice at once.
	for _, passing := range []string{" for update skip locked", ""} {
		sql := `update documents d set leased_by = ?, leased_until = ? where d.queued_at is not null and ` + forMeSQL + ` and d.id = (select d.id from documents d where ` + first +
			` order by ` + reviewOrderSQL + ` limit 1` + passing + `) returning d.id`
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
