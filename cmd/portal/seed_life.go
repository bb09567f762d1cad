package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"berkas/doku"
	"berkas/models"
	"berkas/onboarding"
)

// How many of each a merchant has at most, and so how far apart the ids of two merchants' rows are.
const (
	slotsEach     = 12
	documentsEach = 40
)

// seedSpan is how far back an invented portfolio begins.
const seedSpan = 2 * 365 * 24 * time.Hour

// cast is what all invented merchants have in common.
type cast struct {
	seed         uint64
	merchants    int
	today        time.Time // midnight, UTC: nothing invented is later
	service      *onboarding.Service
	staff        []models.Person
	reviewers    []models.Person
	combinations []askedOf
	first        struct{ merchant, slot, document, decision, submission, transition, message int64 } // ids
}

// askedOf is a combination with what DOKU asks for, and how usual it is.
type askedOf struct {
	models.Combination
	items  []models.Requirement
	weight int
}

// life is one invented merchant with all that happened to it.
type life struct {
	*cast
	*rand.Rand
	i       int // which one
	uids    *rand.Rand
	dossier models.Dossier
	keys    []models.MerchantKey
	form    onboarding.MerchantForm
	nik     string
	owner   models.Person // who looks after it, and uploads
	rows    []models.ChecklistRow
	fields  []models.SlotField
	docs    []models.Document
	decided []models.Decision
	passed  []passage
	message *models.Message
	done    []doneMore
	last    time.Time // when something happened last
}

// passage is one change of state.
type passage struct {
	at       time.Time
	kind     string
	subject  int64
	from, to string
	by       *models.Person // nil: the program
}

// doneMore says that from a time on more slots were done, or fewer.
type doneMore struct {
	at   time.Time
	more int
}

// live invents the merchant of a number. The same seed, number and date invent the same one; only what is sealed differs, by
// its random nonces.
func (c *cast) live(i int) *life {
	l := &life{cast: c, i: i, Rand: rand.New(rand.NewPCG(c.seed, uint64(i))), uids: c.uids(i)}
	created := l.birth()
	l.introduce(created)
	l.ask()
	l.collect(created)
	l.conclude(created)
	return l
}

// uids is the source of a merchant's public names, apart from all else that is left to chance.
func (c *cast) uids(i int) *rand.Rand { return rand.New(rand.NewPCG(c.seed^0x6265726b6173, uint64(i))) }

func (l *life) uid() string {
	var b [16]byte
	for i := 0; i < 16; i += 8 {
		n := l.uids.Uint64()
		for k := range 8 {
			b[i+k] = byte(n >> (8 * k))
		}
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// birth is when the merchant was made: in office hours, and more and more of them as the two years go by.
func (l *life) birth() time.Time {
	u := (float64(l.i) + 0.5) / float64(l.merchants)
	at := l.today.Add(time.Duration((math.Sqrt(1+3*u)-1)*float64(seedSpan)) - seedSpan)
	midnight := at.Truncate(24 * time.Hour)
	if midnight.Weekday() == time.Sunday {
		midnight = midnight.AddDate(0, 0, -1)
	}
	return midnight.Add(time.Hour + l.upTo(9*time.Hour)) // 8 to 17 in Jakarta
}

func (l *life) upTo(d time.Duration) time.Duration {
	return time.Duration(l.Int64N(int64(d))).Truncate(time.Microsecond)
}

// around is a duration that is mostly shorter than its mean and sometimes far longer.
func (l *life) around(mean time.Duration) time.Duration {
	return time.Duration(l.ExpFloat64() * float64(mean)).Truncate(time.Microsecond)
}

func (l *life) chance(p float64) bool { return l.Float64() < p }

func (l *life) past(t time.Time) bool { return t.Before(l.today) }

// introduce types the merchant's form.
func (l *life) introduce(created time.Time) {
	n := l.IntN(l.combinations[len(l.combinations)-1].weight) // weights add up along the list
	at := slices.IndexFunc(l.combinations, func(a askedOf) bool { return n < a.weight })
	asked := l.combinations[at]
	name := shopName(l.Rand)
	if asked.BusinessType == doku.Corporate {
		name = companyName(l.Rand, asked.LegalEntity)
	}
	l.owner = l.colleague(at)
	id := l.first.merchant + int64(l.i)
	who, digits := personName(l.Rand), func(n int) string { return fmt.Sprintf("%0*d", n, l.Int64N(int64(math.Pow10(n)))) }
	l.nik = "99" + digits(14) // no province has this number
	l.form = onboarding.MerchantForm{"name": name, "business_type": asked.BusinessType, "legal_entity": asked.LegalEntity, "business_line": asked.BusinessLine, "nationality": asked.Nationality,
		"email": "halo" + strconv.FormatInt(id, 10) + "@usaha.example", "phone_number": "800" + digits(8), "owner_name": who, "owner_position": "OWNER",
		"owner_email": "pemilik" + strconv.FormatInt(id, 10) + "@usaha.example", "owner_phone_number": "800" + digits(8),
		"owner_birth_date": l.today.AddDate(-20-l.IntN(45), 0, -l.IntN(365)).Format(time.DateOnly), "owner_gender": []string{"F", "M"}[l.IntN(2)], "npwp": "99" + digits(14),
		"address_street": "Jl. " + pick(l.Rand, streets) + " " + strconv.Itoa(1+l.IntN(200)), "address_area": pick(l.Rand, cities), "address_country": "ID",
		"bank_name": []string{"Bank Contoh Raya", "Bank Umpama", "Bank Rekaan Nusantara"}[l.IntN(3)], "bank_account_name": who, "bank_account_number": "0000" + digits(8)}
	var err error
	if l.dossier, l.keys, err = l.service.InventMerchant(l.uid(), l.form); err != nil {
		panic(err) // of texts: cannot fail
	}
	m := &l.dossier.Merchant
	m.ID, m.CombinationID, m.SetID, m.CreatedAt, m.CreatedBy = models.MerchantID(id), asked.ID, asked.SetID, created, &l.owner.ID
	if !l.chance(.07) {
		m.ResponsibleID = &l.owner.ID
	}
	if l.chance(.7) {
		due := created.Truncate(24*time.Hour).AddDate(0, 0, 30+l.IntN(60))
		m.DueOn = &due
	}
	l.pass(created, "merchant", id, "", string(models.ProgressPending), &l.owner)
	l.pass(created, "merchant", id, string(models.ProgressPending), string(models.ProgressTodo), &l.owner)
	l.until(created)
}

// colleague is one of the few who look after merchants of a kind: half of the staff after the usual one, the others after
// some kinds each.
func (l *life) colleague(combination int) models.Person {
	half := len(l.staff) / 2
	if combination == 0 {
		return l.staff[l.IntN(half)]
	}
	rest := l.staff[half:]
	return rest[(5*combination+l.IntN(1+len(rest)/8))%len(rest)]
}

type kind struct{ category, code string }

// handed are the places that colleagues add by hand, in the order they think of them.
var handed = []kind{{doku.CategoryServiceAgreement, ""}, {doku.CategoryBankAccount, ""}, {doku.CategoryLogo, ""}, {"DOCUMENT", "NPWP_ORANG_PRIBADI"}, {"DOCUMENT", "NIB_PERSEORANGAN"},
	{"DOCUMENT", "IZIN_USAHA_PERSEORANGAN"}, {"DOCUMENT", "IZIN_USAHA"}, {"DOCUMENT", "SERTIFIKAT_HALAL_MUI"}, {"DOCUMENT", "BPOM"}, {"DOCUMENT", "IZIN_DISTRIBUTOR_RESMI"},
	{"DOCUMENT", "COMPANY_REGISTRATION"}, {"DOCUMENT", "TANDA_DAFTAR_PSE"}}

// ask makes the merchant's checklist: what DOKU asks for, and what was added by hand until there are slotsEach.
func (l *life) ask() {
	m := l.dossier.Merchant
	at := slices.IndexFunc(l.combinations, func(a askedOf) bool { return a.ID == m.CombinationID })
	add := func(s models.Slot, form []models.FormField) {
		s.ID, s.MerchantID, s.CreatedAt = models.SlotID(l.first.slot+int64(l.i*slotsEach+len(l.rows))), m.ID, m.CreatedAt
		l.rows = append(l.rows, models.ChecklistRow{Slot: s, Form: form})
	}
	for i := range l.combinations[at].items {
		q := &l.combinations[at].items[i]
		add(models.Slot{OwnerPath: q.OwnerPath, Category: q.Category, Code: q.Code, Position: q.Position, RequirementID: &q.ID}, q.Form)
	}
	for _, p := range handed {
		if len(l.rows) >= slotsEach || slices.ContainsFunc(l.rows, func(r models.ChecklistRow) bool { return r.Category == p.category && r.Code == p.code }) {
			continue
		}
		add(models.Slot{OwnerPath: "business", Category: p.category, Code: p.code, ByHand: true}, nil)
	}
}

// collect hands documents in, one slot after another, until today or until nobody goes on with this merchant.
func (l *life) collect(created time.Time) {
	wanted := slotsEach
	if l.chance(.67) { // somebody lost interest
		wanted = int(math.Pow(l.Float64(), 1.3) * slotsEach)
	}
	pace := time.Duration(math.Exp(l.NormFloat64()) * float64(16*time.Hour))
	at := created.Add(l.around(40 * time.Hour))
	for k := range l.rows {
		if k >= wanted || !l.past(at) {
			return
		}
		l.submit(k, 1, at)
		at = at.Add(l.around(pace))
	}
}

// submit hands in one version of a slot's document; what becomes of it may bring another.
func (l *life) submit(k, version int, at time.Time) {
	row := &l.rows[k]
	id := models.DocumentID(l.first.document + int64(l.i*documentsEach+len(l.docs)))
	d := models.Document{ID: id, UID: l.uid(), MerchantID: row.MerchantID, SlotID: row.ID, Version: version, Category: row.Category, Code: row.Code,
		FileName: onboarding.DocumentCode(row.Category, row.Code) + []string{".jpg", ".pdf"}[l.IntN(2)], ContentType: "image/jpeg", Size: 40_000 + l.Int64N(3_000_000),
		UploadedAt: at, UploadedBy: &l.owner.ID, Review: models.Undecided, Attempts: 1, Reasons: []string{}, PurgedAt: &l.today}
	l.until(at)
	if row.Code == doku.CodeKTP && version == 1 && l.chance(.96) {
		field, key := l.service.InventNIK(l.dossier.Merchant.UID, row.Slot, l.nik)
		field.SetAt, field.SetBy = at, &l.owner.ID
		row.Fields, l.fields, l.keys = []models.SlotField{field}, append(l.fields, field), append(l.keys, key)
	}
	sum := sha256.Sum256([]byte(d.UID)) // of a file that never was: decisions name it
	d.SHA256 = sum[:]
	again, since := time.Time{}, at
	switch fate := l.Float64(); {
	case fate < .004 && l.today.Sub(at) < 30*24*time.Hour: // DOKU could not take it yet
		d.State, d.Attempts, d.Problem = models.Waiting, 2, "limited"
	case fate < .006:
		d.State, d.Attempts, d.Problem, since = models.Failed, 8, "upload_failed", at.Add(20*time.Minute)
		l.pass(since, "document", int64(id), string(models.Sending), string(models.Failed), nil)
		again = at.Add(l.around(72 * time.Hour))
	case fate < .016:
		since = at.Add(4 * time.Second)
		d.State, d.Problem, d.DOKUSays, d.DecidedAt = models.Refused, onboarding.RefusedByDOKU, "The document is not readable", &since
		l.pass(since, "document", int64(id), string(models.Sending), string(models.Refused), nil)
		again = at.Add(l.around(48 * time.Hour))
	default:
		again = l.arrive(k, &d)
		if since = *d.DeliveredAt; d.DecidedAt != nil {
			since = *d.DecidedAt
		}
	}
	row.StateSince = since
	l.docs = append(l.docs, d)
	row.DocumentID, row.Documents = &d.ID, []models.Document{d}
	if !again.IsZero() && l.past(again) && version < 4 && l.chance(.82) {
		l.submit(k, version+1, again)
	}
}

// arrive is a document at DOKU, and what a reviewer says of it. It returns when the next version comes, the zero time when
// none is needed.
func (l *life) arrive(k int, d *models.Document) (again time.Time) {
	delivered := d.UploadedAt.Add(time.Second + l.around(5*time.Second))
	d.State, d.FileID, d.DeliveredAt = models.Delivered, onboarding.InventedFile(d.ID), &delivered
	if onboarding.Expires(d.Category, d.Code) && l.chance(.8) {
		on := delivered.Truncate(24*time.Hour).AddDate(0, 0, 60+l.IntN(1400))
		d.ExpiresOn = &on
	}
	l.pass(delivered, "document", int64(d.ID), string(models.Sending), string(models.Delivered), nil)
	complete := len(onboarding.MissingFields(l.rows[k])) == 0
	if complete {
		l.done = append(l.done, doneMore{delivered, 1})
	}
	decided := delivered.Add(time.Duration(math.Exp(l.NormFloat64()*1.1) * float64(9*time.Hour)).Truncate(time.Microsecond))
	if !l.past(decided) {
		return time.Time{}
	}
	reviewer := l.reviewers[l.IntN(len(l.reviewers))]
	v := models.Decision{ID: models.DecisionID(l.first.decision + int64(l.i*documentsEach+len(l.docs))), UID: l.uid(), DocumentID: d.ID, MerchantID: d.MerchantID, Version: d.Version, SHA256: d.SHA256,
		Outcome: models.Approve, Standing: models.Counts, Reasons: []string{}, Facts: l.service.InventReliance(l.form, *d, l.typedNIK(k)), UploadedBy: d.UploadedBy,
		DecidedBy: reviewer.ID, DecidedAt: decided, QueuedAt: &delivered, ScreenMS: 6000 + l.Int64N(120_000)}
	if refusal := map[bool]float64{true: .19, false: .09}[d.Version == 1]; l.chance(refusal) {
		v.Outcome, v.Reasons = models.Refuse, l.reasons(d.Category)
		again = decided.Add(l.around(90 * time.Hour))
		if complete {
			l.done = append(l.done, doneMore{decided, -1})
		}
		l.tell(decided)
	}
	d.Review, d.DecidedAt, d.Reasons = string(v.Outcome), &decided, v.Reasons
	l.decided = append(l.decided, v)
	l.pass(decided, "review", int64(d.ID), models.Undecided, d.Review, &reviewer)
	return again
}

// typedNIK is what was typed beside the document of a slot.
func (l *life) typedNIK(k int) string {
	if len(l.rows[k].Fields) == 0 {
		return ""
	}
	return l.nik
}

// faults are why reviewers refuse, the usual ones several times.
var faults = map[bool][]string{
	true: {"image_blurry", "image_blurry", "image_blurry", "image_glare", "image_glare", "image_too_dark", "image_cropped", "image_cropped", "image_obscured", "photocopy", "screenshot"},
	false: {"document_expired", "document_expired", "image_blurry", "image_blurry", "name_mismatch", "name_mismatch", "missing_page", "missing_page", "not_signed", "incomplete_data",
		"address_mismatch", "wrong_document", "stamp_missing", "document_too_old", "id_number_mismatch", "suspected_manipulation"},
}

func (l *life) reasons(category string) []string {
	list := faults[category == doku.CategoryPhotoProof || category == doku.CategoryOwnerLiveness || category == doku.CategoryLogo]
	return []string{list[l.IntN(len(list))]}
}

// tell writes to the merchant what to send again, more often than not.
func (l *life) tell(refused time.Time) {
	at := refused.Add(l.around(12 * time.Hour))
	if m := &l.dossier.Merchant; l.past(at) && l.chance(.6) && (m.MessagedAt == nil || m.MessagedAt.Before(at)) {
		m.MessagedAt = &at
		uid := l.uid()
		l.message = &models.Message{ID: models.MessageID(l.first.message + int64(l.i)), UID: uid, MerchantID: m.ID, Channel: models.WhatsApp, Language: "id",
			Body: l.service.InventMessage(uid, "Halo, mohon kirim ulang dokumen yang kami sebutkan. Terima kasih."), SentBy: l.owner.ID, SentAt: at}
		l.until(at)
	}
}

// conclude registers and archives those for whom the time has come, and computes how far the merchant is.
func (l *life) conclude(created time.Time) {
	m := &l.dossier.Merchant
	standing := onboarding.Completeness(*m, models.ChecklistReady, l.rows, l.last)
	m.FirstDocumentAt, m.AtDOKUAt, m.ApprovedAt = l.stages(standing)
	if standing.Approved && l.chance(.93) {
		if at := m.ApprovedAt.Add(l.around(60 * time.Hour)); l.past(at) {
			l.register(at)
			standing = onboarding.Completeness(*m, models.ChecklistReady, l.rows, l.last)
		}
	}
	m.Progress, m.ProgressState, m.NextActor, m.Quarter, m.Kinds = standing.Progress, standing.State, standing.Next, standing.Quarter, standing.Kinds
	m.NextActorSince = standing.Since
	if to := string(m.ProgressState); to != string(models.ProgressTodo) {
		l.pass(l.last, "merchant", int64(m.ID), string(models.ProgressTodo), to, nil)
	}
	m.Course = l.course(created, standing.Quarter)
	if at := l.last.Add(l.around(2000 * time.Hour)); l.chance(.04) && l.past(at) {
		m.ArchivedAt = &at
		l.until(at)
	}
	m.UpdatedAt = l.last
	for k := range l.rows {
		row := &l.rows[k]
		since := row.StateSince
		row.Slot = onboarding.KeptSlot(*row)
		if row.StateSince = since; since.IsZero() {
			row.StateSince = created
		}
	}
	l.queue()
}

// stages are when the merchant first had a document, all of them at DOKU, and all of them approved.
func (l *life) stages(s onboarding.Standing) (first, delivered, approved *time.Time) {
	for k := range l.rows {
		if d := l.rows[k].Newest(); d != nil {
			first = earliest(first, d.UploadedAt)
			if d.DeliveredAt != nil && s.AtDOKU {
				delivered = latest(delivered, *d.DeliveredAt)
			}
			if d.DecidedAt != nil && s.Approved {
				approved = latest(approved, *d.DecidedAt)
			}
		}
	}
	for i := range l.docs {
		first = earliest(first, l.docs[i].UploadedAt)
	}
	return first, delivered, approved
}

func earliest(a *time.Time, b time.Time) *time.Time {
	if a == nil || b.Before(*a) {
		return &b
	}
	return a
}

func latest(a *time.Time, b time.Time) *time.Time {
	if a == nil || b.After(*a) {
		return &b
	}
	return a
}

func (l *life) register(at time.Time) {
	m := &l.dossier.Merchant
	id := strconv.FormatInt(int64(m.ID), 10)
	submission := models.SubmissionID(l.first.submission + int64(l.i))
	m.SubmissionID, m.Registration = &submission, models.Registered
	m.RegisteredAt, m.BusinessID, m.BrandID, m.BusinessStatus = &at, "BSN-seeded-"+id, "BRN-seeded-"+id, doku.StatusUpdating
	l.until(at)
	if active := at.Add(l.around(5 * 24 * time.Hour)); l.past(active) && l.chance(.97) {
		m.BusinessStatus, m.ActiveAt = doku.StatusActive, &active
		l.until(active)
	}
}

// course is in which quarter of what is asked the merchant was, week by week.
func (l *life) course(created time.Time, now models.Quarter) []models.Step {
	slices.SortFunc(l.done, func(a, b doneMore) int { return a.at.Compare(b.at) })
	steps, n := onboarding.Walk(nil, created, "0"), 0
	for _, d := range l.done {
		n += d.more
		steps = onboarding.Walk(steps, d.at, models.Quarter(strconv.Itoa(4*n/len(l.rows))))
	}
	at := l.last
	if r := l.dossier.Merchant.RegisteredAt; r != nil {
		at = *r
	}
	return onboarding.Walk(steps, at, now)
}

// queue puts what waits for a reviewer into their queue, as Tx.Queue does.
func (l *life) queue() {
	m := l.dossier.Merchant
	for i := range l.docs {
		d := &l.docs[i]
		if d.State != models.Delivered {
			continue
		}
		d.ReviewDueOn, d.BusinessType, d.BusinessLine = m.DueOn, m.BusinessType, m.BusinessLine
		counts := slices.ContainsFunc(l.rows, func(r models.ChecklistRow) bool { return r.ID == d.SlotID && *r.DocumentID == d.ID })
		if counts && d.Review == models.Undecided && m.ArchivedAt == nil && m.RegisteredAt == nil {
			d.QueuedAt = d.DeliveredAt
		}
	}
}

// pass records a change of state.
func (l *life) pass(at time.Time, kind string, subject int64, from, to string, by *models.Person) {
	l.passed = append(l.passed, passage{at, kind, subject, from, to, by})
	l.until(at)
}

func (l *life) until(at time.Time) {
	if at.After(l.last) {
		l.last = at
	}
}
