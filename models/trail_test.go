package models

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// Every constant of the type Action is offered as a filter.
func TestActionsAreAllActions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []Action
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if ok && len(v.Values) == 1 {
				if kind, ok := v.Type.(*ast.Ident); ok && kind.Name == "Action" {
					text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					declared = append(declared, Action(text))
				}
			}
			return true
		})
	}
	offered := slices.Clone(Actions)
	slices.Sort(declared)
	slices.Sort(offered)
	if !slices.Equal(declared, offered) {
		t.Errorf("declared are %v, offered %v", declared, offered)
	}
}

func TestNoQuestionReadsTheWholeTrail(t *testing.T) {
	t.Parallel()
	const n = 20_000
	store, super := longTrail(t, n)
	now := time.Now()
	var small []string // months of which reading everything is quickest
	if err := super.QueryRow(t.Context(), `select array_agg(relname) from pg_class where relname like 'audit_2%' and relkind = 'r' and reltuples < 1000`).Scan(&small); err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`Seq Scan on (audit_\d{4}_\d\d)\b`)
	from, until := now.AddDate(0, -5, 0), now.AddDate(0, -5, 3)
	for name, f := range map[string]AuditFilter{
		"all": {}, "a person's": {Person: 3}, "nobody's": {Person: 999}, "the system's": {Kind: ActorSystem}, "by DOKU": {Kind: ActorDOKU}, "of a kind": {Action: MerchantViewed}, "of no kind": {Action: "none"},
		"a merchant's": {Merchant: 7}, "some days'": {From: from, Until: until}, "since": {From: until}, "until": {Until: until},
		"a person's of a kind": {Person: 3, Action: DocumentViewed}, "a person's on some days": {Person: 3, From: from, Until: until}, "of a kind on some days": {Action: SlotAdded, From: from, Until: until}, "a merchant's of a kind": {Merchant: 7, Action: SlotAdded},
	} {
		var after *AuditCursor
		for page := range 2 {
			sql, args := f.sql(after, 51)
			text := store.db.ToSQL(func(g *gorm.DB) *gorm.DB { return g.Raw(sql, args...).Scan(&[]AuditRow{}) })
			rows, err := super.Query(t.Context(), "explain "+text)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			plan := strings.Join(lines, "\n")
			for _, table := range whole.FindAllStringSubmatch(plan, -1) {
				if !slices.Contains(small, table[1]) {
					t.Errorf("%s, page %d:\n%s", name, page, plan)
					break
				}
			}
			found, err := store.AuditTrail(t.Context(), f, after, 51)
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range found {
				last := after
				if i > 0 {
					last = found[i-1].Cursor()
				}
				if last != nil && (row.At.After(last.At) || row.At.Equal(last.At) && row.ID >= last.ID) {
					t.Fatalf("%s, page %d: row %d is not older than the one before it", name, page, i)
				}
			}
			if len(found) < 51 {
				break
			}
			after = found[49].Cursor()
		}
	}
}

// Walking the pages meets every row once.
func TestPagesOfTheTrailLeaveNothingOut(t *testing.T) {
	t.Parallel()
	store, _ := longTrail(t, 500)
	f, seen := AuditFilter{Person: 3}, map[int64]bool{}
	for after := (*AuditCursor)(nil); ; {
		rows, err := store.AuditTrail(t.Context(), f, after, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			if seen[row.ID] || row.ActorID != 3 {
				t.Fatalf("row %d comes twice, or is another's", row.ID)
			}
			seen[row.ID] = true
		}
		after = rows[len(rows)-1].Cursor()
	}
	var want int
	for i := 1; i <= 500; i++ {
		if i%3 == 0 && i%7+1 == 3 {
			want++
		}
	}
	if len(seen) != want {
		t.Errorf("%d rows, not %d", len(seen), want)
	}
}

func TestMerkleRootIsThatOfRFC6962(t *testing.T) {
	t.Parallel()
	var root func(nodes [][]byte) []byte
	root = func(nodes [][]byte) []byte {
		if len(nodes) == 1 {
			return nodes[0]
		}
		k := 1
		for k*2 < len(nodes) {
			k *= 2
		}
		return parent(root(nodes[:k]), root(nodes[k:]))
	}
	var nodes [][]byte
	var tree merkle
	for i := range 70 {
		node := leaf{ID: int64(i)}.node()
		nodes = append(nodes, node)
		tree.add(node)
		if string(tree.root()) != string(root(nodes)) {
			t.Fatalf("another root over %d leaves", i+1)
		}
	}
}
