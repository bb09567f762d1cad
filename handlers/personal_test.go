package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"berkas/models"
)

// secrets are the personal values of TestPersonalValuesStayInside, as they are typed. Each is found by a part of it that
// is left when its punctuation goes.
var secrets = map[string]string{
	"NIK":             "3171939393939301",
	"another NIK":     "3171939393939302",
	"NPWP":            "93.939.393.4-939.000",
	"another NPWP":    "939393935939000",
	"business phone":  "81393939361",
	"owner's phone":   "81393939362",
	"business e-mail": "usaha.rahasia9393@warung.test",
	"owner's e-mail":  "pemilik.rahasia9393@warung.test",
	"account":         "9393939371",
	"another account": "9393939372",
	"birth date":      "1993-09-13",
	"wrong e-mail":    "salah.rahasia9393@warung",
}

var punctuation = regexp.MustCompile(`[^0-9A-Za-z]`)

// spilled are the secrets that stand in a text, in whatever punctuation.
func spilled(text string) (names []string) {
	plain := strings.ToLower(punctuation.ReplaceAllString(text, ""))
	for name, value := range secrets {
		if strings.Contains(plain, strings.ToLower(punctuation.ReplaceAllString(value, ""))) {
			names = append(names, name)
		}
	}
	return names
}

// A whole flow is typed: creating, refusing, editing, uploading with a NIK, finding, searching wrongly. None of the values
// may then stand in clear in a log, an audit row, a job, a header that leads elsewhere, or any column of any table.
func TestPersonalValuesStayInside(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	var answers []*answer
	add := func(a *answer) *answer { answers = append(answers, a); return a }
	whole := with(shop, "name", "Warung Terbuka", "owner_name", "Ibu Terbuka", "email", secrets["business e-mail"], "phone_number", secrets["business phone"], "owner_email", secrets["owner's e-mail"],
		"owner_phone_number", secrets["owner's phone"], "owner_birth_date", secrets["birth date"], "npwp", secrets["NPWP"], "bank_account_number", secrets["account"], "bank_account_name", "Ibu Terbuka")
	add(staff.post("/merchants", with(whole, "email", secrets["wrong e-mail"])).is(422, "a wrong address"))
	created := add(staff.post("/merchants", whole).is(303, "creating"))
	merchant := created.header.Get("Location")
	add(staff.post("/merchants", whole).is(409, "the same again"))
	add(staff.get(merchant).is(200, "the page"))
	add(staff.get(merchant+"/edit").is(200, "the form"))
	add(staff.post(merchant, with(whole, "npwp", secrets["another NPWP"], "bank_account_number", secrets["another account"])).is(303, "editing"))
	add(staff.post(merchant, with(whole, "owner_email", secrets["wrong e-mail"])).is(422, "editing wrongly"))
	upload := func(status int, nik string, content []byte, headers ...string) {
		p := multi("category", "DOCUMENT", "code", "KTP", "form_NO_KTP", nik).file("ktp.jpg", content)
		r := staff.request(http.MethodPost, merchant+"/documents", p.end(), headers...)
		r.Header.Set("Content-Type", p.w.FormDataContentType())
		add(staff.do(r).is(status, "uploading"))
	}
	upload(303, secrets["NIK"], photo(t))
	upload(422, secrets["another NIK"], []byte("no picture at all"))
	slot := strings.TrimPrefix(attr(add(staff.get(merchant)).slot("DOCUMENT", "KTP"), "id"), "slot-")
	add(staff.post(merchant+"/slots/"+slot+"/fields", url.Values{"form_NO_KTP": {secrets["NIK"] + "77"}}).is(422, "a NIK too long"))
	add(staff.post(merchant+"/slots/"+slot+"/fields", url.Values{"form_NO_KTP": {secrets["another NIK"]}}).is(303, "another NIK"))
	b.sim.ClearFaults()
	for _, name := range []string{"NIK", "another NIK", "NPWP", "another NPWP", "business phone", "owner's phone", "business e-mail", "owner's e-mail", "account", "wrong e-mail"} {
		a := add(staff.post("/merchants/find", url.Values{"value": {secrets[name]}}))
		if a.status != 303 && a.status != 422 {
			t.Errorf("finding by %s: %d", name, a.status)
		}
		add(staff.post("/merchants/find", url.Values{"kind": {"nik"}, "value": {secrets[name]}}))
	}
	for _, name := range []string{"NIK", "NPWP", "owner's phone", "owner's e-mail"} { // typed as if they were names
		path := "/merchants?q=" + url.QueryEscape(secrets[name])
		add(staff.get(path).is(422, name))
		add(staff.get(path, "HX-Request", "true").is(422, name))
		add(b.nobody().get(path))
		add(staff.post("/preferences", url.Values{"language": {"en"}, "next": {path}}))
		add(staff.post("/preferences", url.Values{"language": {"en"}, "next": {"/"}}, "Referer", b.url+path))
	}
	add(b.nobody().post("/login", url.Values{"email": {secrets["owner's e-mail"]}, "password": {secrets["NIK"]}}))
	b.await("everything to be at DOKU", func() bool {
		a := staff.get(merchant)
		return attr(a.slot("DOCUMENT", "KTP"), "data-state") == "delivered"
	})
	admin := b.as(models.RoleAdmin)
	add(admin.get("/audit.csv").is(200, "the whole trail"))
	add(admin.get("/audit").is(200, "the trail"))
	b.endWork()

	for _, a := range answers {
		for name, values := range a.header {
			if names := spilled(strings.Join(values, " ")); names != nil {
				t.Errorf("the header %s has %v: %q", name, names, values)
			}
		}
		if strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") && spilled(a.body) != nil {
			t.Errorf("the export has %v", spilled(a.body))
		}
	}
	for line := range strings.Lines(b.log.String()) {
		if names := spilled(line); names != nil {
			t.Errorf("the log has %v: %s", names, line)
		}
	}
	scanned, seen := 0, false
	b.eachColumn(func(column string, values []string) {
		scanned += len(values)
		seen = seen || column == "merchants.name" && slices.Contains(values, "Warung Terbuka")
		for _, value := range values {
			if names := spilled(value); names != nil {
				t.Errorf("%s has %v: %s", column, names, value)
			}
		}
	})
	if scanned < 500 || !seen {
		t.Errorf("%d values were looked at, the merchant's name among them: %v", scanned, seen)
	}
}

// eachColumn hands over what every column of every table holds that is text, or may be read as text: bytes too, as far as
// they are no ciphertext.
func (b *bench) eachColumn(look func(column string, values []string)) {
	b.Helper()
	owner, err := pgx.Connect(b.Context(), b.owner)
	b.must(err)
	defer owner.Close(context.Background())
	rows, err := owner.Query(b.Context(), `select c.table_name, c.column_name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
		where c.table_schema = 'public' and t.table_type = 'BASE TABLE' order by 1, 2`)
	b.must(err)
	type column struct{ Table, Name string }
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	b.must(err)
	tables := map[string]bool{}
	for _, c := range columns {
		tables[c.Table] = true
		name := pgx.Identifier{c.Name}.Sanitize()
		rows, err := owner.Query(b.Context(), fmt.Sprintf(`select coalesce(case when pg_typeof(%[1]s) = 'bytea'::regtype then encode(%[1]s::text::bytea, 'escape') else %[1]s::text end, '') from %[2]s`, name, pgx.Identifier{c.Table}.Sanitize()))
		b.must(err)
		values, err := pgx.CollectRows(rows, pgx.RowTo[string])
		b.must(err)
		look(c.Table+"."+c.Name, values)
	}
	for _, table := range []string{"audit", "river_job", "merchants", "slot_fields", "documents"} {
		if !tables[table] {
			b.Errorf("table %s was not looked at", table)
		}
	}
}
