package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
)

// auditProof checks a bundle of evidence by itself, and says what holds or the first thing that does not.
func auditProof(_ context.Context, in *invocation) error {
	if len(in.args) != 1 {
		return errors.New("audit proof takes one file, a bundle of evidence as it was downloaded")
	}
	r, err := checkBundle(in.args[0])
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(in.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "The bundle holds.\n")
	fmt.Fprintf(w, "merchant\t%d\nmade\t%s\n", r.Merchant, words.Exact(r.MadeAt))
	fmt.Fprintf(w, "files\t%d as SHA256SUMS says\nrows\t%d lead to their seals\nseals\t%d\nnot sealed\t%d\n", r.Files, r.Rows, len(r.Seals), r.Unsealed)
	fmt.Fprintf(w, "newest seal\t%d of %s\nchain\t%s\n", r.Newest.Seal, words.Exact(r.Newest.SealedAt), r.Newest.Chain)
	fmt.Fprintf(w, "That the seals are the trail's own is proved by whoever keeps it: portal audit verify --bundle\n")
	return w.Flush()
}

// checkBundle is what is in a bundle that holds.
func checkBundle(path string) (onboarding.EvidenceReport, error) {
	f, err := os.Open(path)
	if err != nil {
		return onboarding.EvidenceReport{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return onboarding.EvidenceReport{}, err
	}
	r, err := onboarding.CheckEvidence(f, info.Size())
	switch {
	case err != nil:
		return r, fmt.Errorf("the bundle of evidence cannot be read: %w", err)
	case r.Flaw != nil:
		return r, errors.New("the bundle of evidence does not hold: " + bundleFlawed(*r.Flaw))
	}
	return r, nil
}

func bundleFlawed(f onboarding.EvidenceFlaw) string {
	where := f.File
	if f.Line > 0 {
		where += fmt.Sprintf(", line %d", f.Line)
	}
	if f.Row > 0 {
		where += fmt.Sprintf(" (row %d of the audit trail)", f.Row)
	}
	return where + map[string]string{
		onboarding.FlawFileMissing: " is missing",
		onboarding.FlawFileExtra:   " does not belong to it",
		onboarding.FlawFileChanged: " was changed",
		onboarding.FlawNotProved:   " does not lead to its seal: it was changed",
		onboarding.FlawSealUnknown: " is of a seal that is not in it",
		onboarding.FlawStranger:    " is of another merchant, or not at its place",
		onboarding.FlawUnlike:      " does not say what the proved row says",
	}[f.What]
}

// inTrail holds a bundle's seals against those of a trail that was verified, and counts whether all of the merchant's rows are in it.
func inTrail(ctx context.Context, store *models.Store, r onboarding.EvidenceReport) error {
	if r.Newest.Seal == 0 {
		return nil
	}
	for _, fact := range append(r.Seals, r.Newest) {
		seal, err := store.Seal(ctx, fact.Seal)
		if err != nil {
			return err
		}
		if hex.EncodeToString(seal.Root) != fact.Root || hex.EncodeToString(seal.Chain) != fact.Chain || seal.Rows != fact.Rows {
			return fmt.Errorf("the bundle of evidence is not of this audit trail: its seal %d is another one", fact.Seal)
		}
	}
	has, err := store.SealedRows(ctx, r.Merchant, r.Newest.Seal)
	if err == nil && has != r.Complete {
		err = fmt.Errorf("the bundle of evidence is not whole: up to seal %d the audit trail has %d rows of merchant %d, and the bundle %d", r.Newest.Seal, has, r.Merchant, r.Complete)
	}
	return err
}

func tellInTrail(out io.Writer, r onboarding.EvidenceReport) error {
	if r.Newest.Seal == 0 {
		return nil
	}
	_, err := fmt.Fprintf(out, "The bundle of evidence holds: its %d rows and all %d seals are in this trail, and up to seal %d no row of merchant %d is missing.\n", r.Rows, len(r.Seals), r.Newest.Seal, r.Merchant)
	return err
}
