package models

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"berkas/internal/fault"
)

// BundleState is where an evidence bundle stands. That it has expired is a matter of its date.
type BundleState string

const (
	BundleWaiting BundleState = "waiting"
	BundleMaking  BundleState = "making"
	BundleReady   BundleState = "ready"
	BundleFailed  BundleState = "failed"
)

// Bundle is the evidence about one merchant, made to be taken away.
type Bundle struct {
	ID         BundleID
	UID        string `gorm:"column:uid"`
	MerchantID MerchantID
	State      BundleState
	Done       int64 // lines written so far, of about Total
	Total      int64
	BlobRef    string // "" before it is made and after it has expired
	DataKey    []byte // wrapped
	Size       int64  // bytes
	SHA256     []byte `gorm:"column:sha256"`
	Language   string // of whoever asked
	Problem    string // why it failed: a fault's code
	AskedBy    PersonID
	Asker      string `gorm:"->;-:migration"`
	AskedAt    time.Time
	MadeAt     *time.Time
	ExpiresAt  *time.Time
}

const bundleColumns = `b.*, p.name as asker from bundles b join people p on p.id = b.asked_by`

// Bundle by its id. fault.NotFound when there is none.
func (r Reader) Bundle(ctx context.Context, id BundleID) (Bundle, error) {
	rows, err := scan[Bundle](ctx, r, `select `+bundleColumns+` where b.id = ?`, id)
	if err == nil && len(rows) == 0 {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return Bundle{}, err
	}
	return rows[0], nil
}

// Bundles of a merchant, newest first.
func (r Reader) Bundles(ctx context.Context, id MerchantID, limit int) ([]Bundle, error) {
	return scan[Bundle](ctx, r, `select `+bundleColumns+` where b.merchant_id = ? order by b.id desc limit ?`, id, limit)
}

// AskBundle stores that the acting person wants the evidence about a merchant. fault.Conflict evidence_underway while one is made.
func (tx *Tx) AskBundle(b *Bundle) error {
	b.State, b.AskedBy, b.AskedAt = BundleWaiting, tx.Actor.Person, tx.Now
	if err := create(tx, b); err != nil {
		return err
	}
	tx.Audit(EvidenceAsked, b.ID.Ref(b.MerchantID), "bundle", b.ID)
	return nil
}

// MadeBundle stores where a bundle's bytes are. fault.Conflict when another worker was faster.
func (tx *Tx) MadeBundle(b Bundle) error {
	err := swapped(tx.g.Exec(`update bundles set state = 'ready', done = total, blob_ref = ?, data_key = ?, size = ?, sha256 = ?, made_at = ?, expires_at = ? where id = ? and state = 'making'`,
		b.BlobRef, b.DataKey, b.Size, b.SHA256, tx.Now, b.ExpiresAt, b.ID))
	tx.Audit(EvidenceMade, b.ID.Ref(b.MerchantID), "bundle", b.ID, "size", b.Size, "sha256", hex.EncodeToString(b.SHA256))
	return err
}

// DownloadedBundle records that the acting person took a bundle away.
func (tx *Tx) DownloadedBundle(b Bundle) {
	tx.Audit(EvidenceDownloaded, b.ID.Ref(b.MerchantID), "bundle", b.ID, "sha256", hex.EncodeToString(b.SHA256))
}

// BeginBundle has a bundle be made, again after a crash; false when it is made already or given up.
func (k Keep) BeginBundle(ctx context.Context, id BundleID, total int64) (bool, error) {
	n, err := k.exec(ctx, `update bundles set state = 'making', done = 0, total = ? where id = ? and state in ('waiting', 'making')`, total, id)
	return n == 1, err
}

// AdvanceBundle says how many lines of a bundle are written.
func (k Keep) AdvanceBundle(ctx context.Context, id BundleID, done int64) error {
	_, err := k.exec(ctx, `update bundles set done = least(?, total) where id = ? and state = 'making'`, done, id)
	return err
}

// FailBundle gives a bundle up.
func (k Keep) FailBundle(ctx context.Context, id BundleID, problem string) error {
	_, err := k.exec(ctx, `update bundles set state = 'failed', problem = ? where id = ? and state in ('waiting', 'making')`, problem, id)
	return err
}

// ExpireBundles has up to limit bundles whose time is over hold no bytes any more, and returns where those are.
func (k Keep) ExpireBundles(ctx context.Context, limit int) ([]string, error) {
	return scan[string](ctx, k.s.Reader, `with gone as (select id, blob_ref from bundles where blob_ref <> '' and expires_at <= ? order by expires_at limit ? for update)
		update bundles b set blob_ref = '', data_key = null from gone where b.id = gone.id returning gone.blob_ref`, k.s.now(), limit)
}

// BundleFiles are the bytes that bundles hold, as Originals are those of documents.
func (r Reader) BundleFiles(ctx context.Context, after BundleID, limit int) ([]Original, error) {
	return scan[Original](ctx, r, bundleFilesSQL+` and id > ? order by id limit ?`, after, limit)
}

const bundleFilesSQL = `select id as bundle, uid, merchant_id, blob_ref, data_key, size, sha256 from bundles where blob_ref <> ''`

// EvidenceSize counts what a bundle is made of.
type EvidenceSize struct{ Events, Documents, Decisions, Looks, Submissions int64 }

// EvidenceSize of what is known of a merchant until a time.
func (r Reader) EvidenceSize(ctx context.Context, id MerchantID, until time.Time) (EvidenceSize, error) {
	return one[EvidenceSize](ctx, r, `select (select count(*) from audit where merchant_id = ? and at <= ?) as events, (select count(*) from documents where merchant_id = ?) as documents,
		(select count(*) from decisions where merchant_id = ?) as decisions, (select count(*) from looks k join documents d on d.id = k.document_id where d.merchant_id = ?) as looks,
		(select count(*) from submissions where merchant_id = ?) as submissions`, id, until, id, id, id, id)
}

// AuditHistory of a merchant until a time, oldest first, limit rows behind an id.
func (r Reader) AuditHistory(ctx context.Context, id MerchantID, until time.Time, after int64, limit int) ([]AuditRow, error) {
	return scan[AuditRow](ctx, r, auditRowsSQL(`a.merchant_id = ? and a.at <= ? and a.id > ?`, "a.id"), id, until, after, limit)
}

// EvidenceDocument is a version of a document with its id in the registered business, "" where it is in none.
type EvidenceDocument struct {
	Document
	AttachedID string
}

// EvidenceDocuments are all versions of a merchant's documents, behind an id, in the order of ids.
func (r Reader) EvidenceDocuments(ctx context.Context, id MerchantID, after DocumentID, limit int) ([]EvidenceDocument, error) {
	return scan[EvidenceDocument](ctx, r, `select `+documentFacts+`, coalesce((select a.attached_id from attachments a where a.document_id = documents.id limit 1), '') as attached_id
		from documents where merchant_id = ? and id > ? order by id limit ?`, id, after, limit)
}

// EvidenceDecisions are all decisions on a merchant's documents, behind an id, in the order of ids.
func (r Reader) EvidenceDecisions(ctx context.Context, id MerchantID, after DecisionID, limit int) ([]Decision, error) {
	return scan[Decision](ctx, r, `select `+decisionFacts+` from decisions where merchant_id = ? and id > ? order by id limit ?`, id, after, limit)
}

// EvidenceLooks are all looks at a merchant's documents, behind an id, in the order of ids.
func (r Reader) EvidenceLooks(ctx context.Context, id MerchantID, after LookID, limit int) ([]Look, error) {
	return scan[Look](ctx, r, `select k.*, p.name as who from looks k join people p on p.id = k.person_id
		where k.document_id in (select d.id from documents d where d.merchant_id = ?) and k.id > ? order by k.id limit ?`, id, after, limit)
}

// Proof shows that an audit row is in a seal's tree: from its content and the path to the seal's root (RFC 6962), nearest
// hash first. Seal 0: it waits for its seal.
type Proof struct {
	Row         int64 // the audit row's id
	Seal        int64
	Position    int
	Rows        int // of the seal
	Path        [][]byte
	Transaction string
	Content     string // exactly as it is hashed and marked
	Mac         []byte
}

// Proven is what a proved row says.
type Proven struct {
	ID          int64
	At          time.Time
	ActorKind   ActorKind
	ActorID     int64
	ActorRole   Role
	Action      Action
	SubjectKind string
	SubjectID   int64
	MerchantID  MerchantID
	Detail      string // JSON
	RequestID   string
}

var errContent = errors.New("models: this is not the content of an audit row")

// Says reads a proof's content. It is refused in any other spelling than the one that is hashed.
func (p Proof) Says() (Proven, error) {
	var r sealedRow
	var micros int64
	fields := []any{&r.ID, &micros, &r.ActorKind, &r.ActorID, &r.ActorRole, &r.Action, &r.SubjectKind, &r.SubjectID, &r.MerchantID, &r.Detail, &r.RequestID}
	n := len(fields)
	if err := json.Unmarshal([]byte(p.Content), &fields); err != nil || len(fields) != n {
		return Proven{}, errContent
	}
	r.At = time.UnixMicro(micros).UTC()
	if string(r.content()) != p.Content {
		return Proven{}, errContent
	}
	return Proven{r.ID, r.At, r.ActorKind, orZero(r.ActorID), r.ActorRole, r.Action, r.SubjectKind, orZero(r.SubjectID), MerchantID(orZero(r.MerchantID)), r.Detail, r.RequestID}, nil
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// Root is the root of the tree that a row with this content, at this place and with this path, is in. false when no such
// tree exists.
func (p Proof) Root() ([]byte, bool) {
	said, err := p.Says()
	if err != nil || p.Rows < 1 || p.Position < 0 || p.Position >= p.Rows {
		return nil, false
	}
	merchant := int64(said.MerchantID)
	row := sealedRow{Transaction: p.Transaction, Mac: p.Mac}
	node, path := leaf{ID: said.ID, At: said.At, Merchant: &merchant, RowHash: row.hashOf([]byte(p.Content))}.node(), p.Path
	for at, n := p.Position, p.Rows; n > 1; at, n = at/2, (n+1)/2 {
		switch {
		case at^1 >= n: // the last of an odd number goes up as it is
			continue
		case len(path) == 0:
			return nil, false
		case at%2 == 1:
			node = parent(path[0], node)
		default:
			node = parent(node, path[0])
		}
		path = path[1:]
	}
	return node, len(path) == 0
}

// grove is a tree with all its nodes, from the leaves up.
type grove [][][]byte

func grow(nodes [][]byte) grove {
	g := grove{nodes}
	for len(nodes) > 1 {
		up := make([][]byte, 0, (len(nodes)+1)/2)
		for i := 0; i+1 < len(nodes); i += 2 {
			up = append(up, parent(nodes[i], nodes[i+1]))
		}
		if len(nodes)%2 == 1 {
			up = append(up, nodes[len(nodes)-1])
		}
		g, nodes = append(g, up), up
	}
	return g
}

func (g grove) path(at int) (path [][]byte) {
	for _, level := range g {
		if at^1 < len(level) {
			path = append(path, level[at^1])
		}
		at /= 2
	}
	return path
}

// AuditProofs of a merchant's rows until a time, in the order of AuditHistory. Rows are read limit at a time; of the seals, which
// hold some thousand leaves at most, only the latest is held.
func (r Reader) AuditProofs(ctx context.Context, id MerchantID, until time.Time, limit int) iter.Seq2[Proof, error] {
	return func(yield func(Proof, error) bool) {
		trees := map[int64]grove{}
		for after := int64(0); ; {
			rows, err := scan[provenRow](ctx, r, `select `+provenColumns+` from (select * from audit where merchant_id = ? and at <= ? and id > ? order by id limit ?) a
				left join audit_leaves l on l.audit_id = a.id order by a.id`, id, until, after, limit)
			if err != nil {
				yield(Proof{}, err)
				return
			}
			for _, row := range rows {
				p, err := r.prove(ctx, row, trees)
				if !yield(p, err) || err != nil {
					return
				}
				after = row.Row.ID
			}
			if len(rows) < limit {
				return
			}
		}
	}
}

const provenColumns = `a.id, a.at, a.transaction::text as transaction, a.actor_kind, a.actor_id, a.actor_role, a.action, a.subject_kind, a.subject_id, a.merchant_id,
	a.detail::text as detail, a.request_id, a.mac, coalesce(l.seal_id, 0) as seal_id, coalesce(l.position, 0) as position`

type provenRow struct {
	Row      sealedRow `gorm:"embedded"`
	SealID   int64
	Position int
}

func (r Reader) prove(ctx context.Context, row provenRow, trees map[int64]grove) (Proof, error) {
	p := Proof{Row: row.Row.ID, Seal: row.SealID, Transaction: row.Row.Transaction, Content: string(row.Row.content()), Mac: row.Row.Mac}
	if p.Seal == 0 {
		return p, nil
	}
	tree, there := trees[p.Seal]
	if !there {
		leaves, err := scan[leaf](ctx, r, `select audit_id as id, at, merchant_id as merchant, row_hash from audit_leaves where seal_id = ? order by position`, p.Seal)
		if err != nil {
			return p, err
		}
		nodes := make([][]byte, len(leaves))
		for i, l := range leaves {
			nodes[i] = l.node()
		}
		tree = grow(nodes)
		clear(trees)
		trees[p.Seal] = tree
	}
	p.Position, p.Rows, p.Path = row.Position, len(tree[0]), tree.path(row.Position)
	return p, nil
}

// SealedRows counts the rows of a merchant that are sealed up to a seal.
func (r Reader) SealedRows(ctx context.Context, id MerchantID, upTo int64) (int, error) {
	return one[int](ctx, r, `select count(*) from audit_leaves where merchant_id = ? and seal_id <= ?`, id, upTo)
}

// Seals by their ids, in their order.
func (r Reader) Seals(ctx context.Context, ids []int64) ([]AuditSeal, error) {
	return scan[AuditSeal](ctx, r, `select `+sealColumns+` from audit_seals where id in ? order by id`, ids)
}
