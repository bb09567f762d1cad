package onboarding_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/internal/auth"
	"berkas/internal/blob"
	"berkas/internal/fault"
	"berkas/internal/paper"
	"berkas/internal/pg"
	"berkas/internal/testdb"
	"berkas/internal/vault"
	"berkas/jobs"
	"berkas/models"
	"berkas/onboarding"
)

var partner = dokusim.Partner{ClientID: "BRN-0001-1700000000000", SecretKey: "SK-OwnTestVector-0001"}

// clock is the time of everything in a test; it stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// bundle is a whole business: a database, a DOKU, files, and one colleague.
type bundle struct {
	*testing.T
	*onboarding.Service
	clock    *clock
	db       *pg.DB
	store    *models.Store
	sim      *dokusim.Simulator
	server   *httptest.Server
	vault    *vault.Vault
	blobDir  string
	papers   *paper.Inspector
	staff    models.Actor
	reviewer models.Actor // once approveAll needed one
	lookup   bool
}

// papers is one Inspector for all tests, with a compile cache that outlives them.
var papers = sync.OnceValues(func() (*paper.Inspector, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return paper.NewInspector(paper.Options{CacheDir: filepath.Join(cache, "berkas-test", "pdfium")})
})

type option func(*bundle, *dokusim.Options)

func withLookup(b *bundle, o *dokusim.Options) { b.lookup, o.FileLookup = true, true }

func withLinkTTL(d time.Duration) option {
	return func(_ *bundle, o *dokusim.Options) { o.LinkTTL = d }
}

func setup(t *testing.T, options ...option) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{T: t, clock: &clock{t: time.Now().Truncate(time.Second)}, db: testdb.New(t), blobDir: t.TempDir()}
	o := dokusim.Options{Partners: []dokusim.Partner{partner}, Now: b.clock.Now}
	for _, change := range options {
		change(b, &o)
	}
	var err error
	b.sim, err = dokusim.New(o)
	b.must(err)
	b.server = httptest.NewServer(b.sim)
	t.Cleanup(func() { b.sim.ClearFaults(); b.server.Close(); b.sim.Close() })
	b.vault, err = vault.New(bytes.Repeat([]byte{9}, vault.KeySize))
	b.must(err)
	b.papers, err = papers()
	b.must(err)
	b.store = models.NewStore(b.db.Gorm, b.clock.Now)
	disk, err := blob.OpenDisk(b.blobDir)
	b.must(err)
	blobs := blob.New(disk, b.vault)
	t.Cleanup(func() { blobs.Close() })
	b.Service = b.replica(blobs)
	id, err := auth.NewGate(b.store, b.clock.Now).AddPerson(t.Context(), models.CLI, auth.NewPerson{Email: "staff@berkas.test", Name: "Sari", Role: models.RoleStaff, Password: "x", Demo: true})
	b.must(err)
	b.staff = models.Actor{Kind: models.ActorUser, Person: id, Role: models.RoleStaff}
	return b
}

// replica is another process on the same database, files and DOKU.
func (b *bundle) replica(blobs *blob.Store) *onboarding.Service {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	health := onboarding.NewHealth(b.store, b.clock.Now, log)
	o := doku.Options{BaseURL: b.server.URL, SimulatorLinks: b.server.URL, ClientID: partner.ClientID, SecretKey: partner.SecretKey, Now: b.clock.Now, Observe: health.Observe}
	if b.lookup {
		o.FileLookup = "/file/{id}"
	}
	client, err := doku.New(o)
	b.must(err)
	inserter, err := jobs.NewInserter(b.db.Pool)
	b.must(err)
	return onboarding.New(onboarding.Parts{Store: b.store, DOKU: client, Blobs: blobs, Vault: b.vault, Papers: b.papers, Queue: jobs.NewQueue(inserter),
		Watch: models.NewWatch(), Health: health, FileLookup: b.lookup, Now: b.clock.Now, Log: log})
}

func (b *bundle) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// wants fails the test unless err is the fault with this code.
func (b *bundle) wants(err error, code string) {
	b.Helper()
	if fault.Code(err) != code {
		b.Fatalf("%v, not %s", err, code)
	}
}

func (b *bundle) ctx() context.Context { return b.Context() }

func personalForm() onboarding.MerchantForm {
	return onboarding.MerchantForm{"name": "Warung Bu Sari", "business_type": "PERSONAL", "legal_entity": "PERSEORANGAN", "business_line": "RETAIL", "nationality": "ID",
		"email": "sari@warung.co.id", "phone_number": "081234567890", "owner_name": "Sari Dewi", "owner_phone_number": "081298765432",
		"address_area": "17133 - Kali Baru - Medan Satria - Bekasi - Jawa Barat", "address_street": "Jalan Gatot Subroto 20", "brand_category": "RETAIL",
		"bank_account_number": "1234567890", "npwp": "123456789012345"}
}

func with(f onboarding.MerchantForm, pairs ...string) onboarding.MerchantForm {
	f = maps.Clone(f)
	for i := 0; i < len(pairs); i += 2 {
		f[pairs[i]] = pairs[i+1]
	}
	return f
}

func company() onboarding.MerchantForm {
	return with(personalForm(), "name", "PT Maju", "business_type", "CORPORATE", "legal_entity", "PT", "business_line", "MINING", "email", "pt@maju.co.id", "phone_number", "0215551234", "owner_phone_number", "")
}

// merchant is a new personal merchant with its checklist.
func (b *bundle) merchant() models.MerchantID {
	b.Helper()
	id, err := b.CreateMerchant(b.ctx(), b.staff, personalForm(), true)
	b.must(err)
	return id
}

func (b *bundle) get(id models.MerchantID) models.Merchant {
	b.Helper()
	m, err := b.store.Merchant(b.ctx(), id)
	b.must(err)
	return m
}

func (b *bundle) doc(id models.DocumentID) models.Document {
	b.Helper()
	d, err := b.store.Document(b.ctx(), id)
	b.must(err)
	return d
}

func (b *bundle) rows(id models.MerchantID) []models.ChecklistRow {
	b.Helper()
	rows, err := b.store.ChecklistVersions(b.ctx(), id)
	b.must(err)
	return rows
}

func (b *bundle) row(id models.MerchantID, category, code string) models.ChecklistRow {
	b.Helper()
	rows := b.rows(id)
	i := slices.IndexFunc(rows, func(r models.ChecklistRow) bool { return r.Category == category && r.Code == code })
	if i < 0 {
		b.Fatalf("no slot %s %s", category, code)
	}
	return rows[i]
}

func ktp(m models.MerchantID, content []byte) onboarding.UploadInput {
	return onboarding.UploadInput{Merchant: m, Category: doku.CategoryDocument, Code: doku.CodeKTP, FileName: "ktp.jpg", Body: bytes.NewReader(content),
		Fields: map[string]string{"NO_KTP": "3175 0123 4567 8901"}}
}

// upload takes a file, which waits to be sent.
func (b *bundle) upload(in onboarding.UploadInput) models.DocumentID {
	b.Helper()
	done, err := b.Upload(b.ctx(), b.staff, in)
	b.must(err)
	return done.Document
}

// deliver uploads and sends.
func (b *bundle) deliver(in onboarding.UploadInput) models.DocumentID {
	b.Helper()
	id := b.upload(in)
	b.must(b.SendDocument(b.ctx(), id))
	if d := b.doc(id); d.State != models.Delivered {
		b.Fatalf("%s: %s %s", d.State, d.Problem, d.DOKUSays)
	}
	return id
}

// ready is a merchant whose documents are at DOKU and approved, a minute ago, by somebody else.
func (b *bundle) ready(form onboarding.MerchantForm) (m models.MerchantID, documents []models.DocumentID) {
	b.Helper()
	m, err := b.CreateMerchant(b.ctx(), b.staff, form, true)
	b.must(err)
	for _, row := range b.rows(m) {
		in := ktp(m, photo("ktp"))
		if row.Code != doku.CodeKTP {
			in = onboarding.UploadInput{Merchant: m, Category: row.Category, Code: row.Code, FileName: "a.jpg", Body: bytes.NewReader(photo(row.Category + row.Code))}
		}
		documents = append(documents, b.deliver(in))
	}
	b.approveAll(documents...)
	return m, documents
}

// approveAll has a reviewer approve documents, a minute ago.
func (b *bundle) approveAll(documents ...models.DocumentID) {
	b.Helper()
	if b.reviewer.Person == 0 {
		id, err := auth.NewGate(b.store, b.clock.Now).AddPerson(b.ctx(), models.CLI, auth.NewPerson{Email: "reviewer@berkas.test", Name: "Rudi", Role: models.RoleReviewer, Password: "x", Demo: true})
		b.must(err)
		b.reviewer = models.Actor{Kind: models.ActorUser, Person: id, Role: models.RoleReviewer}
	}
	for _, id := range documents {
		_, err := b.Decide(b.ctx(), b.reviewer, seen(b.doc(id), models.Approve))
		b.must(err)
	}
	b.exec(`update decisions set decided_at = decided_at - interval '1 minute'`)
}

// registered is a merchant whose documents are at DOKU and belong to a business: KTP, photo proof, liveness.
func (b *bundle) registered() (m models.MerchantID, documents []models.DocumentID) {
	b.Helper()
	m, documents = b.ready(personalForm())
	b.must(b.SendSubmission(b.ctx(), b.register(m)))
	order := map[string]int{doku.CategoryDocument: 0, doku.CategoryPhotoProof: 1, doku.CategoryOwnerLiveness: 2}
	slices.SortFunc(documents, func(x, y models.DocumentID) int { return order[b.doc(x).Category] - order[b.doc(y).Category] })
	return m, documents
}

// register asks for a merchant to be registered.
func (b *bundle) register(m models.MerchantID) models.SubmissionID {
	b.Helper()
	id, err := b.Register(b.ctx(), b.staff, m, "")
	b.must(err)
	return id
}

// read is all of a document as a person gets it, and where it came from.
func (b *bundle) read(id models.DocumentID) (content []byte, source string, err error) {
	return readFrom(b.ctx(), b.Service, b.staff, id)
}

func readFrom(ctx context.Context, s *onboarding.Service, actor models.Actor, id models.DocumentID) ([]byte, string, error) {
	o, err := s.OpenDocument(ctx, actor, id)
	if err != nil {
		return nil, "", err
	}
	defer o.Close()
	content, err := io.ReadAll(o)
	return content, o.Source, err
}

func (b *bundle) fault(f dokusim.Fault) {
	b.Helper()
	b.must(b.sim.AddFault(f))
}

// blobs are the files that the store keeps.
func (b *bundle) blobs() (names []string) {
	b.Helper()
	b.must(filepath.WalkDir(b.blobDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(path) != "lock" && filepath.Base(path)[0] != '.' {
			names = append(names, path)
		}
		return err
	}))
	return names
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

// later fails the test unless err says to come back, and returns when.
func (b *bundle) later(err error) time.Duration {
	b.Helper()
	l, ok := errors.AsType[onboarding.Later](err)
	if !ok {
		b.Fatalf("%v, not later", err)
	}
	return l.After
}

// Drawn files -----------------------------------------------------------------------------------------------------

func drawing(seed string, w, h int) image.Image {
	sum := sha256.Sum256([]byte(seed))
	r := rand.New(rand.NewChaCha8(sum))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(r.IntN(256)), uint8(x * 255 / w), uint8(y * 255 / h), 255})
		}
	}
	return m
}

// photo is a JPEG, another one for each seed.
func photo(seed string) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, drawing(seed, 96, 64), nil); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func pngOf(seed string) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, drawing(seed, 64, 48)); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// padded is a JPEG brought to a size by comments within it.
func padded(jpg []byte, size int) []byte {
	out := append([]byte(nil), jpg[:2]...)
	for left := size - len(jpg); left > 0; {
		n := min(left, 65000)
		if left-n > 0 && left-n < 4 {
			n -= 4
		}
		out = append(out, 0xff, 0xfe, byte((n-2)>>8), byte(n-2))
		out = append(out, bytes.Repeat([]byte{'x'}, n-4)...)
		left -= n
	}
	return append(out, jpg[2:]...)
}

// pdfOf is a PDF of some pages.
func pdfOf(mark string, pages int) []byte {
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", ""}
	kids := ""
	for i := range pages {
		text := fmt.Sprintf("BT /F 48 Tf 60 700 Td (%s %d) Tj ET 60 600 200 40 re f", mark, i+1)
		objects = append(objects, fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>", len(objects)+2),
			fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(text), text))
		kids += fmt.Sprintf("%d 0 R ", len(objects)-1)
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids, pages)
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n")
	var at []int
	for i, o := range objects {
		at = append(at, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range at {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return out.Bytes()
}

func sha(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
