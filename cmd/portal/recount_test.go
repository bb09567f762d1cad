package main

import (
	"strings"
	"testing"

	"berkas/internal/testdb"
)

func TestRecountNamesWhatDiffersAndMendsIt(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	e := onDatabase(t, db)
	if out := ok(t, e, "", "recount"); !strings.Contains(out, "Everything that is kept is what the rows say.") {
		t.Error(out)
	}
	refused(t, e, `"all" is none`, "recount", "all")
	refused(t, e, "not defined", "recount", "--mend")
	pool := testdb.Open(t, db.DSN).Pool
	if _, err := pool.Exec(t.Context(), "insert into tallies (kind, whose, measure, day, key, n, total) values ('*|*|*', '', 'merchants', '1970-01-01', 'todo', 7, 0)"); err != nil {
		t.Fatal(err)
	}
	refused(t, e, "differs from what the rows say 1 times", "recount")
	if out := ok(t, e, "", "recount", "--repair"); !strings.Contains(out, `figure merchants "todo" of 1970-01-01, "*|*|*", "": kept 7 (total 0), counted 0 (total 0)`) || !strings.Contains(out, "mended") {
		t.Error(out)
	}
	ok(t, e, "", "recount")
}
