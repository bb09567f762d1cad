package onboarding

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"time"

	"berkas/doku"
	"berkas/internal/blob"
	"berkas/internal/fault"
	"berkas/internal/paper"
	"berkas/models"
)

const (
	linkMargin   = 30 * time.Second // a link this close to its end counts as expired
	refreshLease = 20 * time.Second
	refreshPoll  = 200 * time.Millisecond
	heldBack     = 32 << 10 // bytes kept until the whole of a body was checked
)

// Where a document's bytes came from.
const (
	FromDOKU     = "doku"
	FromOriginal = "original"
)

// Opened is a document's bytes on their way to a reader, who closes it. Reading fails rather than ends early: a body
// that is not the accepted one, byte for byte, never looks whole.
type Opened struct {
	io.ReadCloser
	Document    models.Document
	Source      string // FromDOKU or FromOriginal
	Size        int64  // bytes; -1 when unknown
	ContentType string // as checked at acceptance, never as somebody claims
}

// LinkFresh reports whether the cached link of a document is good for now.
func LinkFresh(d models.Document, now time.Time) bool {
	return len(d.Link) > 0 && d.LinkExpiresAt != nil && d.LinkExpiresAt.Sub(now) > linkMargin
}

// OpenDocument opens a document where DOKU keeps it: through its link while that is fresh, else through one that DOKU is
// asked for anew, else, when DOKU offers none or cannot be reached, from our own encrypted original. fault.NotFound
// bytes_gone when there is neither.
func (s *Service) OpenDocument(ctx context.Context, actor models.Actor, id models.DocumentID) (*Opened, error) {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return nil, err
	}
	o, err := s.open(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := s.saw(ctx, actor, d, models.DocumentFetched, "source", o.Source); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// ViewedDocument records that a person was shown a document.
func (s *Service) ViewedDocument(ctx context.Context, actor models.Actor, d models.Document) error {
	return s.saw(ctx, actor, d, models.DocumentViewed)
}

func (s *Service) saw(ctx context.Context, actor models.Actor, d models.Document, action models.Action, detail ...any) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.Viewed(d, action, detail...)
		return nil
	})
}

func (s *Service) open(ctx context.Context, d models.Document) (*Opened, error) {
	if d.State != models.Delivered {
		return s.openOriginal(ctx, d)
	}
	o, err := s.openAtDOKU(ctx, d)
	if err == nil || d.BlobRef == "" || d.PurgedAt != nil {
		return o, err
	}
	s.Log.Info("a document is shown from the original", "document", d.ID, "why", err)
	return s.openOriginal(ctx, d)
}

func (s *Service) openOriginal(ctx context.Context, d models.Document) (*Opened, error) {
	if d.BlobRef == "" || d.PurgedAt != nil {
		return nil, fault.New(fault.NotFound, "bytes_gone")
	}
	r, err := s.Blobs.Get(ctx, blob.Ref(d.BlobRef), d.DataKey)
	if err != nil {
		return nil, err
	}
	return &Opened{ReadCloser: r, Document: d, Source: FromOriginal, Size: d.Size, ContentType: d.ContentType}, nil
}

// openAtDOKU follows the link. One that the storage no longer honours is refreshed once, and tried once more.
func (s *Service) openAtDOKU(ctx context.Context, d models.Document) (*Opened, error) {
	refreshed := false
	if !LinkFresh(d, s.Now()) {
		var err error
		if d, err = s.refreshLink(ctx, d); err != nil {
			return nil, err
		}
		refreshed = true
	}
	body, err := s.followLink(ctx, d)
	if e, ok := errors.AsType[*doku.LinkError](err); ok && e.Expired() && !refreshed {
		if err := s.Store.Keep().ExpireLink(ctx, d.ID); err != nil {
			return nil, err
		}
		if d, err = s.refreshLink(ctx, d); err != nil {
			return nil, err
		}
		refreshed = true
		body, err = s.followLink(ctx, d)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "link_unavailable")
	}
	return s.checked(ctx, d, body, refreshed)
}

func (s *Service) followLink(ctx context.Context, d models.Document) (*doku.LinkBody, error) {
	link, err := s.Vault.OpenString(d.Link, linkSeal(d.UID))
	if err != nil {
		return nil, err
	}
	return s.DOKU.OpenLink(ctx, link)
}

// checked holds what DOKU sends against what was accepted.
func (s *Service) checked(ctx context.Context, d models.Document, body *doku.LinkBody, refreshed bool) (*Opened, error) {
	if len(d.SHA256) == 0 { // delivered by address, and its bytes were not looked at yet
		return sniffed(d, body)
	}
	if body.Size >= 0 && body.Size != d.Size {
		body.Close()
		return nil, fault.New(fault.Unavailable, "link_unavailable")
	}
	verified := &verified{body: body, hash: sha256.New(), want: d.SHA256, size: d.Size}
	if d.BlobRef != "" && d.PurgedAt == nil {
		verified.original = func() (io.ReadCloser, error) { return s.Blobs.Get(ctx, blob.Ref(d.BlobRef), d.DataKey) }
	}
	if refreshed && d.ReadBackAt == nil {
		verified.whole = func() { s.readBack(ctx, d) }
	}
	return &Opened{ReadCloser: verified, Document: d, Source: FromDOKU, Size: d.Size, ContentType: d.ContentType}, nil
}

// sniffed lets bytes through that nobody measured, if they begin like something a browser may show.
func sniffed(d models.Document, body *doku.LinkBody) (*Opened, error) {
	head := make([]byte, sniffBytes)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		body.Close()
		return nil, fault.Wrap(err, fault.Unavailable, "link_unavailable")
	}
	contentType := paper.ContentType(head[:n])
	if contentType == "" || body.Size > MaxUpload {
		body.Close()
		return nil, fault.New(fault.Unavailable, "link_unavailable")
	}
	r := struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head[:n]), io.LimitReader(body, MaxUpload)), body}
	return &Opened{ReadCloser: r, Document: d, Source: FromDOKU, Size: body.Size, ContentType: contentType}, nil
}

func (s *Service) readBack(ctx context.Context, d models.Document) {
	ctx, cancel := within(ctx, 2*time.Second)
	defer cancel()
	if err := s.Store.Keep().ReadBack(ctx, d.ID); err != nil {
		s.Log.Warn("a read-back was not recorded", "document", d.ID, "error", err)
	}
}

// verified passes a body on while it hashes it, and holds the end back until the whole is what was accepted. A body that
// breaks off is continued from the original when what came so far is its beginning.
type verified struct {
	body     io.ReadCloser
	hash     hash.Hash
	want     []byte
	size     int64
	read     int64 // taken from body and hashed
	pending  []byte
	checked  bool
	original func() (io.ReadCloser, error) // nil when it is gone
	whole    func()
}

var errNotAccepted = errors.New("onboarding: DOKU's bytes are not the accepted ones")

func (v *verified) Read(p []byte) (int, error) {
	for {
		if n := v.ready(); n > 0 {
			n = copy(p, v.pending[:n])
			v.pending = v.pending[n:]
			return n, nil
		}
		if v.checked {
			return 0, io.EOF
		}
		if err := v.fill(); err != nil {
			return 0, err
		}
	}
}

// ready is how much of what was read may go out: everything once checked, all but the end before.
func (v *verified) ready() int {
	if v.checked {
		return len(v.pending)
	}
	return len(v.pending) - heldBack
}

func (v *verified) fill() error {
	buf := make([]byte, heldBack)
	n, err := v.body.Read(buf)
	v.hash.Write(buf[:n])
	v.read += int64(n)
	v.pending = append(v.pending, buf[:n]...)
	switch {
	case v.read > v.size:
		return errNotAccepted
	case err == nil:
		return nil
	case v.read < v.size:
		return v.goOn(err)
	case !bytes.Equal(v.hash.Sum(nil), v.want):
		return errNotAccepted
	}
	v.checked = true
	if v.whole != nil {
		v.whole()
	}
	return nil
}

// goOn replaces a body that broke off by the rest of the original.
func (v *verified) goOn(cause error) error {
	if v.original == nil {
		return errors.Join(io.ErrUnexpectedEOF, cause)
	}
	r, err := v.original()
	if err != nil {
		return errors.Join(cause, err)
	}
	same := sha256.New()
	if _, err := io.CopyN(same, r, v.read); err != nil {
		r.Close()
		return errors.Join(cause, err)
	}
	if !bytes.Equal(same.Sum(nil), v.hash.Sum(nil)) {
		r.Close()
		return errNotAccepted
	}
	v.body.Close()
	v.body, v.original, v.whole = r, nil, nil
	return nil
}

func (v *verified) Close() error { return v.body.Close() }

// refreshLink obtains a fresh link for a document: one refresh at a time for a merchant, in this process and across
// replicas. fault.Unavailable when DOKU offers no way or does not answer.
func (s *Service) refreshLink(ctx context.Context, d models.Document) (models.Document, error) {
	m, err := s.Store.Merchant(ctx, d.MerchantID)
	if err != nil {
		return d, err
	}
	if m.BrandID == "" && !s.FileLookup { // no documented call turns an unattached file id into a link
		return d, fault.New(fault.Unavailable, "link_unavailable")
	}
	key := "links:" + m.ID.String()
	_, err, _ = s.refreshes.Do(key, func() (any, error) {
		ctx, cancel := within(ctx, refreshLease)
		defer cancel()
		return nil, s.refreshOnce(ctx, key, m, d)
	})
	if err != nil {
		return d, err
	}
	if d, err = s.Store.Document(ctx, d.ID); err != nil {
		return d, err
	}
	if !LinkFresh(d, s.Now()) {
		return d, fault.New(fault.Unavailable, "link_unavailable")
	}
	return d, nil
}

// refreshOnce refreshes under the lease, or waits for the replica that holds it.
func (s *Service) refreshOnce(ctx context.Context, lease string, m models.Merchant, d models.Document) error {
	for {
		now, err := s.Store.Document(ctx, d.ID)
		if err != nil || LinkFresh(now, s.Now()) {
			return err
		}
		mine, err := s.Store.Keep().TakeLease(ctx, lease, s.holder, refreshLease)
		if err != nil {
			return err
		}
		if mine {
			defer s.dropLease(ctx, lease)
			return s.askForLinks(ctx, m, d)
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(ctx.Err(), fault.Unavailable, "link_unavailable")
		case <-time.After(refreshPoll):
		}
	}
}

func (s *Service) dropLease(ctx context.Context, name string) {
	ctx, cancel := within(ctx, 2*time.Second)
	defer cancel()
	if err := s.Store.Keep().DropLease(ctx, name, s.holder); err != nil {
		s.Log.Warn("a lease ends by itself", "lease", name, "error", err)
	}
}

// askForLinks goes the ways there are to a fresh link: a lookup by file id where DOKU offers one, Get Business Data for a
// registered merchant, which brings those of all its documents.
func (s *Service) askForLinks(ctx context.Context, m models.Merchant, d models.Document) error {
	if s.FileLookup {
		if file, err := s.DOKU.LookUpFile(ctx, d.FileID); err == nil && file.Link != "" {
			return s.Store.Keep().SaveLink(ctx, d.ID, s.Vault.SealString(file.Link, linkSeal(d.UID)), file.LinkExpiresAt)
		}
	}
	if m.BrandID == "" {
		return fault.New(fault.Unavailable, "link_unavailable")
	}
	return s.refreshMerchant(ctx, m)
}

// refreshMerchant reads a registered business and keeps the fresh links of all its documents, matched by place.
func (s *Service) refreshMerchant(ctx context.Context, m models.Merchant) error {
	data, err := s.DOKU.GetBusiness(ctx, m.BrandID, doku.Combination{BusinessType: m.BusinessType, LegalEntity: m.LegalEntity, BusinessLine: m.BusinessLine, Nationality: m.Nationality})
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	attachments, err := s.Store.Attachments(ctx, m.ID)
	if err != nil {
		return err
	}
	at := map[string]doku.Attachment{}
	for _, a := range data.Attachments {
		at[a.Place] = a
	}
	var links []models.FreshLink
	for _, a := range attachments {
		there, ok := at[a.Place]
		if !ok || there.Link == "" {
			continue
		}
		d, err := s.Store.Document(ctx, a.DocumentID)
		if err != nil {
			return err
		}
		if there.Category != d.Category || there.Code != d.Code {
			continue
		}
		links = append(links, models.FreshLink{Document: d.ID, AttachedID: there.ID, Link: s.Vault.SealString(there.Link, linkSeal(d.UID)), Until: there.LinkExpiresAt})
	}
	return s.Store.Keep().SaveLinks(ctx, links)
}

// OpenThumbnail is a document's small picture, JPEG of at most 8 KB. fault.NotFound when it has none.
func (s *Service) OpenThumbnail(ctx context.Context, id models.DocumentID) ([]byte, error) {
	sealed, uid, err := s.Store.Thumbnail(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.Vault.Open(sealed, thumbnailSeal(uid))
}

// OpenPage draws one page of a PDF as a JPEG of the given width in pixels. Pages are drawn from the original, whose
// SHA-256 is what DOKU's bytes are checked against; from DOKU when the original is gone.
func (s *Service) OpenPage(ctx context.Context, actor models.Actor, id models.DocumentID, page, width int) ([]byte, error) {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.ContentType != "application/pdf" || page < 1 || page > max(d.Pages, 1) {
		return nil, fault.New(fault.NotFound, "page_unknown")
	}
	source := s.source(ctx, d)
	if d.BlobRef == "" || d.PurgedAt != nil {
		source = func() (io.ReadCloser, error) { return s.openAtDOKU(ctx, d) }
	}
	jpeg, _, err := s.Papers.RenderPage(ctx, d.Size, source, page, width)
	if err != nil {
		return nil, err
	}
	return jpeg, s.saw(ctx, actor, d, models.DocumentFetched, "page", page)
}

// CheckOriginal fetches, once, the bytes of a document that was delivered by address, checks them like any other and
// keeps them as its original. What does not pass is said on the document, which stays at DOKU.
func (s *Service) CheckOriginal(ctx context.Context, id models.DocumentID) error {
	d, err := s.Store.Document(ctx, id)
	if err != nil || d.State != models.Delivered || d.BlobRef != "" || d.WithdrawnAt != nil {
		return err
	}
	if !LinkFresh(d, s.Now()) {
		if d, err = s.refreshLink(ctx, d); err != nil {
			return s.keepChecked(ctx, d, err)
		}
	}
	body, err := s.followLink(ctx, d)
	if err != nil {
		if e, ok := errors.AsType[*doku.LinkError](err); ok && !e.Expired() {
			return Later{After: time.Minute}
		}
		return s.keepChecked(ctx, d, fault.Wrap(err, fault.Unavailable, "link_unavailable"))
	}
	defer body.Close()
	rows, err := s.Store.ChecklistRows(ctx, d.MerchantID)
	if err != nil {
		return err
	}
	row := models.ChecklistRow{}
	for _, r := range rows {
		if r.ID == d.SlotID {
			row = r
		}
	}
	row.Documents = nil // a duplicate of itself it is not
	return s.keepChecked(ctx, d, s.acceptBody(ctx, &d, row, body))
}

func (s *Service) keepChecked(ctx context.Context, d models.Document, refused error) error {
	if refused != nil && !fault.Is(refused, fault.Invalid) && !fault.Is(refused, fault.Unavailable) {
		return refused
	}
	if refused != nil {
		d.Problem, d.BlobRef, d.DataKey, d.SHA256, d.Thumbnail = fault.Code(refused), "", nil, nil, nil
	}
	return s.Store.Write(ctx, models.System, func(tx *models.Tx) error { return tx.KeepOriginal(d) })
}
