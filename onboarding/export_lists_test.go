package onboarding_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
)

func (b *bundle) takeMerchants() (*onboarding.Export, error) {
	return b.TakeMerchants(b.Context(), b.staff, models.MerchantFilter{}, "xlsx", []string{"q"})
}

// exported is how far the newest export is.
func (b *bundle) exported() models.Export {
	b.Helper()
	list, err := b.store.Exports(b.Context(), b.staff.Person, 1)
	b.must(err)
	return list[0]
}

func TestFewExportsAtOnce(t *testing.T) {
	b := setup(t)
	first, err := b.takeMerchants()
	b.must(err)
	second, err := b.takeMerchants()
	b.must(err)
	if _, err := b.takeMerchants(); !fault.Is(err, fault.Unavailable) || fault.As(err).RetryAfter == 0 {
		t.Errorf("a third is %v", err)
	}
	if e := b.exported(); e.EndedAt == nil || e.Problem != "export_busy" {
		t.Errorf("whoever began the third is told %+v", e)
	}
	first.Close()
	third, err := b.takeMerchants()
	b.must(err)
	second.Close()
	third.Close()
}

// A reader who has gone ends an export; the trail and who began it are told that it was not whole.
func TestAnExportEndsWithItsReader(t *testing.T) {
	b := setup(t)
	b.merchant()
	gone := errors.New("gone")
	table, err := onboarding.NewTable(io.Discard, "xlsx", "Merchants")
	b.must(err)
	e, err := b.takeMerchants()
	b.must(err)
	defer e.Close()
	if err := e.Write(b.Context(), table, func() error { return gone }); !errors.Is(err, gone) {
		t.Error(err)
	}
	var told string
	b.must(b.db.Pool.QueryRow(b.Context(), "select detail::text from audit where action = 'merchant.sent'").Scan(&told))
	if told != `{"rows": 1, "whole": false, "format": "xlsx"}` {
		t.Error(told)
	}
	if e := b.exported(); e.EndedAt == nil || e.Problem != "export_gone" || e.Rows != 1 {
		t.Errorf("%+v", e)
	}
}

// How far an export is that takes long is seen by every process, and forgotten after a day.
func TestAnExportTellsHowFarItIs(t *testing.T) {
	b := setup(t)
	b.merchant()
	table, err := onboarding.NewTable(io.Discard, "csv", "Merchants")
	b.must(err)
	e, err := b.takeMerchants()
	b.must(err)
	defer e.Close()
	b.clock.Advance(2 * time.Second)
	b.must(e.Write(b.Context(), table, func() error {
		if e := b.exported(); e.EndedAt != nil || e.Rows != 1 || e.Total != 1 {
			t.Errorf("under way it is %+v", e)
		}
		return nil
	}))
	if e := b.exported(); e.EndedAt == nil || e.Problem != "" || e.Rows != 1 {
		t.Errorf("whole it is %+v", e)
	}
	if others, err := b.store.Exports(b.Context(), b.staff.Person+1, 10); err != nil || len(others) != 0 {
		t.Errorf("somebody else sees %v, %v", others, err)
	}
	b.clock.Advance(25 * time.Hour)
	b.must(b.Tidy(b.Context()))
	if left, err := b.store.Exports(b.Context(), b.staff.Person, 10); err != nil || len(left) != 0 {
		t.Errorf("a day later there are %v, %v", left, err)
	}
}
