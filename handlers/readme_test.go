package handlers

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"berkas/internal/auth"
	"berkas/models"
)

// The README's table of roles and routes is the route table's.
func TestReadmeHasTheRoutes(t *testing.T) {
	t.Parallel()
	const readme, begin, end = "../README.md", "<!-- routes -->\n", "<!-- /routes -->"
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("the README lacks its marks %q and %q", begin, end)
	}
	want := routesTable()
	if table == want {
		return
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("the README's table is not the route table; go test ./handlers -update writes it:\n%s", want)
}

// routesTable is who may call what.
func routesTable() string {
	var b strings.Builder
	head, line := "| | | anyone |", "| --- | --- | :-: |"
	for _, role := range models.Roles {
		head += " " + string(role) + " |"
		line += " :-: |"
	}
	b.WriteString(head + "\n" + line + "\n")
	for _, r := range (&handler{}).routes() {
		fmt.Fprintf(&b, "| %s | `%s` |%s", r.Method, r.Path, tick(r.Permission == auth.Public))
		for _, role := range models.Roles {
			b.WriteString(tick(auth.Can(models.Actor{Kind: models.ActorUser, Role: role}, r.Permission)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func tick(may bool) string {
	if may {
		return " ✓ |"
	}
	return " |"
}
