package onboarding

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"berkas/internal/report"
	"berkas/internal/words"
	"berkas/models"
)

// The files of a bundle.
const (
	evidenceReadme    = "README.txt"
	evidenceTimeline  = "timeline.csv"
	evidencePaper     = "timeline.pdf"
	evidenceDocuments = "documents.csv"
	evidenceDecisions = "decisions.csv"
	evidenceLooks     = "looks.csv"
	evidenceSent      = "submissions.csv"
	evidenceProofs    = "proof.jsonl"
	evidenceSeals     = "seals.json"
	evidenceSums      = "SHA256SUMS"
)

var evidenceFiles = []string{evidenceReadme, evidencePaper, evidenceTimeline, evidenceDocuments, evidenceDecisions, evidenceLooks, evidenceSent, evidenceProofs, evidenceSeals}

// evidence is one bundle while it is written.
type evidence struct {
	s        *Service
	ctx      context.Context
	bundle   models.Bundle
	merchant models.Merchant
	lang     words.Lang
	until    time.Time        // the rows of the audit trail are those until then, or a little later
	newest   models.AuditSeal // before the first of them was read
	size     models.EvidenceSize
	rows     []int64        // ids of the timeline's rows, in order: just those are proved
	seals    map[int64]bool // that hold them
	sums     strings.Builder
	done     int64
	told     time.Time
}

// horizon takes rows whose writer's clock was ahead of this one: none that is sealed may be left out.
func (e *evidence) horizon() time.Time { return e.until.Add(time.Minute) }

// write writes the ZIP, file after file.
func (e *evidence) write(w io.Writer) error {
	archive := zip.NewWriter(w)
	for i, write := range []func(io.Writer) error{e.readme, e.paper, e.timeline, e.documents, e.decisions, e.looks, e.submissions, e.proofs, e.sealed} {
		sum := sha256.New()
		f, err := e.create(archive, evidenceFiles[i])
		if err == nil {
			err = write(io.MultiWriter(f, sum))
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(&e.sums, "%x  %s\n", sum.Sum(nil), evidenceFiles[i])
	}
	f, err := e.create(archive, evidenceSums)
	if err == nil {
		_, err = io.WriteString(f, e.sums.String())
	}
	if err != nil {
		return err
	}
	return archive.Close()
}

func (e *evidence) create(archive *zip.Writer, name string) (io.Writer, error) {
	return archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: e.until.UTC()})
}

// step counts a line and tells the page now and then.
func (e *evidence) step() error {
	e.done++
	now := e.s.Now()
	if now.Sub(e.told) < evidenceProgress {
		return nil
	}
	e.told = now
	return e.s.Store.Keep().AdvanceBundle(e.ctx, e.bundle.ID, e.done)
}

func (e *evidence) say(key string, pairs ...any) string {
	return words.T(words.With(e.ctx, e.lang), key, pairs...)
}

// readmeParts are its paragraphs: a title stands alone, the others say one thing each.
var readmeParts = []string{"title", "about", "files", "personal", "verify", "verify_sums", "verify_proof", "verify_chain", "verify_zip", "limits", "format", "format_row", "format_leaf", "format_tree", "format_seals"}

func (e *evidence) readme(w io.Writer) error {
	for _, part := range readmeParts {
		text := e.say("evidence.readme."+part, "merchant", e.merchant.Name, "id", int64(e.merchant.ID), "at", words.Exact(e.until), "who", e.bundle.Asker, "zip", EvidenceName(e.bundle), "bundle", e.bundle.ID)
		if _, err := io.WriteString(w, wrap(text, 100)+"\n\n"); err != nil {
			return err
		}
		if part != "files" {
			continue
		}
		for _, name := range append(slices.Clone(evidenceFiles), evidenceSums) {
			if _, err := fmt.Fprintf(w, "  %-15s %s\n", name, e.say("evidence.file."+strings.ReplaceAll(strings.ToLower(name), ".", "_"))); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	return nil
}

// wrap breaks a paragraph into lines of at most so many characters, where it can.
func wrap(text string, width int) string {
	var b strings.Builder
	n := 0
	for i, word := range strings.Fields(text) {
		switch l := len([]rune(word)); {
		case i == 0:
			n = l
		case n+1+l > width:
			b.WriteByte('\n')
			n = l
		default:
			b.WriteByte(' ')
			n += 1 + l
		}
		b.WriteString(word)
	}
	return b.String()
}

// events are the audit rows of the merchant, oldest first.
func (e *evidence) events(each func(models.AuditRow) error) error {
	return pages(func(after int64) ([]models.AuditRow, error) {
		return e.s.Store.AuditHistory(e.ctx, e.merchant.ID, e.horizon(), after, evidencePage)
	}, func(r models.AuditRow) (int64, error) { return r.ID, each(r) })
}

// pages reads rows page by page and hands out each; one says behind what to go on.
func pages[T any, ID ~int64](read func(after ID) ([]T, error), each func(T) (ID, error)) error {
	for after := ID(0); ; {
		rows, err := read(after)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if after, err = each(row); err != nil {
				return err
			}
		}
		if len(rows) < evidencePage {
			return nil
		}
	}
}

func (e *evidence) paper(w io.Writer) error {
	unknown := e.say("evidence.none")
	head := report.Head{
		Title: e.say("evidence.paper.title", "merchant", e.merchant.Name),
		Facts: [][2]string{
			{e.say("evidence.paper.number"), e.merchant.ID.String()},
			{e.say("merchant.business_id"), orElse(e.merchant.BusinessID, unknown)},
			{e.say("merchant.brand_id"), orElse(e.merchant.BrandID, unknown)},
			{e.say("evidence.paper.made"), words.Exact(e.until)},
			{e.say("evidence.paper.asked"), e.bundle.Asker},
			{e.say("evidence.paper.events"), words.Number(words.With(e.ctx, e.lang), e.size.Events)},
		},
		Note:     e.say("evidence.paper.note"),
		Columns:  [3]string{e.say("audit.when"), e.say("audit.who"), e.say("audit.what")},
		Language: string(e.lang), Made: e.until,
		Page: func(n int) string { return e.say("evidence.paper.page", "n", n, "merchant", e.merchant.Name) },
	}
	skip := e.size.Events - evidencePDF
	if skip > 0 {
		head.Note += " " + e.say("evidence.paper.cut", "max", evidencePDF, "n", e.size.Events)
	}
	t := report.NewTimeline(head)
	err := e.events(func(r models.AuditRow) error {
		if skip > 0 {
			skip--
			return nil
		}
		t.Add(e.event(r))
		return e.step()
	})
	if err != nil {
		return err
	}
	return t.Write(w)
}

// event is an audit row in words, with the reasons of a refusal.
func (e *evidence) event(r models.AuditRow) report.Event {
	code, params := Happened(r)
	who := orElse(r.Who, e.say("audit.who."+string(r.ActorKind)))
	if r.ActorRole != "" {
		who += " (" + e.say("role."+string(r.ActorRole)) + ")"
	}
	event := report.Event{When: words.Exact(r.At), Who: who, What: words.Say(e.lang, "event."+code, params)}
	for _, reason := range reasonsOf(r) {
		if key := "reason." + reason; words.Has(key) {
			reason = words.Say(e.lang, key, nil)
		}
		event.Why = append(event.Why, reason)
	}
	return event
}

// reasonsOf are the reason codes in an audit row: of a reviewer's refusal several, of DOKU's one.
func reasonsOf(r models.AuditRow) (codes []string) {
	if reason, ok := r.Detail["reason"].(string); ok && reason != "" {
		codes = append(codes, reason)
	}
	list, _ := r.Detail["reasons"].([]any)
	for _, reason := range list {
		if code, ok := reason.(string); ok {
			codes = append(codes, code)
		}
	}
	return codes
}

func (e *evidence) timeline(w io.Writer) error {
	return e.sheet(w, AuditColumns, func(row func(...string) error) error {
		return e.events(func(r models.AuditRow) error {
			e.rows = append(e.rows, r.ID)
			return row(AuditCells(e.lang, r)...)
		})
	})
}

// sheet writes a CSV file, each row a step.
func (e *evidence) sheet(w io.Writer, columns []string, fill func(row func(...string) error) error) error {
	s, err := NewSheet(w, columns)
	if err == nil {
		err = fill(func(cells ...string) error {
			if err := s.Row(cells); err != nil {
				return err
			}
			return e.step()
		})
	}
	if err != nil {
		return err
	}
	return s.End()
}

func (e *evidence) documents(w io.Writer) error {
	columns := []string{"id", "slot_id", "category", "code", "version", "file_name", "content_type", "bytes", "sha256", "doku_file_id", "doku_attached_id", "delivery", "problem", "review", "reasons",
		"uploaded_by", "uploaded_at", "delivered_at", "withdrawn_by", "withdrawn_at", "withdrawn_why"}
	return e.sheet(w, columns, func(row func(...string) error) error {
		return pages(func(after models.DocumentID) ([]models.EvidenceDocument, error) {
			return e.s.Store.EvidenceDocuments(e.ctx, e.merchant.ID, after, evidencePage)
		}, func(d models.EvidenceDocument) (models.DocumentID, error) {
			return d.ID, row(cellNumber(d.ID), cellNumber(d.SlotID), d.Category, d.Code, strconv.Itoa(d.Version), veil(d.FileName), d.ContentType, strconv.FormatInt(d.Size, 10), hex.EncodeToString(d.SHA256),
				d.FileID, d.AttachedID, string(d.State), d.Problem, d.Review, strings.Join(d.Reasons, " "), d.Uploader, cellTime(&d.UploadedAt), cellTime(d.DeliveredAt), d.Withdrawer, cellTime(d.WithdrawnAt), veil(d.WithdrawnWhy))
		})
	})
}

func (e *evidence) decisions(w io.Writer) error {
	columns := []string{"id", "document_id", "version", "sha256", "outcome", "standing", "reasons", "reasons_in_words", "note", "message", "decided_by", "decided_at", "settled_at", "replaces", "screen_seconds"}
	return e.sheet(w, columns, func(row func(...string) error) error {
		return pages(func(after models.DecisionID) ([]Said, error) {
			rows, err := e.s.Store.EvidenceDecisions(e.ctx, e.merchant.ID, after, evidencePage)
			if err != nil {
				return nil, err
			}
			return e.s.said(rows)
		}, func(v Said) (models.DecisionID, error) {
			var reasons []string
			for _, code := range v.Reasons {
				reasons = append(reasons, e.say("reason."+code))
			}
			replaces := ""
			if v.Replaces != nil {
				replaces = cellNumber(*v.Replaces)
			}
			return v.ID, row(cellNumber(v.ID), cellNumber(v.DocumentID), strconv.Itoa(v.Version), hex.EncodeToString(v.SHA256), string(v.Outcome), string(v.Standing), strings.Join(v.Reasons, " "),
				strings.Join(reasons, " "), veil(v.NoteText), veil(v.MessageText), v.Decider, cellTime(&v.DecidedAt), cellTime(v.SettledAt), replaces, seconds(v.ScreenMS))
		})
	})
}

func (e *evidence) looks(w io.Writer) error {
	return e.sheet(w, []string{"id", "document_id", "who", "opened_at", "seen_until", "open_seconds"}, func(row func(...string) error) error {
		return pages(func(after models.LookID) ([]models.Look, error) {
			return e.s.Store.EvidenceLooks(e.ctx, e.merchant.ID, after, evidencePage)
		}, func(l models.Look) (models.LookID, error) {
			return l.ID, row(cellNumber(l.ID), cellNumber(l.DocumentID), l.Who, cellTime(&l.OpenedAt), cellTime(&l.SeenAt), seconds(l.OpenMS))
		})
	})
}

// submissions are without what was sent: that is the merchant's data.
func (e *evidence) submissions(w io.Writer) error {
	columns := []string{"id", "kind", "asked_by", "asked_at", "sent_at", "attempts", "request_id", "outcome", "reason", "doku_said", "business_id", "brand_id", "status",
		"settled_by", "settled_at", "note", "reopened_at", "replaces"}
	return e.sheet(w, columns, func(row func(...string) error) error {
		return pages(func(after models.SubmissionID) ([]Told, error) {
			return e.s.submissions(e.ctx, e.merchant.ID, after, evidencePage)
		}, func(v Told) (models.SubmissionID, error) {
			replaces := ""
			if v.Replaces != nil {
				replaces = cellNumber(*v.Replaces)
			}
			return v.ID, row(cellNumber(v.ID), string(v.Kind), v.Submitter, cellTime(&v.CreatedAt), cellTime(v.SentAt), strconv.Itoa(v.Submission.Attempts), v.RequestID, string(v.Outcome), v.Problem, veil(v.Words),
				v.BusinessID, v.BrandID, v.BusinessStatus, v.Settler, cellTime(v.SettledAt), veil(v.NoteText), cellTime(v.MendedAt), replaces)
		})
	})
}

func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 1, 64) }

// proofLine is one line of the proofs. Seal, position, rows and path are null for a row that waited for its seal.
type proofLine struct {
	Seal        *int64   `json:"seal"`
	Position    *int     `json:"position"`
	Rows        *int     `json:"rows"`
	Path        []string `json:"path"`
	Transaction string   `json:"transaction"`
	Content     string   `json:"content"`
	Mac         string   `json:"mac"`
}

func (e *evidence) proofs(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for p, err := range e.s.Store.AuditProofs(e.ctx, e.merchant.ID, e.horizon(), evidencePage) {
		if err != nil {
			return err
		}
		if len(e.rows) == 0 || p.Row != e.rows[0] { // committed since
			continue
		}
		e.rows = e.rows[1:]
		line := proofLine{Transaction: p.Transaction, Content: p.Content, Mac: hex.EncodeToString(p.Mac)}
		if p.Seal != 0 {
			e.seals[p.Seal] = true
			line.Seal, line.Position, line.Rows, line.Path = &p.Seal, &p.Position, &p.Rows, []string{}
			for _, node := range p.Path {
				line.Path = append(line.Path, hex.EncodeToString(node))
			}
		}
		if err := out.Encode(line); err != nil {
			return err
		}
		if err := e.step(); err != nil {
			return err
		}
	}
	return nil
}

// SealFact is a seal as a bundle names it. Root and Chain in hexadecimal.
type SealFact struct {
	Seal     int64     `json:"seal"`
	SealedAt time.Time `json:"sealed_at"`
	Rows     int       `json:"rows"`
	Root     string    `json:"root"`
	Chain    string    `json:"chain"`
}

func sealFact(a models.AuditSeal) SealFact {
	return SealFact{a.ID, a.SealedAt.UTC(), a.Rows, hex.EncodeToString(a.Root), hex.EncodeToString(a.Chain)}
}

// sealList is the file of seals: those that the proofs lead to, and the newest there was when the first row was read. All of
// the merchant's rows up to that one are in the bundle.
type sealList struct {
	Merchant models.MerchantID `json:"merchant"`
	MadeAt   time.Time         `json:"made_at"`
	Newest   SealFact          `json:"newest"`
	Seals    []SealFact        `json:"seals"`
}

func (e *evidence) sealed(w io.Writer) error {
	list := sealList{Merchant: e.merchant.ID, MadeAt: e.until.UTC(), Newest: sealFact(e.newest), Seals: []SealFact{}}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(e.seals)), evidencePage) {
		seals, err := e.s.Store.Seals(e.ctx, ids)
		if err != nil {
			return err
		}
		for _, seal := range seals {
			list.Seals = append(list.Seals, sealFact(seal))
		}
	}
	return json.NewEncoder(w).Encode(list)
}
