package onboarding_test

import (
	"errors"
	"io"
	"testing"

	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
)

func TestFewExportsAtOnce(t *testing.T) {
	b := setup(t)
	take := func() (func(), error) { return b.TakeMerchants(b.Context(), b.staff, "csv", []string{"q"}) }
	first, err := take()
	b.must(err)
	second, err := take()
	b.must(err)
	if _, err := take(); !fault.Is(err, fault.Unavailable) || fault.As(err).RetryAfter == 0 {
		t.Errorf("a third is %v", err)
	}
	first()
	third, err := take()
	b.must(err)
	second()
	third()
}

// A reader who has gone ends an export, and the trail says that it was not whole.
func TestAnExportEndsWithItsReader(t *testing.T) {
	b := setup(t)
	b.merchant()
	gone := errors.New("gone")
	table, err := onboarding.NewTable(io.Discard, "xlsx", "Merchants")
	b.must(err)
	if err := b.ExportMerchants(b.Context(), b.staff, models.MerchantFilter{}, "xlsx", table, func() error { return gone }); !errors.Is(err, gone) {
		t.Error(err)
	}
	var told string
	b.must(b.db.Pool.QueryRow(b.Context(), "select detail::text from audit where action = 'merchant.sent'").Scan(&told))
	if told != `{"rows": 1, "whole": false, "format": "xlsx"}` {
		t.Error(told)
	}
}
