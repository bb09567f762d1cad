package onboarding

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"berkas/doku"
	"berkas/internal/blob"
	"berkas/internal/fault"
	"berkas/internal/paper"
	"berkas/models"
)

const (
	linkMargin   = 30 * time.Second // a link this close to its end counts as expired; one of a short life, a quarter of it
	linkPatience = 10 * time.Second // without a byte from DOKU's storage for so long, the original takes over
	refreshLease = 20 * time.Second
	refreshWait  = 8 * time.Second // for DOKU's answer; a reader waits meanwhile
	refreshPoll  = 200 * time.Millisecond
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
	if len(d.Link) == 0 || d.LinkExpiresAt == nil {
		return false
	}
	margin := linkMargin
	if d.LinkRefreshedAt != nil {
		margin = min(margin, d.LinkExpiresAt.Sub(*d.LinkRefreshedAt)/4)
	}
	return d.LinkExpiresAt.Sub(now) > margin
}

// OpenDocument opens a document where DOKU keeps it: through its link while that is fresh, else through one that DOKU is
// asked for anew, else, when DOKU offers none or cannot be reached, from our own encrypted original. fault.NotFound
// bytes_gone when there is neither, document_invented when there never was a file.
func (s *Service) OpenDocument(ctx context.Context, actor models.Actor, id models.DocumentID) (*Opened, error) {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return nil, err
	}
	if Invented(d) {
		return nil, fault.New(fault.NotFound, "document_invented")
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

func (s *Service) saw(ctx context.Context, actor models.Actor, d models.Document, action models.Action, detail ...any) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.Viewed(d, action, detail...)
		return nil
	})
}

func (s *Service) open(ctx context.Context, d models.Document) (*Opened, error) {
	kept := d.BlobRef != "" && d.PurgedAt == nil
	if d.State != models.Delivered && (kept || d.FileID == "") { // one that DOKU took, and later refused, may be there alone
		return s.openOriginal(ctx, d)
	}
	o, err := s.openAtDOKU(ctx, d)
	if err == nil || !kept {
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
	fresh := LinkFresh(d, s.Now())
	var err error
	if !fresh {
		if d, err = s.refreshLink(ctx, d); err != nil {
			return nil, err
		}
	}
	body, err := s.followLink(ctx, d)
	if e, ok := errors.AsType[*doku.LinkError](err); ok && e.Expired() && fresh {
		if err := s.Store.Keep().RejectLink(ctx, d.ID, d.Link); err != nil {
			return nil, err
		}
		if d, err = s.refreshLink(ctx, d); err != nil {
			return nil, err
		}
		body, err = s.followLink(ctx, d)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "link_unavailable")
	}
	return s.checked(ctx, d, body)
}

func (s *Service) followLink(ctx context.Context, d models.Document) (*doku.LinkBody, error) {
	link, err := s.Vault.OpenString(d.Link, linkSeal(d.UID))
	if err != nil {
		return nil, err
	}
	return openPatiently(ctx, s.patience, func(ctx context.Context) (*doku.LinkBody, error) { return s.DOKU.OpenLink(ctx, link) })
}

// checked holds what DOKU sends against what was accepted.
func (s *Service) checked(ctx context.Context, d models.Document, body *doku.LinkBody) (*Opened, error) {
	if len(d.SHA256) == 0 { // delivered by address, and its bytes were not looked at yet
		return sniffed(d, body)
	}
	if body.Size >= 0 && body.Size != d.Size {
		body.Close()
		return nil, fault.New(fault.Unavailable, "link_unavailable")
	}
	v := &verified{body: body, hash: sha256.New(), want: d.SHA256, size: d.Size}
	if d.BlobRef != "" && d.PurgedAt == nil {
		v.original = func() (io.ReadCloser, error) { return s.Blobs.Get(ctx, blob.Ref(d.BlobRef), d.DataKey) }
	}
	if renewed := d.LinkRefreshedAt != nil && d.DeliveredAt != nil && d.LinkRefreshedAt.After(*d.DeliveredAt); renewed && d.ReadBackAt == nil {
		v.whole = func() { s.readBack(ctx, d) }
	}
	return &Opened{ReadCloser: v, Document: d, Source: FromDOKU, Size: d.Size, ContentType: d.ContentType}, nil
}

// sniffed lets bytes through that nobody measured, if they begin like something a browser may show.
func sniffed(d models.Document, body *doku.LinkBody) (*Opened, error) {
	head := make([]byte, sniffBytes)
	n, err := fill(body, head)
	if err != nil {
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

// refreshLink obtains a fresh link for a document by the ways there are: a lookup by file id where DOKU offers one; for a
// document that a business holds, also one that DOKU rejected, Get Business Data, which brings those of all its documents. fault.Unavailable
// link_unavailable when there is no way, doku_unavailable when DOKU does not answer.
func (s *Service) refreshLink(ctx context.Context, d models.Document) (models.Document, error) {
	if s.FileLookup {
		fresh, err := s.refreshAs(ctx, "link:"+d.ID.String(), d, func(ctx context.Context) error { return s.lookUp(ctx, d) })
		if err == nil {
			return fresh, nil
		}
	}
	holder, err := s.Store.HolderOf(ctx, d.ID)
	if err != nil {
		return d, err
	}
	switch {
	case holder.ID == 0: // no documented call turns an unattached file id into a link
		return d, fault.New(fault.Unavailable, "link_unavailable")
	case holder.Outcome != models.Registered:
		return s.refreshAs(ctx, fmt.Sprint("links:submission:", holder.ID), d, func(ctx context.Context) error { return s.refreshRejected(ctx, holder) })
	}
	return s.refreshAs(ctx, "links:"+d.MerchantID.String(), d, func(ctx context.Context) error { return s.refreshMerchant(ctx, d.MerchantID) })
}

// refreshAs has one refresh of a name under way, in this process and across replicas, and gives the document back as it
// stands then.
func (s *Service) refreshAs(ctx context.Context, name string, d models.Document, ask func(context.Context) error) (models.Document, error) {
	done := s.refreshes.DoChan(name, func() (any, error) {
		ctx, cancel := within(ctx, refreshLease)
		defer cancel()
		return nil, s.refreshUnderLease(ctx, name, d.ID, ask)
	})
	select {
	case <-ctx.Done():
		return d, ctx.Err()
	case r := <-done:
		if r.Err != nil {
			return d, r.Err
		}
	}
	fresh, err := s.Store.Document(ctx, d.ID)
	if err != nil {
		return d, err
	}
	if !LinkFresh(fresh, s.Now()) {
		return fresh, fault.New(fault.Unavailable, "link_unavailable")
	}
	return fresh, nil
}

// refreshUnderLease refreshes, or waits for the replica that does.
func (s *Service) refreshUnderLease(ctx context.Context, lease string, id models.DocumentID, ask func(context.Context) error) error {
	for {
		d, err := s.Store.Document(ctx, id)
		if err != nil || LinkFresh(d, s.Now()) {
			return err
		}
		mine, err := s.Store.Keep().TakeLease(ctx, lease, s.holder, refreshLease)
		if err != nil {
			return err
		}
		if mine {
			defer s.dropLease(ctx, lease)
			if d, err = s.Store.Document(ctx, id); err != nil || LinkFresh(d, s.Now()) { // it may just have been done
				return err
			}
			return s.askForLinks(ctx, ask)
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(ctx.Err(), fault.Unavailable, "doku_unavailable")
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

// askForLinks asks DOKU, but not while it is known to be down: the original is there at once, and the probe finds out
// when DOKU is back.
func (s *Service) askForLinks(ctx context.Context, ask func(context.Context) error) error {
	health, err := s.Store.Health(ctx)
	if err != nil {
		return err
	}
	if health.DownSince != nil {
		return fault.New(fault.Unavailable, "doku_unavailable")
	}
	ctx, cancel := context.WithTimeout(ctx, refreshWait)
	defer cancel()
	return ask(ctx)
}

func (s *Service) lookUp(ctx context.Context, d models.Document) error {
	file, err := s.DOKU.LookUpFile(ctx, d.FileID)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	return s.Store.Keep().SaveLink(ctx, d.ID, s.Vault.SealString(file.Link, linkSeal(d.UID)), file.LinkExpiresAt)
}

// refreshMerchant reads a registered business: the fresh links of all its documents, and how it stands.
func (s *Service) refreshMerchant(ctx context.Context, id models.MerchantID) error {
	m, err := s.Store.Merchant(ctx, id)
	if err != nil {
		return err
	}
	turn, err := s.Store.Keep().TakeTurn(ctx, id, s.Now().Add(longestPoll))
	if err != nil {
		return err
	}
	data, err := s.askBusiness(ctx, m)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	_, err = s.learn(ctx, m, turn, data)
	return err
}

// refreshRejected reads the business of a submission that does not count any more, for the fresh links of its documents.
func (s *Service) refreshRejected(ctx context.Context, v models.Submission) error {
	data, err := s.DOKU.GetBusiness(ctx, v.BrandID, parametersOf(v))
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	ours, err := s.Store.SubmittedDocuments(ctx, v.ID)
	if err != nil {
		return err
	}
	_, err = s.keepLinks(ctx, v.ID, ours, data)
	return err
}

func (s *Service) askBusiness(ctx context.Context, m models.Merchant) (*doku.BusinessData, error) {
	return s.DOKU.GetBusiness(ctx, m.BrandID, doku.Combination{BusinessType: m.BusinessType, LegalEntity: m.LegalEntity, BusinessLine: m.BusinessLine, Nationality: m.Nationality})
}

// keepLinks keeps the fresh links of the documents of a submission's business, and returns those that DOKU does not show.
func (s *Service) keepLinks(ctx context.Context, id models.SubmissionID, ours []models.AttachedDocument, data *doku.BusinessData) (lost []models.AttachedDocument, err error) {
	shown, lost := matched(ours, data)
	var links []models.FreshLink
	for _, d := range ours {
		if there, ok := shown[d.DocumentID]; ok {
			links = append(links, models.FreshLink{Document: d.DocumentID, AttachedID: there.ID, Link: s.Vault.SealString(there.Link, linkSeal(d.UID)), Until: there.LinkExpiresAt})
		}
	}
	return lost, s.Store.Keep().SaveLinks(ctx, id, links)
}

// matched are our documents as DOKU shows them, by place and kind, and those that it does not show.
func matched(ours []models.AttachedDocument, data *doku.BusinessData) (shown map[models.DocumentID]doku.Attachment, lost []models.AttachedDocument) {
	at := map[string]doku.Attachment{}
	for _, a := range data.Attachments {
		at[a.Place] = a
	}
	shown = map[models.DocumentID]doku.Attachment{}
	for _, d := range ours {
		there, ok := at[d.Place]
		if !ok || there.Link == "" || there.Category != d.Category || there.Code != d.Code {
			lost = append(lost, d)
			continue
		}
		shown[d.DocumentID] = there
	}
	return shown, lost
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
