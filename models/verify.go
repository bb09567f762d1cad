package models

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// What can be wrong with the audit trail.
const (
	FlawChanged  = "changed"  // a row does not say what was sealed
	FlawMissing  = "missing"  // a sealed or waiting row is gone
	FlawInserted = "inserted" // a row that never waited for a seal
	FlawMoved    = "moved"    // a row is not at its place, or one before it is gone
	FlawForged   = "forged"   // a row that the program did not write
	FlawSeal     = "seal"     // a seal is gone, changed, or was made with another key
	FlawCut      = "cut"      // the trail ends before the anchor
	FlawAnchor   = "anchor"   // the seal of the anchor is another one
)

// AuditFlaw is the first thing that does not hold.
type AuditFlaw struct {
	What string
	Row  int64 // the audit row's id, 0 when it is about a whole seal
	Seal int64 // 0: unsealed
	At   time.Time
}

// AuditReport is what a verification found.
type AuditReport struct {
	Rows     int // sealed rows in scope that hold
	Seals    int
	Flaw     *AuditFlaw
	Unsealed Unsealed
	Last     AuditSeal // the newest seal: its chain, kept elsewhere, proves later that nothing was cut off
}

// AuditScope says what to verify: everything, what was sealed since, or the rows of one merchant. Whatever the scope, the
// chain is walked from its beginning.
type AuditScope struct {
	Since    time.Time
	Merchant MerchantID
	Anchor   AuditSeal // a seal that is known from outside of the database, the zero seal when none is
}

// VerifyAudit holds the audit trail against its marks, its trees and its chain, and stops at the first flaw. It streams:
// its memory does not grow with the trail.
func (s *Store) VerifyAudit(ctx context.Context, scope AuditScope) (AuditReport, error) {
	var report AuditReport
	err := s.inTx(ctx, func(g *gormDB, tx pgx.Tx) error {
		if err := g.Exec(`set transaction isolation level repeatable read, read only`).Error; err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `set local statement_timeout = 0`); err != nil {
			return err
		}
		v := &verifier{ctx: ctx, tx: tx, key: s.auditKey, scope: scope, report: &report}
		return v.run()
	})
	return report, translate(err)
}

type verifier struct {
	ctx    context.Context
	tx     pgx.Tx
	key    []byte
	scope  AuditScope
	report *AuditReport
	before []byte // the chain before the seal at hand
	next   int64  // the id the next seal must have
	begun  bool   // a seal in scope was met: all that follow are in it
	marked bool   // a row with a mark was met: none without may follow
}

func (v *verifier) run() error {
	for _, step := range []func() error{v.begin, v.seals, v.end, v.strangers, v.tail} {
		if err := step(); err != nil || v.report.Flaw != nil {
			return err
		}
	}
	return nil
}

// begin finds out whether the trail begins with a row that carries a mark: then all must. Rows from before there were marks
// have none.
func (v *verifier) begin() error {
	err := v.tx.QueryRow(v.ctx, `select a.mac <> '' from audit_leaves l join audit a on a.id = l.audit_id and a.at = l.at where l.seal_id = 1 and l.position = 0`).Scan(&v.marked)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

func (v *verifier) flaw(what string, row, seal int64, at time.Time) {
	v.report.Flaw = &AuditFlaw{What: what, Row: row, Seal: seal, At: at}
}

// seals walks the chain, some seals at a time. Each is checked against the one before; the trees of those in scope are
// built again up to the first seal that is wrong, so that a row before it is found first.
func (v *verifier) seals() error {
	for {
		page, err := v.page()
		if err != nil || len(page) == 0 {
			return err
		}
		whole := v.chain(page)
		if err := v.trees(page[:whole]); err != nil || v.report.Flaw != nil {
			return err
		}
		if whole < len(page) {
			v.flaw(v.wrong(page[whole]), 0, v.next, page[whole].SealedAt)
			return nil
		}
	}
}

// pageRows is about how many leaves are read in one go.
const pageRows = 20_000

func (v *verifier) page() ([]AuditSeal, error) {
	rows, err := v.tx.Query(v.ctx, `select `+sealColumns+` from audit_seals where id > $1 order by id limit 1000`, v.next)
	if err != nil {
		return nil, err
	}
	page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AuditSeal])
	n := 0
	for i, seal := range page {
		if n += seal.Rows; n >= pageRows {
			return page[:i+1], err
		}
	}
	return page, err
}

// chain counts the seals of a page that follow rightly on the last one.
func (v *verifier) chain(page []AuditSeal) int {
	for i, seal := range page {
		v.next++
		if v.wrong(seal) != "" {
			return i
		}
		v.before, v.report.Last = seal.Chain, seal
		v.report.Seals++
	}
	return len(page)
}

func (v *verifier) wrong(seal AuditSeal) string {
	switch {
	case seal.ID != v.next || !hmac.Equal(seal.Chain, seal.link(v.key, v.before)):
		return FlawSeal
	case seal.ID == v.scope.Anchor.ID && !hmac.Equal(seal.Chain, v.scope.Anchor.Chain):
		return FlawAnchor
	}
	return ""
}

// trees builds the trees of those seals that are in scope.
func (v *verifier) trees(page []AuditSeal) error {
	for len(page) > 0 && !v.begun {
		if v.begun = !page[0].SealedAt.Before(v.scope.Since); !v.begun {
			page = page[1:]
		}
	}
	if len(page) == 0 {
		return nil
	}
	rows, err := v.leaves(page[0].ID, page[len(page)-1].ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	b := &bough{v: v, seals: page}
	for rows.Next() && v.report.Flaw == nil {
		if err := b.take(rows); err != nil {
			return err
		}
	}
	if rows.Err() == nil && v.report.Flaw == nil {
		b.finish(page[len(page)-1].ID + 1)
	}
	return rows.Err()
}

// leaves are those of some seals, each with its row where that is in scope. The rows are looked for between the times and
// ids that the leaves name: joined with the whole trail, each run of seals would read all of it.
func (v *verifier) leaves(from, to int64) (pgx.Rows, error) {
	const columns = `select l.seal_id, l.position, l.audit_id, l.at, l.merchant_id, l.row_hash, a.id is not null, coalesce(a.id, 0), coalesce(a.at, l.at), coalesce(a.transaction::text, ''),
		coalesce(a.actor_kind, ''), a.actor_id, coalesce(a.actor_role, ''), coalesce(a.action, ''), coalesce(a.subject_kind, ''), a.subject_id, a.merchant_id, coalesce(a.detail::text, ''),
		coalesce(a.request_id, ''), coalesce(a.mac, '') from audit_leaves l `
	const run = ` where l.seal_id between $1 and $2 order by l.seal_id, l.position`
	if v.scope.Merchant != 0 {
		return v.tx.Query(v.ctx, columns+`left join lateral (select * from audit r where r.id = l.audit_id and r.at = l.at and l.merchant_id = $3 offset 0) a on true`+run, from, to, v.scope.Merchant)
	}
	var firstID, lastID *int64
	var firstAt, lastAt *time.Time
	err := v.tx.QueryRow(v.ctx, `select min(audit_id), max(audit_id), min(at), max(at) from audit_leaves where seal_id between $1 and $2`, from, to).Scan(&firstID, &lastID, &firstAt, &lastAt)
	if err != nil {
		return nil, err
	}
	return v.tx.Query(v.ctx, columns+`left join (select * from audit where id between $3 and $4 and at between $5 and $6) a on a.id = l.audit_id and a.at = l.at`+run, from, to, firstID, lastID, firstAt, lastAt)
}

// bough holds a run of seals against their leaves, one leaf after another.
type bough struct {
	v     *verifier
	seals []AuditSeal // still to be finished; the first is at hand
	tree  merkle
	place place // of the last row
}

// place is where a row stands in the order of commits.
type place struct {
	transaction uint64
	id          int64
}

func (p place) after(other place) bool {
	return p.transaction > other.transaction || p.transaction == other.transaction && p.id > other.id
}

func (b *bough) take(rows pgx.Rows) error {
	var (
		seal     int64
		position int
		l        leaf
		there    bool
		r        sealedRow
	)
	if err := rows.Scan(append([]any{&seal, &position, &l.ID, &l.At, &l.Merchant, &l.RowHash, &there}, r.fields()...)...); err != nil {
		return err
	}
	if b.finish(seal); b.v.report.Flaw != nil {
		return nil
	}
	if position != b.tree.n {
		b.v.flaw(FlawMoved, l.ID, seal, l.At)
		return nil
	}
	b.tree.add(l.node())
	if b.v.scope.Merchant != 0 && (l.Merchant == nil || MerchantID(*l.Merchant) != b.v.scope.Merchant) {
		return nil // the leaf alone counts
	}
	if what := b.row(l, r, there); what != "" {
		b.v.flaw(what, l.ID, seal, l.At)
		return nil
	}
	b.v.report.Rows++
	return nil
}

// row says what is wrong with the row of a leaf.
func (b *bough) row(l leaf, r sealedRow, there bool) string {
	before := b.place
	transaction, _ := strconv.ParseUint(r.Transaction, 10, 64)
	b.place = place{transaction, l.ID}
	unmarked := len(r.Mac) == 0
	switch {
	case !there:
		return FlawMissing
	case !bytes.Equal(r.hash(), l.RowHash), !same(r.MerchantID, l.Merchant):
		return FlawChanged
	case unmarked && b.v.marked, !unmarked && !hmac.Equal(r.Mac, r.mark(b.v.key)):
		return FlawForged
	case !b.place.after(before):
		return FlawMoved
	}
	b.v.marked = b.v.marked || !unmarked
	return ""
}

func same(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

// finish ends the seals before the given one: each must have all its leaves, and the root they make.
func (b *bough) finish(next int64) {
	for len(b.seals) > 0 && b.seals[0].ID < next {
		seal := b.seals[0]
		switch {
		case b.tree.n < seal.Rows:
			b.v.flaw(FlawMissing, 0, seal.ID, seal.SealedAt)
		case b.tree.n > seal.Rows:
			b.v.flaw(FlawInserted, 0, seal.ID, seal.SealedAt)
		case !bytes.Equal(b.tree.root(), seal.Root):
			b.v.flaw(FlawMoved, 0, seal.ID, seal.SealedAt)
		}
		if b.v.report.Flaw != nil {
			return
		}
		b.seals, b.tree, b.place = b.seals[1:], merkle{}, place{}
	}
}

// end looks for what stands behind the newest seal: an anchor that the trail no longer reaches, leaves of no seal.
func (v *verifier) end() error {
	last := v.report.Last
	if v.scope.Anchor.ID > last.ID {
		v.flaw(FlawCut, 0, last.ID, last.SealedAt)
		return nil
	}
	return v.first(FlawInserted, `select audit_id, at from audit_leaves where seal_id > $1 or seal_id < 1 order by seal_id, position limit 1`, last.ID)
}

// strangers are rows that no seal holds and that do not wait for one.
func (v *verifier) strangers() error {
	if v.scope.Merchant != 0 {
		return v.first(FlawInserted, `select a.id, a.at from audit a where a.merchant_id = $1 and `+sealless+` order by a.id limit 1`, v.scope.Merchant)
	}
	return v.first(FlawInserted, `select id, at from (select a.id, a.at from audit a where `+sealless+`) s order by id limit 1`)
}

const sealless = `not exists (select 1 from audit_leaves l where l.audit_id = a.id and l.at = a.at)
	and not exists (select 1 from audit_pending p where p.audit_id = a.id and p.at = a.at)`

// first is a flaw in the first row of an answer, if there is one.
func (v *verifier) first(what, sql string, args ...any) error {
	var id int64
	var at time.Time
	err := v.tx.QueryRow(v.ctx, sql, args...).Scan(&id, &at)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err == nil {
		v.flaw(what, id, 0, at)
	}
	return err
}

// tail counts what waits for its seal, and checks the marks it carries already.
func (v *verifier) tail() error {
	rows, err := v.tx.Query(v.ctx, `select p.audit_id, p.at, a.id is not null, exists (select 1 from audit_leaves l where l.audit_id = p.audit_id),
		coalesce(a.id, 0), coalesce(a.at, p.at), coalesce(a.transaction::text, ''), coalesce(a.actor_kind, ''), a.actor_id, coalesce(a.actor_role, ''), coalesce(a.action, ''),
		coalesce(a.subject_kind, ''), a.subject_id, a.merchant_id, coalesce(a.detail::text, ''), coalesce(a.request_id, ''), coalesce(a.mac, '')
		from audit_pending p left join audit a on a.id = p.audit_id and a.at = p.at order by p.transaction, p.audit_id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := v.waiting(rows); err != nil || v.report.Flaw != nil {
			return err
		}
	}
	return rows.Err()
}

func (v *verifier) waiting(rows pgx.Rows) error {
	var (
		id            int64
		at            time.Time
		there, sealed bool
		r             sealedRow
	)
	if err := rows.Scan(append([]any{&id, &at, &there, &sealed}, r.fields()...)...); err != nil {
		return err
	}
	if there && v.scope.Merchant != 0 && (r.MerchantID == nil || MerchantID(*r.MerchantID) != v.scope.Merchant) {
		return nil
	}
	switch {
	case !there:
		v.flaw(FlawMissing, id, 0, at)
	case sealed:
		v.flaw(FlawInserted, id, 0, at)
	case len(r.Mac) == 0 && v.marked, len(r.Mac) > 0 && !hmac.Equal(r.Mac, r.mark(v.key)):
		v.flaw(FlawForged, id, 0, at)
	default:
		v.marked = v.marked || len(r.Mac) > 0
		v.report.Unsealed.Rows++
		if s := v.report.Unsealed.Since; s == nil || at.Before(*s) {
			v.report.Unsealed.Since = &at
		}
	}
	return nil
}
