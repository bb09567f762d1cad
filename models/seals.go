package models

import (
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

func (r sealedRow) hash() []byte { return r.hashOf(r.content()) }

func (r sealedRow) hashOf(content []byte) []byte {
	h := sha256.New()
	h.Write([]byte(r.Transaction + "\n"))
	h.Write(content)
	h.Write(r.Mac)
	return h.Sum(nil)
}

// leaf is a row's place in a tree: whose it is, and the hash of what it says. A tree can be built again from leaves alone,
// so that one merchant's rows are proved without reading another's.
type leaf struct {
	ID       int64
	At       time.Time
	Merchant *int64
	RowHash  []byte
}

func (l leaf) node() []byte {
	merchant := int64(0)
	if l.Merchant != nil {
		merchant = *l.Merchant
	}
	b := []byte{0}
	for _, n := range []int64{l.ID, l.At.UnixMicro(), merchant} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	sum := sha256.Sum256(append(b, l.RowHash...))
	return sum[:]
}

// merkle builds the root over nodes as RFC 6962 does, one after another. It keeps the roots of the whole subtrees on its
// left, largest first: as many as n has binary ones.
type merkle struct {
	n     int
	roots [][]byte
}

func (m *merkle) add(node []byte) {
	m.n++
	for k := m.n; k%2 == 0; k /= 2 {
		last := len(m.roots) - 1
		node = parent(m.roots[last], node)
		m.roots = m.roots[:last]
	}
	m.roots = append(m.roots, node)
}

func (m *merkle) root() []byte {
	if m.n == 0 {
		return nil
	}
	last := len(m.roots) - 1
	root := m.roots[last]
	for i := last - 1; i >= 0; i-- {
		root = parent(m.roots[i], root)
	}
	return root
}

func parent(left, right []byte) []byte {
	h := sha256.New()
	h.Write([]byte{1})
	h.Write(left)
	h.Write(right)
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
// running transaction are taken, so that none can come before a sealed one. A visible row at or above all of them was
// restored from another server's dump, whose transactions had higher numbers.
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

// pendingRows leaves out what has a leaf already: nothing the program does brings that about, and it must not stop the
// sealing of what comes after. A verification names it. Row by row the oldest are found, however many wait.
func pendingRows(ctx context.Context, tx pgx.Tx) ([]sealedRow, error) {
	rows, err := tx.Query(ctx, `select `+sealedColumns+` from audit_pending p join lateral (select * from audit r where r.id = p.audit_id and r.at = p.at offset 0) a on true
		where (p.transaction < pg_snapshot_xmin(pg_current_snapshot()) or p.transaction >= pg_snapshot_xmax(pg_current_snapshot()))
			and not exists (select 1 from audit_leaves l where l.audit_id = p.audit_id offset 0)
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
	last, err := newestSeal(ctx, tx)
	if err != nil {
		return err
	}
	seal := AuditSeal{ID: last.ID + 1, SealedAt: s.now().UTC().Truncate(time.Microsecond), Rows: len(rows)}
	var tree merkle
	ids, lines := make([]int64, len(rows)), make([][]any, len(rows))
	for i, r := range rows {
		l := leaf{ID: r.ID, At: r.At, Merchant: r.MerchantID, RowHash: r.hash()}
		tree.add(l.node())
		ids[i] = r.ID
		lines[i] = []any{seal.ID, i, l.ID, l.At, l.Merchant, l.RowHash}
	}
	seal.Root = tree.root()
	seal.Chain = seal.link(s.auditKey, last.Chain)
	_, err = tx.Exec(ctx, `insert into audit_seals (id, sealed_at, rows, root, chain) values ($1, $2, $3, $4, $5)`, seal.ID, seal.SealedAt, seal.Rows, seal.Root, seal.Chain)
	if err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"audit_leaves"}, []string{"seal_id", "position", "audit_id", "at", "merchant_id", "row_hash"}, pgx.CopyFromRows(lines)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `delete from audit_pending where audit_id = any($1)`, ids)
	return err
}

const sealColumns = `id, sealed_at, rows, root, chain`

// newestSeal is the zero seal before the first.
func newestSeal(ctx context.Context, tx pgx.Tx) (AuditSeal, error) {
	rows, err := tx.Query(ctx, `select `+sealColumns+` from audit_seals order by id desc limit 1`)
	if err != nil {
		return AuditSeal{}, err
	}
	seal, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[AuditSeal])
	if errors.Is(err, pgx.ErrNoRows) {
		return AuditSeal{}, nil
	}
	return seal, err
}

// NewestSeal is the last link of the audit trail's chain, the zero seal when there is none.
func (r Reader) NewestSeal(ctx context.Context) (AuditSeal, error) {
	return one[AuditSeal](ctx, r, `select `+sealColumns+` from audit_seals order by id desc limit 1`)
}

// Seal is the seal of that number, the zero seal when there is none.
func (r Reader) Seal(ctx context.Context, id int64) (AuditSeal, error) {
	return one[AuditSeal](ctx, r, `select `+sealColumns+` from audit_seals where id = ?`, id)
}

// Unsealed is what waits for its seal: how many rows, and since when.
type Unsealed struct {
	Rows  int
	Since *time.Time
}

// UnsealedAudit counts the rows that wait for their seal.
func (r Reader) UnsealedAudit(ctx context.Context) (Unsealed, error) {
	return one[Unsealed](ctx, r, `select count(*) as rows, min(at) as since from audit_pending`)
}
