package onboarding_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
)

// recount is what a recount finds, a line each.
func (b *bundle) recount(repair bool) (found []string) {
	b.Helper()
	r, err := b.Recount(b.ctx(), repair, func(d onboarding.Difference) error {
		if d.Merchant == 0 {
			found = append(found, fmt.Sprintf("%+v", d.Tally))
		} else {
			found = append(found, fmt.Sprintf("merchant %d, slot %d: %s is %s and not %s", d.Merchant, d.Slot, d.What, d.Kept, d.Counted))
		}
		return nil
	})
	b.must(err)
	if r.Differences != len(found) || r.Merchants != b.count("select count(*) from merchants") || r.Slots != b.count("select count(*) from slots") {
		b.Errorf("%+v", r)
	}
	return found
}

func (b *bundle) agrees() {
	b.Helper()
	for i, line := range b.recount(false) {
		if b.Error(line); i == 20 {
			b.Fatal("and more")
		}
	}
}

// crowd acts at random on a few merchants.
type crowd struct {
	*bundle
	r       *rand.Rand
	people  []models.Actor // who decide
	manager models.PersonID
	photos  [][]byte
	done    map[string]int
}

// pick is one id of those a query finds; false when it finds none.
func (c *crowd) pick(sql string) (id int64, found bool) {
	c.Helper()
	rows, err := c.db.Pool.Query(c.ctx(), sql)
	c.must(err)
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		c.must(rows.Scan(&id))
		ids = append(ids, id)
	}
	c.must(rows.Err())
	if len(ids) == 0 {
		return 0, false
	}
	return ids[c.r.IntN(len(ids))], true
}

func (c *crowd) form() onboarding.MerchantForm {
	f := personalForm()
	if c.r.IntN(3) == 0 {
		f = company()
	}
	return with(f, "name", fmt.Sprint("Merchant ", c.r.IntN(1000)), "due_on", c.clock.Now().AddDate(0, 0, c.r.IntN(40)-10).Format(time.DateOnly),
		"responsible", []string{"", c.staff.Person.String(), c.manager.String()}[c.r.IntN(3)])
}

func (c *crowd) upload(m models.MerchantID, row models.ChecklistRow) (models.DocumentID, error) {
	in := onboarding.UploadInput{Merchant: m, Slot: row.ID, Category: row.Category, Code: row.Code, FileName: "a.jpg", Body: bytes.NewReader(c.photos[c.r.IntN(len(c.photos))]), Fields: map[string]string{}}
	for _, f := range row.Form {
		in.Fields[f.Code] = strings.Repeat("7", max(f.MinSize, 1))
	}
	if c.r.IntN(5) == 0 {
		in.Fields = nil
	}
	done, err := c.Upload(c.ctx(), c.staff, in)
	return done.Document, err
}

func (c *crowd) finish(m models.MerchantID) error {
	rows, err := c.store.ChecklistRows(c.ctx(), m)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.State != models.SlotMissing && row.State != models.SlotRefused {
			continue
		}
		id, err := c.upload(m, row)
		if fault.Code(err) == "duplicate_file" {
			continue
		}
		if err == nil {
			err = c.SendDocument(c.ctx(), id)
		}
		if err != nil {
			return err
		}
	}
	if c.get(m).ProgressState == models.ProgressComplete && c.r.IntN(3) == 0 {
		return c.register(m)
	}
	return nil
}

// register has everything of a merchant approved, asks for its registration and, most of the time, sends it.
func (c *crowd) register(m models.MerchantID) error {
	rows, err := c.store.ChecklistRows(c.ctx(), m)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if d := row.Newest(); d != nil && d.Review == models.Undecided {
			if _, err := c.Decide(c.ctx(), c.people[c.r.IntN(len(c.people))], seen(*d, models.Approve)); err != nil {
				return err
			}
		}
	}
	id, err := c.Register(c.ctx(), c.staff, m, "")
	if err != nil || c.r.IntN(4) == 0 {
		return err
	}
	c.clock.Advance(onboarding.UndoTime)
	return c.SendSubmission(c.ctx(), id)
}

func (c *crowd) decide(outcome models.Outcome) error {
	id, ok := c.pick("select id from documents where queued_at is not null")
	if !ok {
		return nil
	}
	in := seen(c.doc(models.DocumentID(id)), outcome)
	if outcome == models.Refuse {
		in.Reasons = []string{[]string{"image_blurry", "image_cropped"}[c.r.IntN(2)]}
	} else if c.r.IntN(2) == 0 {
		in.Expires = c.clock.Now().AddDate(0, 0, c.r.IntN(200)-20).Format(time.DateOnly)
	}
	_, err := c.Decide(c.ctx(), c.people[c.r.IntN(len(c.people))], in)
	return err
}

func (c *crowd) act() (string, error) {
	m := func(where string) (models.MerchantID, bool) {
		id, ok := c.pick("select id from merchants where " + where)
		return models.MerchantID(id), ok
	}
	document := func(where string) (models.DocumentID, bool) {
		id, ok := c.pick("select d.id from documents d join slots s on s.id = d.slot_id join merchants m on m.id = d.merchant_id where " + where)
		return models.DocumentID(id), ok
	}
	someone := c.people[c.r.IntN(len(c.people))]
	switch n := c.r.IntN(100); {
	case n < 5:
		_, err := c.CreateMerchant(c.ctx(), c.staff, c.form(), true)
		return "create", err
	case n < 25:
		if id, ok := m("archived_at is null and set_id is not null"); ok {
			rows, err := c.store.ChecklistRows(c.ctx(), id)
			if err == nil && len(rows) > 0 {
				_, err = c.upload(id, rows[c.r.IntN(len(rows))])
			}
			return "upload", err
		}
	case n < 40:
		if id, ok := document("d.state = 'waiting'"); ok {
			return "deliver", c.SendDocument(c.ctx(), id)
		}
	case n < 43:
		if err := c.sim.AddFault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: []int{400, 500}[c.r.IntN(2)], Times: 1}); err != nil {
			return "fault", err
		}
	case n < 46:
		if id, ok := document("d.state in ('refused', 'failed')"); ok {
			_, err := c.Retry(c.ctx(), c.staff, id)
			return "retry", err
		}
	case n < 56:
		return "approve", c.decide(models.Approve)
	case n < 61:
		return "refuse", c.decide(models.Refuse)
	case n < 64:
		if id, ok := document("d.review <> 'undecided'"); ok {
			d := c.doc(id)
			decisions, err := c.store.Decisions(c.ctx(), id)
			if err != nil || len(decisions) == 0 {
				return "undo", err
			}
			if c.r.IntN(2) == 0 {
				return "undo", c.Undo(c.ctx(), models.Actor{Kind: models.ActorUser, Person: decisions[0].DecidedBy, Role: models.RoleReviewer}, id)
			}
			in := seen(d, models.Approve)
			in.Replaces, in.Note = decisions[0].ID, "it is legible after all, I looked twice"
			_, err = c.Decide(c.ctx(), someone, in)
			return "replace", err
		}
	case n < 68:
		if id, ok := document("d.withdrawn_at is null"); ok {
			_, err := c.Withdraw(c.ctx(), c.staff, id, "wrong file")
			return "withdraw", err
		}
	case n < 76:
		if id, ok := m("archived_at is null"); ok {
			f := c.form()
			for _, fixed := range []string{"business_type", "legal_entity", "business_line"} {
				delete(f, fixed)
			}
			return "edit", c.EditMerchant(c.ctx(), c.staff, id, f)
		}
	case n < 79:
		if id, ok := m("archived_at is null"); ok {
			return "combination", c.EditMerchant(c.ctx(), c.staff, id, c.form())
		}
	case n < 82:
		if id, ok := m("archived_at is null"); ok {
			return "archive", c.ArchiveMerchant(c.ctx(), c.staff, id)
		}
	case n < 85:
		if id, ok := m("archived_at is not null"); ok {
			return "restore", c.RestoreMerchant(c.ctx(), c.staff, id)
		}
	case n < 88:
		if id, ok := m("next_actor = 'staff' and progress_state = 'refused'"); ok {
			_, err := c.RecordMessage(c.ctx(), c.staff, onboarding.MessageInput{Merchant: id, Channel: models.Channels[0], Language: "id", Text: "Mohon foto ulang."})
			return "message", err
		}
	case n < 90:
		if id, ok := m("set_id is not null"); ok {
			_, err := c.AddSlot(c.ctx(), c.staff, id, doku.CategoryDocument, doku.CodeNIB)
			return "add a slot", err
		}
	case n < 92:
		if id, ok := c.pick("select id from slots where by_hand"); ok {
			var merchant models.MerchantID
			c.must(c.db.Pool.QueryRow(c.ctx(), "select coalesce((select merchant_id from slots where id = $1), 0)", id).Scan(&merchant))
			return "remove a slot", c.RemoveSlot(c.ctx(), c.staff, merchant, models.SlotID(id))
		}
	case n < 95:
		if id, ok := m("archived_at is null and registered_at is null"); ok {
			return "finish", c.finish(id)
		}
	case n < 98:
		if id, ok := m("progress_state = 'complete'"); ok {
			return "register", c.register(id)
		}
	case n < 99:
		_, err := c.RetryAll(c.ctx(), c.staff)
		return "retry all", err
	default:
		c.clock.Advance(time.Duration(c.r.IntN(60)) * time.Hour)
	}
	return "nothing", nil
}

// expected says whether an act may end so: somebody was faster, or what was asked for is not to be had just now.
func expected(err error) bool {
	if _, later := errors.AsType[onboarding.Later](err); later {
		return true
	}
	_, answered := errors.AsType[*doku.Error](err)
	return err == nil || answered || fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unavailable)
}

// Several people act at random, also on the same merchants at once, while the tallies are folded. With BERKAS_PROOF=full
// they do so ten thousand times.
func TestWhatIsKeptIsWhatTheRowsSay(t *testing.T) {
	acts, crowds := 150, 3
	if os.Getenv("BERKAS_PROOF") == "full" {
		acts = 10_002
	}
	b := setup(t)
	people, manager := b.reviewers(3), b.colleague(models.RoleManager)
	photos := make([][]byte, 12)
	for i := range photos {
		photos[i] = photo(fmt.Sprint("recount", i))
	}
	for range 4 {
		b.merchant()
	}
	ctx, stop := context.WithCancel(b.ctx())
	folded := make(chan error, 1)
	go func() {
		var err error
		for ctx.Err() == nil && err == nil {
			_, err = b.store.Keep().FoldTallies(b.ctx(), 7)
		}
		folded <- err
	}()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var all sync.WaitGroup
	done := make([]map[string]int, crowds)
	for i := range crowds {
		c := &crowd{bundle: b, r: rand.New(rand.NewPCG(seed, uint64(i))), people: people, manager: manager.Person, photos: photos, done: map[string]int{}}
		done[i] = c.done
		all.Go(func() {
			for range acts / crowds {
				what, err := c.act()
				if !expected(err) {
					t.Errorf("%s: %v", what, err)
				}
				if err == nil {
					c.done[what]++
				}
			}
		})
	}
	all.Wait()
	stop()
	b.must(<-folded)
	t.Log(done)
	b.agrees()
	b.must(b.FoldTallies(b.ctx()))
	if n := b.count("select count(*) from tally_deltas"); n != 0 {
		t.Errorf("%d changes are not folded", n)
	}
	b.agrees()
}

func TestDriftIsFoundAndMended(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	other := b.merchant()
	b.deliver(ktp(other, photo("ktp")))
	b.agrees()
	b.must(b.FoldTallies(b.ctx()))
	for _, drift := range []string{
		"update merchants set progress_state = 'failed', quarter = '1'",
		"update merchants set first_document_at = null, at_doku_at = null",
		`update merchants set progress = '{"done": 9, "total": 9, "lead": "x"}', next_actor = 'doku'`,
		"update slots set state = 'refused', refused_for = 'image_blurry', expires_on = '2027-01-01'",
		"update tallies set n = n + 1 where measure = 'slots'",
		"delete from tallies where kind = '*|*|*'",
		"insert into tallies (kind, whose, measure, day, key, n, total) values ('*|*|*', '', 'decided', '2026-11-16', 'refused|first', 3, 0)",
		"insert into tally_deltas (combination_id, person_id, measure, day, key, n, total) values (1, 0, 'due', '2026-11-16', '', 1, 0)",
		"delete from tallies",
	} {
		b.exec(drift)
		found := b.recount(true)
		if len(found) == 0 {
			t.Errorf("nobody noticed: %s", drift)
		}
		if left := b.recount(false); len(left) > 0 {
			t.Errorf("%s: left are %v", drift, left)
		}
	}
	if b.get(m).Quarter != models.QuarterRegistered {
		t.Errorf("%+v", b.get(m))
	}
}
