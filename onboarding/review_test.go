package onboarding_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
)

// reviewers are n people who decide.
func (b *bundle) reviewers(n int) (list []models.Actor) {
	b.Helper()
	for i := range n {
		id, err := auth.NewGate(b.store, b.clock.Now).AddPerson(b.ctx(), models.CLI, auth.NewPerson{Email: fmt.Sprintf("r%d@berkas.test", i), Name: fmt.Sprintf("Reviewer %d", i), Role: models.RoleReviewer, Password: "x", Demo: true})
		b.must(err)
		list = append(list, models.Actor{Kind: models.ActorUser, Person: id, Role: models.RoleReviewer})
	}
	return list
}

// waiting puts n documents of n/10 merchants into the reviewers' queue. One in five was uploaded by one of those who decide,
// when they were staff.
func (b *bundle) waiting(n int, uploaders []models.Actor) {
	b.Helper()
	first := b.merchant()
	b.exec(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id, progress_state, next_actor)
		select gen_random_uuid(), 'Merchant ' || i, 'merchant ' || i, business_type, legal_entity, business_line, nationality, combination_id, set_id, 'complete', 'reviewer'
		from merchants m, generate_series(1, $1) i where m.id = $2`, n/10, first)
	b.exec(`insert into slots (merchant_id, owner_path, category, code, ordinal, by_hand) select m.id, 'business', 'DOCUMENT', 'NIB', k, true from merchants m, generate_series(1, 10) k where m.id <> $1`, first)
	b.exec(`insert into documents (uid, merchant_id, slot_id, version, category, code, state, sha256, file_id, uploaded_by, uploaded_at, delivered_at, queued_at)
		select gen_random_uuid(), s.merchant_id, s.id, 1, s.category, s.code, 'delivered', sha256(s.id::text::bytea), 'f' || s.id, case when s.id % 5 = 0 then $1::bigint + s.id / 5 % $2 else $3 end, now(), now(), now()
		from slots s where s.by_hand`, uploaders[0].Person, len(uploaders), b.staff.Person)
	b.exec(`update slots s set document_id = d.id from documents d where d.slot_id = s.id and s.by_hand`)
	b.exec(`analyze`)
}

func seen(d models.Document, outcome models.Outcome) onboarding.DecisionInput {
	in := onboarding.DecisionInput{Document: d.ID, Version: d.Version, SHA256: hex.EncodeToString(d.SHA256), Outcome: outcome}
	if outcome == models.Refuse {
		in.Reasons = []string{"image_blurry"}
	}
	return in
}

// Eight reviewers take from the queue, or anything they see, while versions are replaced under their hands.
func TestReviewersInEachOthersWay(t *testing.T) {
	b := setup(t)
	const n = 500
	people := b.reviewers(8)
	b.waiting(n, people)
	replaced := make(chan struct{})
	go func() {
		defer close(replaced)
		for range 60 {
			b.replaceOne()
		}
	}()
	var all sync.WaitGroup
	for _, me := range people {
		all.Go(func() { b.decideAll(me) })
	}
	all.Wait()
	<-replaced
	for _, me := range people { // what was replaced last
		b.decideAll(me)
	}

	for what, sql := range map[string]string{
		"left in the queue":  "select count(*) from documents where queued_at is not null",
		"undecided":          "select count(*) from slots s join documents d on d.id = s.document_id where s.by_hand and d.review = 'undecided'",
		"decided twice":      "select count(*) from (select subject_id from audit where action in ('document.approved', 'document.rejected') group by subject_id having count(*) > 1) x",
		"unseen":             "select count(*) from decisions v join documents d on d.id = v.document_id where d.version <> v.version or d.sha256 <> v.sha256",
		"own":                "select count(*) from audit a join documents d on d.id = a.subject_id where a.action in ('document.approved', 'document.rejected') and a.actor_id = d.uploaded_by",
		"without a decision": "select count(*) from documents d where d.review <> 'undecided' and not exists (select 1 from decisions v where v.document_id = d.id and v.standing = 'counts' and v.outcome = d.review)",
		"without a trail":    "select count(*) from decisions v where not exists (select 1 from audit a where a.subject_id = v.document_id and (a.detail->>'decision')::bigint = v.id and a.actor_id = v.decided_by)",
		"of what was replaced": `select count(*) from audit v join documents d on d.id = v.subject_id join documents newer on newer.slot_id = d.slot_id and newer.version > d.version
			join audit u on u.subject_id = newer.id and u.action = 'document.uploaded' and u.id < v.id where v.action in ('document.approved', 'document.rejected')`,
		"more trail than truth": "select abs(count(*) - (select count(*) from decisions)) from audit where action in ('document.approved', 'document.rejected')",
	} {
		if got := b.count(sql); got != 0 {
			t.Errorf("%d %s", got, what)
		}
	}
	if got := b.count("select count(*) from decisions where standing = 'counts'"); got < n {
		t.Errorf("%d of %d decided", got, n)
	}
}

// replaceOne uploads another version where one waits, and DOKU takes it.
func (b *bundle) replaceOne() {
	rows, err := b.store.ReviewQueue(b.ctx(), models.ReviewFilter{}, b.clock.Now(), nil, 50)
	if err != nil || len(rows) == 0 {
		return
	}
	var next models.Document
	err = b.store.Write(b.ctx(), b.staff, func(tx *models.Tx) error {
		d, err := tx.Document(rows[rand.N(len(rows))].ID)
		if err != nil {
			return err
		}
		if _, err := tx.LockMerchant(d.MerchantID); err != nil {
			return err
		}
		next = models.Document{UID: fmt.Sprintf("00000000-0000-4000-8000-%012d", rand.Int64N(1e12)), MerchantID: d.MerchantID, SlotID: d.SlotID, Category: d.Category, Code: d.Code, SHA256: fmt.Appendf(nil, "%032d", rand.Int64())}
		return tx.AddDocument(&next)
	})
	if err == nil {
		_, err = b.store.Keep().ClaimDelivery(b.ctx(), next.ID, "me", time.Minute)
	}
	if err == nil {
		next.ClaimedBy = "me"
		err = b.store.Write(b.ctx(), models.DOKU, func(tx *models.Tx) error {
			return tx.Deliver(next, models.Delivery{FileID: "f", Link: []byte{1}, LinkExpiresAt: tx.Now})
		})
	}
	if err != nil {
		b.Error(err)
	}
}

// decideAll decides until the queue has nothing more for this reviewer, and in between on whatever they see.
func (b *bundle) decideAll(me models.Actor) {
	allowed := []string{"", "review_changed", "review_decided", "review_leased", "own_upload"}
	for {
		id, err := b.NextToReview(b.ctx(), me, onboarding.NextInput{})
		if err != nil {
			b.Error(err)
			return
		}
		if id == 0 {
			return
		}
		if rand.N(4) == 0 { // on something else that is in sight, leased or not
			if rows, err := b.store.ReviewQueue(b.ctx(), models.ReviewFilter{}, b.clock.Now(), nil, 20); err == nil && len(rows) > 0 {
				id = rows[rand.N(len(rows))].ID
			}
		}
		d, err := b.store.Document(b.ctx(), id)
		if err != nil {
			b.Error(err)
			return
		}
		outcome := models.Approve
		if rand.N(3) == 0 {
			outcome = models.Refuse
		}
		if _, err := b.Decide(b.ctx(), me, seen(d, outcome)); err != nil && !slices.Contains(allowed, fault.Code(err)) {
			b.Error(err)
			return
		}
	}
}

func TestASecondPairOfEyes(t *testing.T) {
	b := setup(t)
	people := b.reviewers(3)
	b.waiting(10, people)
	b.must(b.store.Write(b.ctx(), models.CLI, func(tx *models.Tx) error {
		return tx.SetReview(models.ReviewSettings{LeaseMinutes: 5, SecondEyes: []string{"NIB"}})
	}))
	id := models.DocumentID(b.count("select max(id) from documents where uploaded_by = $1", b.staff.Person))
	b.approve(people[0], id, "")
	if d := b.doc(id); d.Review != models.Undecided || d.FirstApprovedBy == nil || d.QueuedAt == nil {
		t.Errorf("%s after the first", d.Review)
	}
	b.approve(people[0], id, "own_approval")
	if next, err := b.NextToReview(b.ctx(), people[0], onboarding.NextInput{Filter: models.ReviewFilter{Category: "DOCUMENT"}}); err != nil || next == id {
		t.Errorf("%d %v: given to who approved it already", next, err)
	}
	b.approve(people[1], id, "")
	if d := b.doc(id); d.Review != "approved" || d.QueuedAt != nil {
		t.Errorf("%s after the second", d.Review)
	}
	b.must(b.Undo(b.ctx(), people[1], id))
	if d := b.doc(id); d.Review != models.Undecided || d.FirstApprovedBy == nil || *d.FirstApprovedBy != people[0].Person {
		t.Errorf("%+v after the second was undone", d.FirstApprovedBy)
	}
	_, err := b.Decide(b.ctx(), people[1], seen(b.doc(id), models.Refuse))
	b.must(err)
	if d := b.doc(id); d.Review != "refused" || d.FirstApprovedBy != nil {
		t.Errorf("%s: the second refused", d.Review)
	}
}

func (b *bundle) approve(who models.Actor, id models.DocumentID, want string) {
	b.Helper()
	_, err := b.Decide(b.ctx(), who, seen(b.doc(id), models.Approve))
	if fault.Code(err) != want {
		b.Errorf("%v, not %q", err, want)
	}
}

func TestADecisionIsChangedByAReasonedOne(t *testing.T) {
	b := setup(t)
	people := b.reviewers(2)
	b.waiting(10, people)
	id := models.DocumentID(b.count("select max(id) from documents where uploaded_by = $1", b.staff.Person))
	first, err := b.Decide(b.ctx(), people[0], seen(b.doc(id), models.Approve))
	b.must(err)
	b.clock.Advance(time.Minute)
	again := seen(b.doc(id), models.Refuse)
	_, err = b.Decide(b.ctx(), people[1], again)
	b.wants(err, "review_decided")
	again.Replaces = first.ID
	_, err = b.Decide(b.ctx(), people[1], again)
	b.wants(err, "change_needs_note")
	again.Note = "Alamat di KTP bukan alamat pemilik"
	second, err := b.Decide(b.ctx(), people[1], again)
	b.must(err)
	if d := b.doc(id); d.Review != "refused" {
		t.Error(d.Review)
	}
	again.Replaces = first.ID
	_, err = b.Decide(b.ctx(), people[0], again)
	b.wants(err, "review_decided")
	b.must(b.Undo(b.ctx(), people[1], id))
	if d := b.doc(id); d.Review != "approved" || b.count("select count(*) from decisions where id = $1 and standing = 'counts'", first.ID) != 1 || b.count("select count(*) from decisions where id = $1 and standing = 'undone'", second.ID) != 1 {
		t.Errorf("%s after the change was undone", d.Review)
	}
	if n := b.count("select count(*) from decisions where note is not null and position('Alamat' in encode(note, 'escape')) > 0"); n != 0 {
		t.Error("a note is kept in clear")
	}
}

func TestAskedAndPutOff(t *testing.T) {
	b := setup(t)
	people := b.reviewers(2)
	b.waiting(10, people)
	id := models.DocumentID(b.count("select max(id) from documents where uploaded_by = $1", b.staff.Person))
	b.wants(b.Ask(b.ctx(), people[0], id, people[1].Person, " "), "question_required")
	b.wants(b.Ask(b.ctx(), people[0], id, b.staff.Person, "Stempelnya asli?"), "reviewer_unknown")
	b.must(b.Ask(b.ctx(), people[0], id, people[1].Person, "Stempelnya asli?"))
	mine, err := b.store.ReviewQueue(b.ctx(), models.ReviewFilter{Mine: people[1].Person}, b.clock.Now(), nil, 10)
	b.must(err)
	if len(mine) != 1 || mine[0].ID != id {
		t.Errorf("%+v", mine)
	}
	b.wants(b.Snooze(b.ctx(), people[1], id, b.clock.Now()), "snooze_invalid")
	b.must(b.Snooze(b.ctx(), people[1], id, b.clock.Now().Add(time.Hour)))
	rows, err := b.store.ReviewQueue(b.ctx(), models.ReviewFilter{}, b.clock.Now(), nil, 100)
	b.must(err)
	if slices.ContainsFunc(rows, func(r models.ReviewRow) bool { return r.ID == id }) {
		t.Error("it was put off and waits")
	}
	b.clock.Advance(2 * time.Hour)
	if rows, err = b.store.ReviewQueue(b.ctx(), models.ReviewFilter{}, b.clock.Now(), nil, 100); err != nil || !slices.ContainsFunc(rows, func(r models.ReviewRow) bool { return r.ID == id }) {
		t.Error("it does not come back")
	}
}
