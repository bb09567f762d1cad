package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"berkas/internal/auth"
	"berkas/models"
	"berkas/onboarding"
)

// recount computes anew what is kept of merchants, slots and figures, and says of each what differs. With --repair that is
// mended.
func recount(ctx context.Context, in *invocation) error {
	set := flag.NewFlagSet("recount", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	repair := set.Bool("repair", false, "")
	if err := set.Parse(in.args); err != nil {
		return fmt.Errorf("recount: %w; portal help shows what it takes", err)
	}
	if set.NArg() > 0 {
		return fmt.Errorf("recount takes flags only, and %q is none; portal help shows them", set.Arg(0))
	}
	return atTheGate(ctx, in, func(store *models.Store, _ *auth.Gate) error {
		service := onboarding.New(onboarding.Parts{Store: store, Now: time.Now, Log: in.log})
		r, err := service.Recount(ctx, *repair, func(d onboarding.Difference) error {
			_, err := fmt.Fprintln(in.stdout, differing(d))
			return err
		})
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(in.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintf(w, "merchants\t%d\nslots\t%d\ndifferences\t%d\n", r.Merchants, r.Slots, r.Differences)
		if err := w.Flush(); err != nil {
			return err
		}
		switch {
		case r.Differences == 0:
			_, err = fmt.Fprintln(in.stdout, "Everything that is kept is what the rows say.")
		case *repair:
			_, err = fmt.Fprintln(in.stdout, "All of them were mended.")
		default:
			err = fmt.Errorf("what is kept differs from what the rows say %d times, as named above; --repair mends it", r.Differences)
		}
		return err
	})
}

// differing says what one difference is.
func differing(d onboarding.Difference) string {
	if d.Merchant == 0 {
		t := d.Tally
		return fmt.Sprintf("figure %s %q of %s, %q, %q: kept %d (total %d), counted %d (total %d)", t.Measure, t.Key, t.Day.Format(time.DateOnly),
			t.Kind, t.Whose, t.Kept, t.KeptTotal, t.Counted, t.CountedTotal)
	}
	whose := fmt.Sprintf("merchant %d", d.Merchant)
	if d.Slot != 0 {
		whose += fmt.Sprintf(", slot %d", d.Slot)
	}
	return fmt.Sprintf("%s: %s is kept as %q, counted %q", whose, d.What, d.Kept, d.Counted)
}
