package onboarding_test

import (
	"strings"
	"testing"

	"berkas/onboarding"
)

func TestCellsAreText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "a": "a", "=a": "'=a", "+a": "'+a", "-a": "'-a", "@a": "'@a", "\ta": "'\ta", "\ra": "\"'\ra\"", "a=b": "a=b", "'a": "'a", "é": "é", `a"b`: `"a""b"`} {
		var out strings.Builder
		s, err := onboarding.NewSheet(&out, []string{"x"})
		if err == nil {
			err = s.Row([]string{in})
		}
		if err == nil {
			err = s.End()
		}
		if got := strings.TrimSuffix(strings.TrimPrefix(out.String(), "x\n"), "\n"); err != nil || got != want {
			t.Errorf("%q becomes %q, not %q, %v", in, got, want, err)
		}
	}
}
