package models

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// sealBatch is how many rows one seal holds at most.
const sealBatch = 5000

// AuditKey has the store mark what it writes into the audit trail, and seal it. Without one the marks are made with an
// empty key, which proves nothing.
func (s *Store) AuditKey(key []byte) *Store {
	s.auditKey = key
	return s
}

// sealedRow is an audit row as its mark and its leaf are made of it.
type sealedRow struct {
	ID          int64
	At          time.Time
	Transaction string
	ActorKind   ActorKind
	ActorID     *int64
	ActorRole   Role
	Action      Action
	SubjectKind string
	SubjectID   *int64
	MerchantID  *int64
	Detail      string // as PostgreSQL writes its jsonb
	RequestID   string
	Mac         []byte
}

// content is what a row says, in one way only.
func (r sealedRow) content() []byte {
	b, err := json.Marshal([]any{r.ID, r.At.UnixMicro(), r.ActorKind, r.ActorID, r.ActorRole, r.Action, r.SubjectKind, r.SubjectID, r.MerchantID, r.Detail, r.RequestID})
	if err != nil {
		panic("models: " + err.Error()) // scalars always marshal
	}
	return b
}

func (r sealedRow) mark(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(r.content())
	return h.Sum(nil)
}

// leaf is the row's hash in the tree; its place in the order of commits is part of it.
func (r sealedRow) leaf() []byte {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write([]byte(r.Transaction + "\n"))
	h.Write(r.content())
	h.Write(r.Mac)
	return h.Sum(nil)
}

// merkleRoot is the root over leaves, built as RFC 6962 does: the left half is the largest power of two below n.
func merkleRoot(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	h := sha256.New()
	h.Write([]byte{1})
	h.Write(merkleRoot(leaves[:k]))
	h.Write(merkleRoot(leaves[k:]))
	return h.Sum(nil)
}

// AuditSeal is the proof of a run of rows.
type AuditSeal struct {
	ID       int64
	SealedAt time.Time
	Rows     int
	Root     []byte
	Chain    []byte
}

// link is a seal's place in the chain: it cannot be made without the key, nor moved.
func (a AuditSeal) link(key, before []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(before)
	h.Write(a.Root)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(a.ID)))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(a.Rows)))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(a.SealedAt.UnixMicro())))
	return h.Sum(nil)
}

const sealedColumns = `a.id, a.at, a.transaction::text, a.actor_kind, a.actor_id, a.actor_role, a.action, a.subject_kind, a.subject_id, a.merchant_id, a.detail::text, a.request_id, a.mac`

func (r *sealedRow) fields() []any {
	return []any{&r.ID, &r.At, &r.Transaction, &r.ActorKind, &r.ActorID, &r.ActorRole, &r.Action, &r.SubjectKind, &r.SubjectID, &r.MerchantID, &r.Detail, &r.RequestID, &r.Mac}
}

// SealAudit seals what was committed since, in the order of the commits, and returns how many rows. Only rows below every
// running transaction are taken, so that none can come before a sealed one; those beyond all of them come from a backup.
func (k Keep) SealAudit(ctx context.Context) (int, error) {
	n := 0
	err := k.s.inTx(ctx, func(_ *gormDB, tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtext('audit seal'))`).Scan(&mine); err != nil || !mine {
			return err
		}
		rows, err := pendingRows(ctx, tx)
		if err != nil || len(rows) == 0 {
			return err
		}
		n = len(rows)
		return k.s.seal(ctx, tx, rows)
	})
	return n, translate(err)
}

func pendingRows(ctx context.Context, tx pgx.Tx) ([]sealedRow, error) {
	rows, err := tx.Query(ctx, `select `+sealedColumns+` from audit_pending p join audit a on a.id = p.audit_id and a.at = p.at
		where p.transaction < pg_snapshot_xmin(pg_current_snapshot()) or p.transaction > pg_snapshot_xmax(pg_current_snapshot())
		order by p.transaction, p.audit_id limit $1`, sealBatch)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r sealedRow, err error) {
		err = row.Scan(r.fields()...)
		return r, err
	})
}

func (s *Store) seal(ctx context.Context, tx pgx.Tx, rows []sealedRow) error {
	last, err := lastSeal(ctx, tx)
	if err != nil {
		return err
	}
	seal := AuditSeal{ID: last.ID + 1, SealedAt: s.now().UTC().Truncate(time.Microsecond), Rows: len(rows)}
	leaves, ids := make([][]byte, len(rows)), make([]int64, len(rows))
	lines := make([][]any, len(rows))
	for i, r := range rows {
		leaves[i], ids[i] = r.leaf(), r.ID
		lines[i] = []any{seal.ID, i, r.ID, r.At, leaves[i]}
	}
	seal.Root = merkleRoot(leaves)
	seal.Chain = seal.link(s.auditKey, last.Chain)
	_, err = tx.Exec(ctx, `insert into audit_seals (id, sealed_at, rows, root, chain) values ($1, $2, $3, $4, $5)`, seal.ID, seal.SealedAt, seal.Rows, seal.Root, seal.Chain)
	if err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"audit_leaves"}, []string{"seal_id", "position", "audit_id", "at", "leaf"}, pgx.CopyFromRows(lines)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `delete from audit_pending where audit_id = any($1)`, ids)
	return err
}

func lastSeal(ctx context.Context, tx pgx.Tx) (a AuditSeal, err error) {
	err = tx.QueryRow(ctx, `select id, sealed_at, rows, root, chain from audit_seals order by id desc limit 1`).Scan(&a.ID, &a.SealedAt, &a.Rows, &a.Root, &a.Chain)
	if errors.Is(err, pgx.ErrNoRows) {
		return AuditSeal{}, nil
	}
	return a, err
}

// UnsealedAudit counts the rows that wait for their seal.
func (r Reader) UnsealedAudit(ctx context.Context) (int, error) {
	return one[int](ctx, r, `select count(*) from audit_pending`)
}

// AuditFlaw is the first thing that does not hold. What: changed, missing, inserted, moved, seal, forged.
type AuditFlaw struct {
	What string
	Row  int64 // the audit row's id, 0 when it is about a whole seal
	Seal int64 // 0: unsealed
	At   time.Time
}

// AuditReport is what a verification found.
type AuditReport struct {
	Rows     int // sealed rows that hold
	Seals    int
	Flaw     *AuditFlaw
	Unsealed int        // rows younger than the newest seal
	Since    *time.Time // the oldest of them
	Last     AuditSeal  // the newest seal: keep its chain elsewhere to prove later that nothing was cut off
}

// AuditScope says what to verify: everything, what was sealed since, or the rows of one merchant.
type AuditScope struct {
	Since    time.Time
	Merchant MerchantID
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
}

func (v *verifier) run() error {
	for _, step := range []func() error{v.seals, v.strangers, v.tail} {
		if err := step(); err != nil || v.report.Flaw != nil {
			return err
		}
	}
	return nil
}

// seals walks the chain. Every seal is checked against the one before; the trees of those in scope are built again.
func (v *verifier) seals() error {
	for after := int64(0); ; {
		page, err := v.page(after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, seal := range page {
			if err := v.seal(seal); err != nil || v.report.Flaw != nil {
				return err
			}
			after = seal.ID
		}
	}
}

func (v *verifier) page(after int64) ([]AuditSeal, error) {
	rows, err := v.tx.Query(v.ctx, `select id, sealed_at, rows, root, chain from audit_seals where id > $1 order by id limit 500`, after)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[AuditSeal])
}

func (v *verifier) seal(seal AuditSeal) error {
	v.next++
	if seal.ID != v.next || !hmac.Equal(seal.Chain, seal.link(v.key, v.before)) {
		v.report.Flaw = &AuditFlaw{What: "seal", Seal: v.next, At: seal.SealedAt}
		return nil
	}
	v.before = seal.Chain
	v.report.Seals, v.report.Last = v.report.Seals+1, seal
	if seal.SealedAt.Before(v.scope.Since) {
		return nil
	}
	if v.scope.Merchant != 0 {
		concerns, err := v.concerns(seal)
		if err != nil || !concerns {
			return err
		}
	}
	return v.tree(seal)
}

// concerns reports whether a seal holds a row of the merchant at hand.
func (v *verifier) concerns(seal AuditSeal) (yes bool, err error) {
	err = v.tx.QueryRow(v.ctx, `select exists (select 1 from audit_leaves l join audit a on a.id = l.audit_id and a.at = l.at where l.seal_id = $1 and a.merchant_id = $2)`,
		seal.ID, v.scope.Merchant).Scan(&yes)
	return yes, err
}

// tree builds a seal's tree again and compares leaf by leaf, so that the first row that does not hold is named.
func (v *verifier) tree(seal AuditSeal) error {
	rows, err := v.tx.Query(v.ctx, `select l.position, l.audit_id, l.at, l.leaf, a.id is not null, coalesce(a.id, 0), coalesce(a.at, l.at), coalesce(a.transaction::text, ''), coalesce(a.actor_kind, ''),
		a.actor_id, coalesce(a.actor_role, ''), coalesce(a.action, ''), coalesce(a.subject_kind, ''), a.subject_id, a.merchant_id, coalesce(a.detail::text, ''), coalesce(a.request_id, ''), coalesce(a.mac, '')
		from audit_leaves l left join audit a on a.id = l.audit_id and a.at = l.at where l.seal_id = $1 order by l.position`, seal.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	var leaves [][]byte
	for rows.Next() {
		var (
			position int
			id       int64
			at       time.Time
			leaf     []byte
			there    bool
			r        sealedRow
		)
		if err := rows.Scan(append([]any{&position, &id, &at, &leaf, &there}, r.fields()...)...); err != nil {
			return err
		}
		flaw := &AuditFlaw{Row: id, Seal: seal.ID, At: at}
		switch {
		case position != len(leaves):
			flaw.What = "moved"
		case !there:
			flaw.What = "missing"
		case !bytes.Equal(r.leaf(), leaf):
			flaw.What = "changed"
		case len(r.Mac) > 0 && !hmac.Equal(r.Mac, r.mark(v.key)), len(r.Mac) == 0 && seal.ID > 1:
			flaw.What = "forged"
		default:
			leaves = append(leaves, leaf)
			v.report.Rows++
			continue
		}
		v.report.Flaw = flaw
		return nil
	}
	if rows.Err() == nil && (len(leaves) != seal.Rows || !bytes.Equal(merkleRoot(leaves), seal.Root)) {
		v.report.Flaw = &AuditFlaw{What: "moved", Seal: seal.ID, At: seal.SealedAt}
	}
	return rows.Err()
}

// strangers are rows that no seal holds and that do not wait for one.
func (v *verifier) strangers() error {
	var flaw AuditFlaw
	err := v.tx.QueryRow(v.ctx, `select a.id, a.at from audit a where ($1 = 0 or a.merchant_id = $1)
		and not exists (select 1 from audit_leaves l where l.audit_id = a.id and l.at = a.at)
		and not exists (select 1 from audit_pending p where p.audit_id = a.id and p.at = a.at) order by a.id limit 1`, v.scope.Merchant).Scan(&flaw.Row, &flaw.At)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err == nil {
		flaw.What = "inserted"
		v.report.Flaw = &flaw
	}
	return err
}

// tail counts what waits for its seal, and checks the marks it carries already.
func (v *verifier) tail() error {
	rows, err := v.tx.Query(v.ctx, `select `+sealedColumns+` from audit_pending p join audit a on a.id = p.audit_id and a.at = p.at
		where $1 = 0 or a.merchant_id = $1 order by p.transaction, p.audit_id`, v.scope.Merchant)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r sealedRow
		if err := rows.Scan(r.fields()...); err != nil {
			return err
		}
		if !hmac.Equal(r.Mac, r.mark(v.key)) {
			v.report.Flaw = &AuditFlaw{What: "forged", Row: r.ID, At: r.At}
			return nil
		}
		if v.report.Unsealed++; v.report.Since == nil {
			v.report.Since = &r.At
		}
	}
	return rows.Err()
}
