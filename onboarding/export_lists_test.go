package onboarding_test

import (
	"errors"
	"io"
	"slices"
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

// How far a large export is every process sees, a second later at most, and forgets after a day.
func TestALargeExportTellsHowFarItIs(t *testing.T) {
	b := setup(t)
	b.merchant()
	b.exec(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id)
		select gen_random_uuid(), 'M ' || n, 'm ' || n, business_type, legal_entity, business_line, nationality, combination_id, set_id from merchants, generate_series(1, 3000) n`)
	table, err := onboarding.NewTable(io.Discard, "csv", "Merchants")
	b.must(err)
	e, err := b.takeMerchants()
	b.must(err)
	defer e.Close()
	var told []int
	b.must(e.Write(b.Context(), table, func() error {
		e := b.exported()
		if told = append(told, e.Rows); e.EndedAt != nil || e.Total != 3001 {
			t.Errorf("under way it is %+v", e)
		}
		if len(told) == 2 {
			b.clock.Advance(2 * time.Second)
		}
		return nil
	}))
	if !slices.Equal(told, []int{1000, 1000, 3000, 3000}) {
		t.Error(told)
	}
	if e := b.exported(); e.EndedAt == nil || e.Problem != "" || e.Rows != 3001 {
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
