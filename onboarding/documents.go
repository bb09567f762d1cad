package onboarding

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"berkas/doku"
	"berkas/internal/blob"
	"berkas/internal/fault"
	"berkas/internal/paper"
	"berkas/models"
)

const (
	// MaxUpload is the largest file that is accepted, in bytes. DOKU says 15 without a unit; decimal megabytes are the
	// reading that holds either way.
	MaxUpload = 15_000_000

	sniffBytes  = 3072 // enough for every magic number paper knows
	maxFileName = 255
	maxURL      = 2048
	maxWhy      = 500
)

// UploadInput is one file for one slot: a body, or an address DOKU fetches it from.
type UploadInput struct {
	Merchant models.MerchantID
	Category string
	Code     string            // "" or the category outside DOCUMENT
	Slot     models.SlotID     // 0: found by category and code
	Fields   map[string]string // form fields by DOKU's code
	FileName string
	Body     io.Reader
	FileURL  string
}

// Uploaded tells what came of an upload: the document is safe, the fields that were refused are not stored.
type Uploaded struct {
	Document models.DocumentID
	Slot     models.SlotID
	Refused  []fault.Field
}

// Upload accepts a file: when it returns, the encrypted original, its row, the audit row and the delivery's job are
// committed together. A wrong form field does not cost the file. fault.Invalid carries the reason a file was refused for,
// and nothing of it is kept; fault.Conflict checklist_not_ready comes before DOKU said what it needs.
func (s *Service) Upload(ctx context.Context, actor models.Actor, in UploadInput) (Uploaded, error) {
	m, row, err := s.findSlot(ctx, in)
	if err != nil {
		return Uploaded{Slot: row.ID}, err
	}
	d := &models.Document{UID: newUID(), MerchantID: m.ID, SlotID: row.ID, Category: row.Category, Code: row.Code,
		BusinessType: m.BusinessType, BusinessLine: m.BusinessLine, FileName: cleanName(in.FileName)}
	if in.FileURL != "" {
		err = s.acceptURL(d, row, in.FileURL)
	} else {
		err = s.acceptBody(ctx, d, row, in.Body)
	}
	if err != nil {
		return Uploaded{Slot: row.ID}, err
	}
	fields, refused := checkFields(row, in.Fields)
	if err := s.commitUpload(ctx, actor, d, row, fields); err != nil {
		if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict) { // after anything else it may have committed
			s.forgetBlob(ctx, d)
		}
		return Uploaded{Slot: row.ID}, err
	}
	return Uploaded{Document: d.ID, Slot: row.ID, Refused: refused}, nil
}

// findSlot is the open slot an upload is for.
func (s *Service) findSlot(ctx context.Context, in UploadInput) (models.Merchant, models.ChecklistRow, error) {
	m, err := s.Store.Merchant(ctx, in.Merchant)
	if err != nil {
		return m, models.ChecklistRow{}, err
	}
	if m.ArchivedAt != nil {
		return m, models.ChecklistRow{}, fault.New(fault.Conflict, "merchant_archived")
	}
	if m.SetID == nil {
		return m, models.ChecklistRow{}, fault.New(fault.Conflict, "checklist_not_ready")
	}
	rows, err := s.Store.ChecklistRows(ctx, in.Merchant)
	if err != nil {
		return m, models.ChecklistRow{}, err
	}
	row, err := matchSlot(rows, in)
	if err == nil && !Asked(row) {
		err = fault.New(fault.Conflict, "slot_gone")
	}
	return m, row, err
}

// matchSlot finds the slot by its id, or the one of category and code; of several the only empty one.
func matchSlot(rows []models.ChecklistRow, in UploadInput) (models.ChecklistRow, error) {
	code := in.Code
	if in.Category != doku.CategoryDocument && code == in.Category {
		code = ""
	}
	var same, empty []models.ChecklistRow
	for _, row := range rows {
		if row.Category != in.Category || row.Code != code || in.Slot != 0 && row.ID != in.Slot {
			continue
		}
		same = append(same, row)
		if row.Newest() == nil && Asked(row) {
			empty = append(empty, row)
		}
	}
	switch {
	case len(same) == 1:
		return same[0], nil
	case len(same) == 0:
		return models.ChecklistRow{}, fault.New(fault.Invalid, "slot_unknown", "category", in.Category, "code", in.Code)
	case len(empty) > 0:
		return empty[0], nil
	}
	return models.ChecklistRow{}, fault.New(fault.Invalid, "slot_ambiguous")
}

// Extensions a slot takes, lower case. Where DOKU names none, pictures, and PDF for papers.
func Extensions(row models.ChecklistRow) []string {
	if len(row.Extensions) > 0 {
		return row.Extensions
	}
	if slices.Contains([]string{doku.CategoryDocument, doku.CategoryServiceAgreement, doku.CategoryBankAccount}, row.Category) {
		return []string{"pdf", "jpg", "jpeg", "png"}
	}
	return []string{"jpg", "jpeg", "png"}
}

// MaxBytes a slot takes.
func MaxBytes(row models.ChecklistRow) int64 {
	if row.MaxSize > 0 && row.MaxSize < MaxUpload/1_000_000 {
		return row.MaxSize * 1_000_000
	}
	return MaxUpload
}

// acceptBody stores a file's bytes, encrypted, and measures them. Refused bytes are gone when it returns.
func (s *Service) acceptBody(ctx context.Context, d *models.Document, row models.ChecklistRow, body io.Reader) error {
	if body == nil {
		return fault.New(fault.Invalid, "file_missing")
	}
	head := make([]byte, sniffBytes)
	n, err := fill(body, head)
	if err != nil {
		return broken(err)
	}
	if n == 0 {
		return fault.New(fault.Invalid, "file_empty")
	}
	if d.ContentType, err = checkType(row, d.FileName, head[:n]); err != nil {
		return err
	}
	if err := s.store(ctx, d, io.MultiReader(bytes.NewReader(head[:n]), body), MaxBytes(row)); err != nil {
		return err
	}
	if current := row.Newest(); current != nil && bytes.Equal(current.SHA256, d.SHA256) {
		err = fault.New(fault.Invalid, "duplicate_file")
	} else {
		err = s.measure(ctx, d)
	}
	if err != nil {
		s.forgetBlob(ctx, d)
	}
	return err
}

// fill reads into p as far as the body goes. Only a clean end is an end: a body that broke off is an error.
func fill(body io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = body.Read(p[n:])
		n += m
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// checkType holds a file's first bytes and its name against what the slot takes.
func checkType(row models.ChecklistRow, name string, head []byte) (string, error) {
	allowed := Extensions(row)
	params := []any{"allowed", strings.ToUpper(strings.Join(allowed, ", "))}
	contentType := paper.ContentType(head)
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if contentType == "" {
		return "", fault.New(fault.Invalid, "file_type_not_allowed", params...)
	}
	real := paper.Extensions(contentType)
	if !slices.ContainsFunc(real, func(e string) bool { return slices.Contains(allowed, e) }) {
		return "", fault.New(fault.Invalid, "file_type_not_allowed", params...)
	}
	if ext != "" && !slices.Contains(real, ext) {
		return "", fault.New(fault.Invalid, "file_content_mismatch", "extension", strings.ToUpper(ext), "content", strings.ToUpper(real[0]))
	}
	return contentType, nil
}

// store streams bytes into the blob store, counting and hashing them on the way.
func (s *Service) store(ctx context.Context, d *models.Document, body io.Reader, limit int64) error {
	hash := sha256.New()
	counted := &limited{r: io.TeeReader(body, hash), left: limit, limit: limit}
	stored, err := s.Blobs.Put(ctx, counted)
	if err != nil {
		if counted.err != nil {
			return broken(counted.err)
		}
		return err
	}
	d.BlobRef, d.DataKey, d.Size, d.SHA256 = string(stored.Ref), stored.Key, stored.Size, hash.Sum(nil)
	return nil
}

// broken is a body that ended before it should have: the browser went away, or the connection did.
func broken(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "upload_failed")
}

// limited refuses a file that is longer than it may be, as soon as that is known, and remembers why reading failed.
type limited struct {
	r           io.Reader
	left, limit int64
	err         error
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		err = fault.New(fault.Invalid, "file_too_large", "max", l.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	return n, err
}

// measure looks at a stored file as what it claims to be.
func (s *Service) measure(ctx context.Context, d *models.Document) error {
	facts, err := s.Papers.Inspect(ctx, d.Size, d.ContentType, s.source(ctx, *d))
	if err != nil {
		return err
	}
	d.Width, d.Height, d.Pages, d.Measured, d.Sharpness = facts.Width, facts.Height, facts.Pages, facts.Measured, facts.Sharpness
	if facts.Measured {
		h := int64(facts.PerceptualHash)
		d.PerceptualHash = &h
	}
	if !facts.TakenAt.IsZero() {
		d.TakenAt = &facts.TakenAt
	}
	if len(facts.Thumbnail) > 0 {
		d.Thumbnail = s.Vault.Seal(facts.Thumbnail, thumbnailSeal(d.UID))
	}
	return nil
}

// source opens a document's original from the start, as often as asked.
func (s *Service) source(ctx context.Context, d models.Document) paper.Source {
	return func() (io.ReadCloser, error) { return s.Blobs.Get(ctx, blob.Ref(d.BlobRef), d.DataKey) }
}

// acceptURL takes an address for DOKU to fetch the file from. It is handed on as it is and never fetched here.
func (s *Service) acceptURL(d *models.Document, row models.ChecklistRow, address string) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxURL || u.Scheme != "https" || u.User != nil || !doku.PublicHost(u.Hostname()) {
		return fault.New(fault.Invalid, "file_url_not_allowed")
	}
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(u.Path), "."))
	if ext != "" && !slices.Contains(Extensions(row), ext) {
		return fault.New(fault.Invalid, "file_type_not_allowed", "allowed", strings.ToUpper(strings.Join(Extensions(row), ", ")))
	}
	d.FileURL = s.Vault.SealString(address, fileURLSeal(d.UID))
	if base := path.Base(u.Path); base != "." && base != "/" {
		d.FileName = cleanName(base)
	}
	return nil
}

// commitUpload makes document, fields, completeness, audit and job one transaction.
func (s *Service) commitUpload(ctx context.Context, actor models.Actor, d *models.Document, row models.ChecklistRow, fields map[string]string) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, d.MerchantID)
		if err != nil {
			return err
		}
		rows, err := stillOpen(tx, m, row, d.SHA256)
		if err != nil {
			return err
		}
		if err := tx.AddDocument(d); err != nil {
			return err
		}
		if err := s.setFields(tx, m, row, fields); err != nil {
			return err
		}
		if err := s.keepProgressOf(tx, m, withUpload(rows, *d, fields)); err != nil {
			return err
		}
		return s.Queue.SendDocument(ctx, tx, d.ID)
	})
}

// stillOpen looks again, now that nobody else can change the checklist: two browsers may have sent the same file.
func stillOpen(tx *models.Tx, m models.Merchant, before models.ChecklistRow, sha []byte) ([]models.ChecklistRow, error) {
	rows, err := tx.ChecklistRows(m.ID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(rows, func(r models.ChecklistRow) bool { return r.ID == before.ID })
	if i < 0 || !Asked(rows[i]) {
		return nil, fault.New(fault.Conflict, "slot_gone")
	}
	if current := rows[i].Newest(); current != nil && len(sha) > 0 && bytes.Equal(current.SHA256, sha) {
		return nil, fault.New(fault.Invalid, "duplicate_file")
	}
	return rows, nil
}

// withUpload is a checklist as it is once a document and its fields are stored: it need not be read again.
func withUpload(rows []models.ChecklistRow, d models.Document, fields map[string]string) []models.ChecklistRow {
	i := slices.IndexFunc(rows, func(r models.ChecklistRow) bool { return r.ID == d.SlotID })
	rows[i].DocumentID, rows[i].Documents = &d.ID, []models.Document{d}
	for code := range fields {
		rows[i].Fields = append(rows[i].Fields, models.SlotField{SlotID: d.SlotID, Code: code})
	}
	return rows
}

// forgetBlob deletes the bytes of a file that was not taken. What it leaves and no row holds is swept away a day later.
func (s *Service) forgetBlob(ctx context.Context, d *models.Document) {
	if d.BlobRef == "" {
		return
	}
	ctx, cancel := within(ctx, 5*time.Second)
	defer cancel()
	if err := s.Blobs.Delete(ctx, blob.Ref(d.BlobRef)); err != nil {
		s.Log.Warn("the bytes of a refused file stay until they are swept", "error", err)
	}
}

// cleanName is a file's name without its folders and without what would break a line or a header. It is never cut but
// for the 255 characters that fit, and keeps its ending then.
func cleanName(name string) string {
	name = strings.ToValidUTF8(name, "�")
	name = strings.TrimSpace(printable(name[strings.LastIndexAny(name, `/\`)+1:]))
	if utf8.RuneCountInString(name) > maxFileName {
		ext := path.Ext(name)
		if utf8.RuneCountInString(ext) > 10 {
			ext = ""
		}
		r := []rune(name)
		name = string(r[:maxFileName-utf8.RuneCountInString(ext)]) + ext
	}
	return name
}

// printable is a text without control characters, line breaks among them, and without those that turn the direction of
// writing around.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// Retryable reports whether a document may be brought to DOKU once more: not one that DOKU took and, with a registration,
// refused.
func Retryable(d models.Document) bool {
	return d.State == models.Failed || d.State == models.Refused && d.FileID == ""
}

// Retry puts a document that DOKU refused, that was given up or that DOKU lost back on its way. One that DOKU lost and whose original
// is gone is refused with it, so that its slot is open.
func (s *Service) Retry(ctx context.Context, actor models.Actor, id models.DocumentID) (models.Document, error) {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return d, err
	}
	lost, err := s.Store.LostAtDOKU(ctx, d)
	if err != nil {
		return d, err
	}
	if lost = lost && d.State == models.Delivered; d.WithdrawnAt != nil || !lost && !Retryable(d) {
		return d, fault.New(fault.Conflict, "not_retryable")
	}
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, d.MerchantID)
		if err != nil {
			return err
		}
		if lost {
			return s.restore(tx, &d)
		}
		if err := tx.Retry(d); err != nil {
			return err
		}
		if err := s.keepProgress(tx, m); err != nil {
			return err
		}
		return s.Queue.SendDocument(ctx, tx, id)
	})
	return d, err
}

// Withdraw hides a version, with a reason; the one before it counts again. The bytes go when retention says so.
func (s *Service) Withdraw(ctx context.Context, actor models.Actor, id models.DocumentID, why string) (models.Document, error) {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return d, err
	}
	why = strings.TrimSpace(printable(why))
	switch {
	case why == "":
		return d, fault.New(fault.Invalid, "note_required")
	case utf8.RuneCountInString(why) > maxWhy:
		return d, fault.New(fault.Invalid, "too_long", "max", maxWhy)
	case d.WithdrawnAt != nil:
		return d, fault.New(fault.Conflict, "already_withdrawn")
	}
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, d.MerchantID)
		if err != nil {
			return err
		}
		if d, err = tx.Document(id); err != nil { // as it stands now
			return err
		}
		if m.Locked {
			submitted, err := tx.SubmittedDocuments(*m.SubmissionID)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(submitted, func(a models.AttachedDocument) bool { return a.DocumentID == d.ID }) {
				return fault.New(fault.Conflict, "document_submitted")
			}
		}
		if err := tx.Withdraw(d, why); err != nil {
			return err
		}
		return s.keepProgress(tx, m)
	})
	return d, err
}

// Rotate remembers by how many quarters clockwise a document is turned when looked at.
func (s *Service) Rotate(ctx context.Context, actor models.Actor, id models.DocumentID, quarters int) error {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.Rotate(d, ((quarters%4)+4)%4) })
}
