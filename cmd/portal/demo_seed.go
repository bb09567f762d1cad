package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/handlers"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
)

const (
	demoPoll     = 10 * time.Millisecond
	demoPatience = time.Minute     // for one document's delivery
	demoWait     = 5 * time.Minute // until the waiting document's next turn: the longest a delivery ever waits
	demoVersions = 3               // of a paper that is to meet a fate
	demoTries    = 8               // answers that nobody understands, before a document is given up
)

// demonstration makes the demo merchants as a colleague would: through the use cases, one step after another. Each step
// first looks whether it was done already, so that a demonstration that was killed goes on where it stopped.
type demonstration struct {
	*portal
	actor    models.Actor
	reviewer models.Actor
}

// addDemoMerchants makes the demonstration's merchants, once. Whatever goes wrong with them is no reason to stop serving.
func (p *portal) addDemoMerchants(ctx context.Context) error {
	began := time.Now()
	made, err := p.demonstrate(ctx)
	switch {
	case ctx.Err() != nil: // the next start goes on
	case err != nil:
		p.in.log.Warn("some demo merchants are missing; the next start goes on with them", "error", err)
	case made > 0:
		p.in.log.Info("the demo merchants are there", "made", made, "after", time.Since(began).Round(time.Millisecond))
	}
	return nil
}

// demonstrate makes what is missing of the set and tells how many merchants it worked on. The sample mark is a merchant's
// last step: as many marks as merchants in the set means that all was done, whatever became of them since.
func (p *portal) demonstrate(ctx context.Context) (made int, err error) {
	set := demoMerchants()
	samples, err := p.store.Samples(ctx)
	if err != nil || len(samples) >= len(set) {
		return 0, err
	}
	staff, err := p.store.PersonByEmail(ctx, handlers.DemoPeople[0].Email)
	if err != nil {
		return 0, err
	}
	reviewer, err := p.store.PersonByEmail(ctx, handlers.DemoPeople[1].Email)
	if err != nil {
		return 0, err
	}
	d := &demonstration{p, staff.Actor(""), reviewer.Actor("")}
	if slices.ContainsFunc(set, demoMerchant.hasPDF) {
		go func() { _ = p.papers.Warm(ctx) }() // what hinders it, hinders the first PDF and is said there
	}
	var failed []error
	for _, m := range set {
		if slices.ContainsFunc(samples, func(s models.Merchant) bool { return s.Name == m.form["name"] }) {
			continue
		}
		if err := d.add(ctx, &m); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", m.form["name"], err))
			continue
		}
		made++
	}
	return made, errors.Join(failed...)
}

func (d *demonstration) add(ctx context.Context, m *demoMerchant) error {
	known, err := d.find(ctx, m)
	if err != nil || known.ID != 0 && !d.own(known) {
		return err
	}
	if known.ID != 0 && known.SetID == nil { // killed before DOKU said what it needs
		if err := d.service.ReadMerchantRequirements(ctx, known.ID); err != nil {
			return err
		}
	}
	if known.ArchivedAt == nil {
		if err := d.furnish(ctx, m, known.ID); err != nil {
			return err
		}
		if known, err = d.find(ctx, m); err != nil {
			return err
		}
	}
	return d.service.MarkSample(ctx, d.actor, known.ID)
}

// find is the merchant of this name, archived or not; the zero one when there is none.
func (d *demonstration) find(ctx context.Context, m *demoMerchant) (models.Merchant, error) {
	for _, state := range []string{"", "archived"} {
		rows, err := d.store.Merchants(ctx, models.MerchantFilter{Name: onboarding.NormalName(m.form["name"]), State: state}, nil, 100)
		if err != nil {
			return models.Merchant{}, err
		}
		for _, row := range rows {
			if row.Name == m.form["name"] {
				return d.store.Merchant(ctx, row.ID)
			}
		}
	}
	return models.Merchant{}, nil
}

// own reports whether a merchant is of the demonstration's making: somebody else's of the same name is left alone.
func (d *demonstration) own(m models.Merchant) bool {
	return m.CreatedBy != nil && *m.CreatedBy == d.actor.Person
}

// furnish takes a merchant through everything that is to happen to it.
func (d *demonstration) furnish(ctx context.Context, m *demoMerchant, id models.MerchantID) (err error) {
	if id == 0 {
		form := maps.Clone(m.form)
		if m.due != 0 {
			form["due_on"] = time.Now().AddDate(0, 0, m.due).Format(time.DateOnly)
		}
		if id, err = d.service.CreateMerchant(ctx, d.actor, form, true); err != nil {
			return err
		}
	}
	handed := map[string]int{} // versions by place
	for _, p := range m.papers {
		place := fmt.Sprint(p.title(), p.place)
		handed[place]++
		if p.fate != "" {
			err = d.handInFor(ctx, m, id, p)
		} else {
			err = d.handIn(ctx, m, id, p, handed[place])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.title(), err)
		}
	}
	if err := d.talk(ctx, m, id); err != nil {
		return err
	}
	if m.register {
		if err := d.register(ctx, m, id); err != nil {
			return err
		}
	}
	if m.archive {
		return d.service.ArchiveMerchant(ctx, d.actor, id)
	}
	return nil
}

// talk has the reviewer decide on a merchant's papers and write to colleagues, and the staff tell the merchant.
func (d *demonstration) talk(ctx context.Context, m *demoMerchant, id models.MerchantID) error {
	for _, p := range m.papers {
		if p.verdict == nil {
			continue
		}
		if err := d.decide(ctx, id, p); err != nil {
			return fmt.Errorf("%s: %w", p.title(), err)
		}
	}
	comments, err := d.store.Comments(ctx, id)
	if err == nil && m.comment != "" && len(comments) == 0 {
		err = d.service.Comment(ctx, d.reviewer, id, m.comment)
	}
	if err != nil || !m.message {
		return err
	}
	known, err := d.store.Merchant(ctx, id)
	if err != nil || known.MessagedAt != nil {
		return err
	}
	draft, err := d.service.DraftMessage(ctx, known, words.ID, handlers.DemoPeople[0].Name)
	if err == nil {
		_, err = d.service.RecordMessage(ctx, d.actor, onboarding.MessageInput{Merchant: id, Channel: models.WhatsApp, Language: words.ID, Text: draft.Text})
	}
	return err
}

// decide has the reviewer decide on the newest version of a paper once it is at DOKU, unless somebody did.
func (d *demonstration) decide(ctx context.Context, id models.MerchantID, p demoPaper) error {
	row, err := d.place(ctx, id, p)
	if err != nil || row.Newest() == nil {
		return err
	}
	doc, err := d.settled(ctx, row.Newest().ID)
	if err != nil || doc.State != models.Delivered || doc.Review != models.Undecided {
		return err
	}
	in := onboarding.DecisionInput{Document: doc.ID, Version: doc.Version, SHA256: hex.EncodeToString(doc.SHA256), Outcome: models.Approve, Reasons: p.verdict.reasons,
		Note: p.verdict.note, Message: p.verdict.message}
	if len(in.Reasons) > 0 {
		in.Outcome = models.Refuse
	}
	_, err = d.service.Decide(ctx, d.reviewer, in)
	return err
}

// place is the row of the checklist a paper belongs to. What DOKU does not ask for is added by hand.
func (d *demonstration) place(ctx context.Context, id models.MerchantID, p demoPaper) (models.ChecklistRow, error) {
	rows, err := d.store.ChecklistRows(ctx, id)
	if err != nil {
		return models.ChecklistRow{}, err
	}
	rows = slices.DeleteFunc(rows, func(r models.ChecklistRow) bool { return r.Category != p.category || r.Code != p.code })
	switch {
	case p.place < len(rows):
		return rows[p.place], nil
	case !p.byHand:
		return models.ChecklistRow{}, fault.New(fault.NotFound, "not_found")
	}
	slot, err := d.service.AddSlot(ctx, d.actor, id, p.category, p.code)
	return models.ChecklistRow{Slot: models.Slot{ID: slot}}, err
}

// handIn uploads one version of a paper, and takes it back when that is its story.
func (d *demonstration) handIn(ctx context.Context, m *demoMerchant, id models.MerchantID, p demoPaper, version int) error {
	row, err := d.place(ctx, id, p)
	if err != nil {
		return err
	}
	if len(row.Documents) < version {
		if err := d.upload(ctx, id, row, p, drawPaper(m, p, version)); err != nil {
			return err
		}
		if row, err = d.place(ctx, id, p); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(row.Documents, func(doc models.Document) bool { return doc.Version == version })
	if i < 0 || p.withdrawn == "" || row.Documents[i].WithdrawnAt != nil {
		return nil
	}
	if _, err := d.settled(ctx, row.Documents[i].ID); err != nil {
		return err
	}
	_, err = d.service.Withdraw(ctx, d.actor, row.Documents[i].ID, p.withdrawn)
	return err
}

func (d *demonstration) upload(ctx context.Context, id models.MerchantID, row models.ChecklistRow, p demoPaper, file sampleFile) error {
	in := onboarding.UploadInput{Merchant: id, Category: p.category, Code: p.code, Slot: row.ID, FileName: file.name, Body: bytes.NewReader(file.bytes)}
	if p.nik != "" {
		in.Fields = map[string]string{"NO_KTP": p.nik}
	}
	_, err := d.service.Upload(ctx, d.actor, in)
	return err
}

// handInFor uploads a paper that DOKU, which is the simulator here, makes something else of than a delivered one: the
// simulator is told to, for this one file. A simulator elsewhere is left alone, and the place stays empty. A version that
// was delivered all the same, because the program was killed meanwhile, is followed by another.
func (d *demonstration) handInFor(ctx context.Context, m *demoMerchant, id models.MerchantID, p demoPaper) error {
	for range demoVersions {
		row, err := d.place(ctx, id, p)
		if err != nil || d.simulator == nil || fated(row.Newest(), p.fate) {
			return err
		}
		file := drawPaper(m, p, len(row.Documents)+1)
		if err := d.simulator.AddFault(faultFor(p.fate, file.trace)); err != nil {
			return err
		}
		if err := d.upload(ctx, id, row, p, file); err != nil {
			return err
		}
		if row, err = d.place(ctx, id, p); err != nil {
			return err
		}
		if err := d.drive(ctx, row.Newest().ID, p.fate); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d versions were not %s", demoVersions, p.fate)
}

// fated reports whether a document is what it should become; one that waits, does so long enough to be seen.
func fated(doc *models.Document, fate models.DeliveryState) bool {
	return doc != nil && doc.State == fate && (fate != models.Waiting || doc.NextAttemptAt.After(time.Now().Add(demoWait/2)))
}

// faultFor is what the simulator has to do with the one upload that bears the trace.
func faultFor(fate models.DeliveryState, trace string) dokusim.Fault {
	f := dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultHTML, Times: 1, Body: trace}
	switch fate {
	case models.Refused:
		f.Kind, f.Status, f.Message = dokusim.FaultStatus, http.StatusUnprocessableEntity, "The document is not readable"
	case models.Failed:
		f.Times = demoTries
	}
	return f
}

// drive sees to it that a document whose turns DOKU spoils comes to its fate without the pauses between them, and that
// one which is to be seen waiting has its next turn only after the longest of them.
func (d *demonstration) drive(ctx context.Context, id models.DocumentID, fate models.DeliveryState) error {
	turn := func(at time.Time) error {
		return d.store.Keep().Requeue(ctx, []models.DocumentID{id}, at, func(*models.Tx) error { return nil })
	}
	for {
		doc, err := d.tried(ctx, id)
		if err != nil || doc.State != models.Waiting {
			return err
		}
		if fate == models.Waiting {
			return turn(time.Now().Add(demoWait))
		}
		if err := turn(time.Now()); err != nil {
			return err
		}
		err = d.service.SendDocument(ctx, id)
		if _, later := errors.AsType[onboarding.Later](err); err != nil && !later {
			return err
		}
	}
}

// tried waits until a document's turn is over.
func (d *demonstration) tried(ctx context.Context, id models.DocumentID) (models.Document, error) {
	return d.until(ctx, id, func(doc models.Document) bool {
		return doc.State != models.Sending && (doc.NextAttemptAt == nil || doc.NextAttemptAt.After(time.Now()))
	})
}

// settled waits until DOKU has, or will not have, a document.
func (d *demonstration) settled(ctx context.Context, id models.DocumentID) (models.Document, error) {
	return d.until(ctx, id, func(doc models.Document) bool { return doc.State != models.Sending && doc.State != models.Waiting })
}

func (d *demonstration) until(ctx context.Context, id models.DocumentID, ready func(models.Document) bool) (models.Document, error) {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	for {
		doc, err := d.store.Document(ctx, id)
		if err != nil || ready(doc) {
			return doc, err
		}
		select {
		case <-ctx.Done():
			return doc, ctx.Err()
		case <-time.After(demoPoll):
		}
	}
}

// register has the reviewer approve all of a merchant's documents once they are at DOKU, and asks for its registration. Their
// links count as expired from then on, so that looking at one shows how a fresh one is obtained.
func (d *demonstration) register(ctx context.Context, m *demoMerchant, id models.MerchantID) error {
	for _, p := range m.papers {
		p.verdict = &demoVerdict{}
		if err := d.decide(ctx, id, p); err != nil {
			return err
		}
	}
	known, err := d.store.Merchant(ctx, id)
	if err != nil || known.Locked {
		return err
	}
	if _, err := d.service.Register(ctx, d.actor, id, ""); err != nil {
		return err
	}
	rows, err := d.store.ChecklistRows(ctx, id)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if newest := row.Newest(); newest != nil {
			if err := d.store.Keep().ExpireLink(ctx, newest.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// hasPDF reports whether a merchant hands in a PDF.
func (m demoMerchant) hasPDF() bool { return slices.ContainsFunc(m.papers, demoPaper.isPDF) }
