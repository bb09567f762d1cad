package models_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"berkas/internal/fault"
	"berkas/internal/pg"
	"berkas/internal/testdb"
	"berkas/models"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// bundle is a store on a database of its own, whose clock stands at noon, and every statement that it makes.
type bundle struct {
	*testing.T
	*models.Store
	database testdb.Database
	db       *pg.DB
	said     *recorder
	person   models.PersonID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{T: t, database: testdb.Create(t), said: &recorder{}}
	c, err := pgxpool.ParseConfig(b.database.DSN)
	b.must(err)
	c.ConnConfig.Tracer, c.MaxConns = b.said, 8
	c.ConnConfig.RuntimeParams["timezone"] = "UTC"
	pool, err := pgxpool.NewWithConfig(t.Context(), c)
	b.must(err)
	t.Cleanup(pool.Close)
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: stdlib.OpenDBFromPool(pool)}), &gorm.Config{Logger: logger.Discard, SkipDefaultTransaction: true, DisableAutomaticPing: true})
	b.must(err)
	b.db = &pg.DB{Pool: pool, Gorm: g}
	b.Store = models.NewStore(g, func() time.Time { return noon })
	b.person = b.add("sari@berkas.test")
	return b
}

func (b *bundle) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bundle) ctx() context.Context { return b.Context() }

func (b *bundle) add(email string) models.PersonID {
	b.Helper()
	p := &models.Person{Email: email, Name: email, Role: models.RoleStaff, PasswordHash: "x"}
	b.must(b.Write(b.ctx(), models.CLI, func(tx *models.Tx) error { return tx.AddPerson(p) }))
	return p.ID
}

func (b *bundle) actor() models.Actor {
	return models.Actor{Kind: models.ActorUser, Person: b.person, Role: models.RoleStaff}
}

func (b *bundle) count(sql string, args ...any) (n int) {
	b.Helper()
	b.must(b.db.Pool.QueryRow(b.ctx(), sql, args...).Scan(&n))
	return n
}

func (b *bundle) exec(sql string, args ...any) {
	b.Helper()
	_, err := b.db.Pool.Exec(b.ctx(), sql, args...)
	b.must(err)
}

// merchant is a new merchant with an empty slot of a ready checklist.
func (b *bundle) merchant(name string) (m models.Merchant, slot models.SlotID) {
	b.Helper()
	b.must(b.Write(b.ctx(), b.actor(), func(tx *models.Tx) error {
		c, err := tx.EnsureCombination(models.Combination{BusinessType: "PERSONAL", LegalEntity: "PERSEORANGAN", BusinessLine: "RETAIL", Nationality: "ID"})
		if err != nil {
			return err
		}
		if c.SetID == nil {
			set := &models.RequirementSet{CombinationID: c.ID, Raw: "{}", RawHash: []byte{1}}
			if err := tx.AddRequirementSet(set, []models.Requirement{{OwnerPath: "business.contact", Category: "DOCUMENT", Code: "KTP", Extensions: []string{"jpg"}, Form: []models.FormField{}}}); err != nil {
				return err
			}
			c.SetID = &set.ID
		}
		d := &models.Dossier{Merchant: models.Merchant{UID: uid(), Name: name, NameNormal: strings.ToLower(name), BusinessType: "PERSONAL", LegalEntity: "PERSEORANGAN", BusinessLine: "RETAIL", Nationality: "ID",
			CombinationID: c.ID, ProgressState: models.ProgressPending, NextActor: models.NextDOKU}}
		if err := tx.CreateMerchant(d, nil); err != nil {
			return err
		}
		if err := tx.FollowSet(d.Merchant.ID, *c.SetID); err != nil {
			return err
		}
		m = d.Merchant
		return nil
	}))
	rows, err := b.ChecklistRows(b.ctx(), m.ID)
	b.must(err)
	return m, rows[0].ID
}

func (b *bundle) document(m models.Merchant, slot models.SlotID) models.DocumentID {
	b.Helper()
	d := &models.Document{UID: uid(), MerchantID: m.ID, SlotID: slot, Category: "DOCUMENT", Code: "KTP"}
	b.must(b.Write(b.ctx(), b.actor(), func(tx *models.Tx) error { return tx.AddDocument(d) }))
	return d.ID
}

var uids struct {
	sync.Mutex
	n int
}

func uid() string {
	uids.Lock()
	defer uids.Unlock()
	uids.n++
	const zeros = "000000000000"
	n := models.MerchantID(uids.n).String()
	return "00000000-0000-4000-8000-" + zeros[:12-len(n)] + n
}

// recorder keeps the statements of a pool.
type recorder struct {
	mu   sync.Mutex
	on   bool
	list []statement
}

type statement struct {
	sql  string
	args []any
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on {
		r.list = append(r.list, statement{q.SQL, q.Args})
	}
	return ctx
}

func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// during are the statements that do makes.
func (r *recorder) during(do func()) []statement {
	r.mu.Lock()
	r.on, r.list = true, nil
	r.mu.Unlock()
	do()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
	return r.list
}

func TestWriteNeedsAnActorAndAnAuditRow(t *testing.T) {
	b := setup(t)
	m, _ := b.merchant("a")
	change := func(tx *models.Tx) error { return tx.SetSample(m.ID) }
	if err := b.Write(b.ctx(), models.Actor{}, change); err == nil {
		t.Error("committed without an actor")
	}
	if err := b.Write(b.ctx(), b.actor(), change); err == nil {
		t.Error("committed without an audit row")
	}
	boom := errors.New("boom")
	err := b.Write(b.ctx(), b.actor(), func(tx *models.Tx) error {
		tx.Audit(models.MerchantEdited, m.ID.Ref())
		return errors.Join(change(tx), boom)
	})
	if !errors.Is(err, boom) {
		t.Error(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = b.Write(b.ctx(), b.actor(), func(tx *models.Tx) error {
			tx.Audit(models.MerchantEdited, m.ID.Ref())
			if err := change(tx); err != nil {
				return err
			}
			panic("boom")
		})
	}()
	if b.count("select count(*) from merchants where sample") != 0 || b.count("select count(*) from audit where action = 'merchant.edited'") != 0 {
		t.Error("something was committed")
	}
	b.must(b.Write(b.ctx(), b.actor(), func(tx *models.Tx) error {
		tx.Audit(models.MerchantEdited, m.ID.Ref(), "n", 3)
		return change(tx)
	}))
	if b.count("select count(*) from audit where action = 'merchant.edited' and actor_id = $1 and actor_role = 'staff' and merchant_id = $2 and at = $3 and detail = '{\"n\": 3}'", b.person, m.ID, noon) != 1 {
		t.Error("the audit row does not say who did what")
	}
	if open := b.db.Pool.Stat().AcquiredConns(); open > 8 {
		t.Errorf("%d connections", open)
	}
}

func TestTheTrailIsAppendOnly(t *testing.T) {
	b := setup(t)
	partition := ""
	b.must(b.db.Pool.QueryRow(b.ctx(), "select tableoid::regclass::text from audit limit 1").Scan(&partition))
	owner, err := pgx.Connect(b.ctx(), b.database.OwnerDSN)
	b.must(err)
	t.Cleanup(func() { owner.Close(context.Background()) })
	for _, sql := range []string{"update audit set action = 'x'", "delete from audit", "truncate audit", "update " + partition + " set action = 'x'", "delete from " + partition, "truncate " + partition, "truncate audit_rest"} {
		if _, err := b.db.Pool.Exec(b.ctx(), sql); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("the program may %s: %v", sql, err)
		}
		if _, err := owner.Exec(b.ctx(), sql); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("the owner may %s: %v", sql, err)
		}
	}
	for _, sql := range []string{"update transitions set to_state = 'x'", "delete from transitions"} {
		if _, err := b.db.Pool.Exec(b.ctx(), sql); err == nil {
			t.Errorf("the program may %s", sql)
		}
	}
}

func TestPartitionOfABegunMonth(t *testing.T) {
	b := setup(t)
	month := time.Now().UTC().AddDate(0, 7, -time.Now().UTC().Day()+1)
	late := models.NewStore(b.db.Gorm, func() time.Time { return month })
	b.must(late.Write(b.ctx(), models.System, func(tx *models.Tx) error { // before anybody made its month
		tx.Audit(models.SessionEnded, models.Somewhere("session"))
		return nil
	}))
	b.must(late.Keep().MakePartitions(b.ctx()))
	b.must(late.Keep().MakePartitions(b.ctx()))
	if b.count("select count(*) from pg_class where relname = $1", "audit_"+month.AddDate(0, 1, 0).Format("2006_01")) != 1 || b.count("select count(*) from audit_rest") != 1 {
		t.Error("the next month has no partition, or the row is lost")
	}
}

func TestConstraintsSpeakByTheirNames(t *testing.T) {
	b := setup(t)
	m, slot := b.merchant("a")
	d := b.document(m, slot)
	wants := func(kind fault.Kind, code string, do func(*models.Tx) error) {
		t.Helper()
		err := b.Write(b.ctx(), b.actor(), func(tx *models.Tx) error {
			tx.Audit(models.MerchantEdited, m.ID.Ref())
			return do(tx)
		})
		if !fault.Is(err, kind) || fault.Code(err) != code {
			t.Errorf("%v, not %s", err, code)
		}
	}
	wants(fault.Conflict, "email_taken", func(tx *models.Tx) error {
		return tx.AddPerson(&models.Person{Email: "SARI@berkas.test", Name: "x", Role: models.RoleStaff})
	})
	wants(fault.Invalid, "unknown_choice", func(tx *models.Tx) error {
		return tx.AddSlot(&models.Slot{MerchantID: 999, OwnerPath: "x", Category: "LOGO"})
	})
	wants(fault.Invalid, "unknown_choice", func(tx *models.Tx) error {
		return tx.AddSlot(&models.Slot{MerchantID: m.ID, OwnerPath: "a\x00b", Category: "LOGO"})
	})
	wants(fault.Conflict, "conflict", func(tx *models.Tx) error {
		v := &models.Submission{UID: "01890000-0000-7000-8000-000000000001", MerchantID: m.ID, Kind: models.KindRegistration, RequestID: "r", Body: []byte{1}}
		return tx.Submit(v, []models.Attachment{{DocumentID: d, Place: "x"}, {DocumentID: b.document(m, slot), Place: "x"}}, tx.Now)
	})
	wants(fault.Conflict, "conflict", func(tx *models.Tx) error { return tx.Retry(models.Document{ID: d}) })
	wants(fault.NotFound, "not_found", func(tx *models.Tx) error { _, err := tx.LockMerchant(999); return err })
	for _, err := range []error{
		func() error { _, err := b.Merchant(b.ctx(), 999); return err }(),
		func() error { _, err := b.Document(b.ctx(), 999); return err }(),
		func() error { _, err := b.PersonByEmail(b.ctx(), "nobody"); return err }(),
		func() error { _, _, err := b.Thumbnail(b.ctx(), d); return err }(),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	}
	late, cancel := context.WithTimeout(b.ctx(), 0)
	defer cancel()
	if _, err := b.Merchant(late, m.ID); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

func TestLockThatIsNotToBeHad(t *testing.T) {
	b := setup(t)
	m, _ := b.merchant("a")
	b.must(b.Write(b.ctx(), b.actor(), func(tx *models.Tx) error {
		if _, err := tx.LockMerchant(m.ID); err != nil {
			return err
		}
		tx.Audit(models.MerchantEdited, m.ID.Ref())
		err := b.Write(b.ctx(), b.actor(), func(other *models.Tx) error {
			if _, err := other.PGX().Exec(b.ctx(), "set local lock_timeout = '20ms'"); err != nil {
				return err
			}
			_, err := other.LockMerchant(m.ID)
			return err
		})
		if !fault.Is(err, fault.Conflict) {
			t.Error(err)
		}
		return nil
	}))
}

func TestOnlyOneDatabaseForOneDOKU(t *testing.T) {
	b := setup(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { b.must(b.Bind(b.ctx(), "api-uat.doku.com", "BRN-1")) })
	}
	wg.Wait()
	for _, other := range [][2]string{{"api.doku.com", "BRN-1"}, {"api-uat.doku.com", "BRN-2"}} {
		if err := b.Bind(b.ctx(), other[0], other[1]); fault.Code(err) != "database_of_other_doku" {
			t.Error(err)
		}
	}
	if b.count("select count(*) from audit where action = 'deployment.bound'") != 1 {
		t.Error("bound more than once")
	}
}
