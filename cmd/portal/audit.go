package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"berkas/internal/auth"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
)

// auditVerify holds the audit trail against its seals, and says what holds or the first thing that does not.
func auditVerify(ctx context.Context, in *invocation) error {
	scope, bundle, err := auditScope(in)
	if err != nil {
		return err
	}
	var evidence onboarding.EvidenceReport
	if bundle != "" {
		if evidence, err = checkBundle(bundle); err != nil {
			return err
		}
	}
	anchor, err := readAnchor(in.config.DataDir)
	if err != nil {
		return err
	}
	scope.Anchor = models.AuditSeal{ID: anchor.Seal, Chain: anchor.Chain}
	return atTheGate(ctx, in, func(store *models.Store, _ *auth.Gate) error {
		report, err := store.VerifyAudit(ctx, scope)
		if err != nil {
			return err
		}
		if report.Flaw != nil {
			if report.Unsealed, err = store.UnsealedAudit(ctx); err == nil {
				_, err = fmt.Fprintf(in.stdout, "rows that hold before it  %d\nnot sealed  %s\n", report.Rows, unsealed(report.Unsealed))
			}
			return errors.Join(errors.New(flawed(*report.Flaw, anchor)), err)
		}
		if err := inTrail(ctx, store, evidence); err != nil {
			return err
		}
		return errors.Join(tellAudit(in.stdout, scope, report, anchor), tellInTrail(in.stdout, evidence))
	})
}

func auditScope(in *invocation) (scope models.AuditScope, bundle string, err error) {
	var since string
	var merchant int64
	set := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&since, "since", "", "")
	set.Int64Var(&merchant, "merchant", 0, "")
	set.StringVar(&bundle, "bundle", "", "")
	if err := set.Parse(in.args); err != nil {
		return scope, "", fmt.Errorf("audit verify: %w; portal help shows what it takes", err)
	}
	if set.NArg() > 0 {
		return scope, "", fmt.Errorf("audit verify takes flags only, and %q is none; portal help shows them", set.Arg(0))
	}
	set.Visit(func(f *flag.Flag) {
		if f.Name == "merchant" && merchant < 1 {
			err = errors.New("--merchant takes a merchant's number, as in the address of its page")
		}
	})
	if err == nil && since != "" {
		scope.Since, err = instant(since, time.Now())
	}
	scope.Merchant = models.MerchantID(merchant)
	return scope, bundle, err
}

// instant reads a day (from its midnight in Jakarta), an exact time, or how long ago.
func instant(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, words.WIB); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("--since takes a day such as 2026-11-01, or how long ago such as 24h, and %q is neither", s)
}

// flawed says what does not hold. The row comes before the reason: that is what one looks for.
func flawed(f models.AuditFlaw, a anchor) string {
	what := fmt.Sprintf("row %d of %s", f.Row, words.Exact(f.At))
	seal := fmt.Sprintf("seal %d", f.Seal)
	if !f.At.IsZero() {
		seal += " of " + words.Exact(f.At)
	}
	if f.Row != 0 && f.Seal != 0 {
		what += fmt.Sprintf(" (seal %d)", f.Seal)
	}
	says := "the audit trail does not hold: "
	switch {
	case f.What == models.FlawCut:
		return says + fmt.Sprintf("the trail ends before the anchor: its last seal is %d, and seal %d was written to %s at %s", f.Seal, a.Seal, anchorFile, words.Exact(a.At))
	case f.What == models.FlawAnchor:
		return says + fmt.Sprintf("seal %d is not the one that was written to %s at %s: the trail was cut off before it, and went on", f.Seal, anchorFile, words.Exact(a.At))
	case f.What == models.FlawSeal && f.Seal == 1:
		return says + "seal 1 was changed or is gone, or ENCRYPTION_KEY is not the key that it was sealed with"
	case f.What == models.FlawSeal:
		return says + seal + " was changed, or is gone"
	case f.Row == 0:
		return says + seal + map[string]string{models.FlawMissing: " lacks rows", models.FlawInserted: " has more rows than were sealed"}[f.What] + map[bool]string{true: " does not have its rows in the order in which they were sealed"}[f.What == models.FlawMoved]
	}
	return says + what + map[string]string{
		models.FlawChanged: " was changed", models.FlawMissing: " is missing", models.FlawInserted: " was inserted",
		models.FlawMoved:  " was moved, or a row before it is missing",
		models.FlawForged: " is forged: the program did not write it",
	}[f.What]
}

func tellAudit(out io.Writer, scope models.AuditScope, r models.AuditReport, a anchor) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	whose := ""
	if scope.Merchant != 0 {
		whose += fmt.Sprintf(" of merchant %d", scope.Merchant)
	}
	if !scope.Since.IsZero() {
		whose += " sealed since " + words.Exact(scope.Since)
	}
	fmt.Fprintf(w, "The audit trail holds.\n")
	fmt.Fprintf(w, "rows\t%d%s\n", r.Rows, whose)
	fmt.Fprintf(w, "seals\t%d\n", r.Seals)
	if r.Last.ID != 0 {
		fmt.Fprintf(w, "newest seal\t%d of %s\n", r.Last.ID, words.Exact(r.Last.SealedAt))
		fmt.Fprintf(w, "chain\t%x\n", r.Last.Chain)
	}
	if a.Seal != 0 {
		fmt.Fprintf(w, "anchor\tseal %d, written %s, is in it\n", a.Seal, words.Exact(a.At))
	} else {
		fmt.Fprintf(w, "anchor\tnone in %s: a cut-off end would not show\n", anchorFile)
	}
	fmt.Fprintf(w, "not sealed\t%s\n", unsealed(r.Unsealed))
	return w.Flush()
}

func unsealed(u models.Unsealed) string {
	if u.Since == nil {
		return strconv.Itoa(u.Rows)
	}
	return fmt.Sprintf("%d, since %s", u.Rows, words.Exact(*u.Since))
}

// The anchor is the newest seal, kept outside of the database: whoever can delete the end of the trail there, and leaves
// what is left whole, is given away by it.
const (
	anchorFile     = "audit.anchor" // in DATA_DIR
	anchorInterval = time.Minute
)

type anchor struct {
	Seal  int64
	Chain []byte
	At    time.Time
}

type anchorText struct {
	Seal  int64     `json:"seal"`
	Chain string    `json:"chain"`
	At    time.Time `json:"at"`
}

// readAnchor is the zero anchor where there is none.
func readAnchor(dir string) (anchor, error) {
	path := filepath.Join(dir, anchorFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return anchor{}, nil
	}
	var text anchorText
	if err == nil {
		err = json.Unmarshal(b, &text)
	}
	a := anchor{Seal: text.Seal, At: text.At}
	if err == nil {
		a.Chain, err = hex.DecodeString(text.Chain)
	}
	if err == nil && (a.Seal < 1 || len(a.Chain) == 0) {
		err = errors.New("it names no seal")
	}
	if err != nil {
		return anchor{}, fmt.Errorf("the audit trail's anchor in %s cannot be read: %w", path, err)
	}
	return a, nil
}

func (a anchor) write(dir string) error {
	b, err := json.Marshal(anchorText{a.Seal, hex.EncodeToString(a.Chain), a.At})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, anchorFile+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, anchorFile))
}

// keepAnchor writes the anchor soon after the start, then every minute.
func (p *portal) keepAnchor(ctx context.Context) {
	first, tick := time.NewTimer(3*time.Second), time.NewTicker(anchorInterval)
	defer first.Stop()
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-first.C:
		case <-tick.C:
		}
		p.complain("anchoring the audit trail", p.anchor(ctx))
	}
}

// lastSeal seals and anchors what was written until the stop.
func (p *portal) lastSeal(ctx context.Context) {
	select {
	case <-p.databaseDone():
		return
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	err := p.service.SealAudit(ctx)
	if err == nil {
		err = p.anchor(ctx)
	}
	p.complain("sealing the audit trail at the stop", err)
}

func (p *portal) complain(doing string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		p.in.log.Warn(doing+" failed", "error", err)
	}
}

// anchor moves the anchor on to the newest seal. An anchor that the trail no longer contains stays, for it is the proof.
func (p *portal) anchor(ctx context.Context) error {
	had, err := readAnchor(p.config.DataDir)
	if err != nil {
		return err
	}
	newest, err := p.store.NewestSeal(ctx)
	if err != nil || newest.ID == 0 && had.Seal == 0 {
		return err
	}
	if had.Seal != 0 {
		same, err := p.store.Seal(ctx, had.Seal)
		if err != nil {
			return err
		}
		if !bytes.Equal(same.Chain, had.Chain) {
			return fmt.Errorf("the audit trail in the database does not contain the seal %d that %s names: portal audit verify says more", had.Seal, anchorFile)
		}
		if newest.ID == had.Seal {
			return nil
		}
	}
	return anchor{newest.ID, newest.Chain, time.Now().UTC()}.write(p.config.DataDir)
}
