package onboarding_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
)

func TestMerchantFormRules(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for _, c := range []struct{ field, typed, code, clean string }{
		{"name", "", "required", ""}, {"name", " \x00\n ", "required", ""}, {"name", "  Warung\n Bu\tSari ", "", "Warung Bu Sari"}, {"name", long[:256], "too_long", ""},
		{"business_type", "personal", "", "PERSONAL"}, {"business_type", "INTERNATIONAL", "unknown_choice", ""}, {"business_type", "", "required", ""},
		{"legal_entity", "PT", "unknown_choice", ""}, {"legal_entity", "perseorangan", "", "PERSEORANGAN"}, {"legal_entity", "", "required", ""},
		{"business_line", "food and beverage", "", "FOOD_AND_BEVERAGE"}, {"business_line", "toko!", "unknown_choice", ""}, {"business_line", "", "required", ""},
		{"nationality", "id", "", "ID"}, {"nationality", "IDN", "too_long", ""}, {"nationality", "1D", "unknown_choice", ""},
		{"description", "a\r\nb", "", "a\nb"}, {"description", long[:1024], "too_long", ""}, {"notes", "x\u202ey", "", "xy"}, {"notes", long, "too_long", ""},
		{"brand_name", long[:256], "too_long", ""}, {"brand_category", "non_retail", "", "NON_RETAIL"}, {"brand_category", "FOOD", "unknown_choice", ""},
		{"website_readiness", "dont have", "", "DONT_HAVE"}, {"instagram", long[:256], "too_long", ""},
		{"email", "sari@warung.co.id", "", "sari@warung.co.id"}, {"email", "sari", "not_an_email", ""}, {"email", "Sari <sari@warung.co.id>", "not_an_email", ""}, {"email", "sari@warung", "not_an_email", ""},
		{"owner_email", "a@b", "not_an_email", ""},
		{"phone_number", "0812-3456 7890", "", "81234567890"}, {"phone_number", "+62 812 3456 7890", "", "81234567890"}, {"phone_number", "6281234567890", "", "81234567890"},
		{"phone_number", "0062 81234567890", "", "81234567890"}, {"phone_number", "(021) 555-1234", "", "215551234"}, {"phone_number", "0622 12345", "", "62212345"}, {"phone_number", "0628 20123", "", "62820123"},
		{"phone_number", "+65 8123 4567", "not_a_phone", ""}, {"phone_number", "12", "not_a_phone", ""}, {"phone_number", "telepon", "not_a_phone", ""}, {"phone_number", "+62 0812 3456 7890", "", "81234567890"},
		{"owner_phone_number", "0812\u00a03456\u20117890", "", "81234567890"}, {"phone_calling_code", "+62", "", "62"}, {"phone_calling_code", "abcd", "not_a_phone", ""}, {"owner_phone_calling_code", "12345", "too_long", ""},
		{"owner_birth_date", "1990-02-30", "not_a_date", ""}, {"owner_birth_date", "2990-01-01", "not_a_date", ""}, {"owner_birth_date", "1990-02-28", "", "1990-02-28"},
		{"owner_gender", "f", "", "F"}, {"owner_gender", "X", "unknown_choice", ""}, {"owner_nationality", "sg", "", "SG"}, {"owner_name", long[:256], "too_long", ""}, {"owner_position", "director", "", "DIRECTOR"},
		{"npwp", "12.345.678.9-012.345", "", "123456789012345"}, {"npwp", "1234", "not_numeric", ""}, {"npwp", "12345678901234567", "too_long", ""}, {"nib", "1234567890123", "", "1234567890123"}, {"nib", "123", "not_numeric", ""},
		{"address_country", "indonesia", "too_long", ""}, {"address_street", long[:256], "too_long", ""}, {"address_area", long[:256], "too_long", ""},
		{"bank_account_number", "12-34 56", "", "123456"}, {"bank_account_number", "1", "not_alphanumeric", ""}, {"bank_account_number", "12;drop", "not_alphanumeric", ""}, {"bank_name", long[:121], "too_long", ""}, {"bank_id", long[:41], "too_long", ""},
		{"responsible", "abc", "unknown_choice", ""}, {"responsible", "12", "", "12"}, {"responsible", "99999999999999999999", "too_long", ""},
		{"due_on", "tomorrow", "not_a_date", ""}, {"due_on", "2026-12-01", "", "2026-12-01"},
	} {
		clean, err := with(personalForm(), c.field, c.typed).Read()
		code := ""
		if f := fault.As(err); f != nil {
			for _, field := range f.Fields {
				if field.Name == c.field {
					code = field.Code
				}
			}
		}
		if code != c.code || c.code == "" && clean[c.field] != c.clean {
			t.Errorf("%s %.40q: %q %q, not %q %q", c.field, c.typed, code, clean[c.field], c.code, c.clean)
		}
	}
}

func FuzzMerchantForm(f *testing.F) {
	for _, seed := range []string{"", "0812 3456", "+62", "00", "6281234567890", "\x00\xff", "a\u202eb", "١٢٣٤٥٦٧٨", "2026-02-30", strings.Repeat("9", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		form := personalForm()
		for name := range form {
			form[name] = typed
		}
		for _, name := range []string{"due_on", "responsible", "notes", "nib", "npwp", "bank_account_number", "owner_birth_date", "phone_calling_code"} {
			form[name] = typed
		}
		clean, err := form.Read()
		refused := map[string]bool{}
		if err != nil {
			for _, field := range fault.As(err).Fields {
				refused[field.Name] = true
			}
		}
		for name, value := range clean {
			if strings.ContainsRune(value, 0) || strings.ToValidUTF8(value, "") != value {
				t.Errorf("%s holds what no column can: %q", name, value)
			}
			if strings.HasSuffix(name, "phone_number") && value != "" && !refused[name] && strings.Trim(value, "0123456789") != "" {
				t.Errorf("%q is a phone number", value)
			}
		}
		again, err2 := clean.Read()
		if err == nil && (err2 != nil || !mapsEqual(clean, again)) && !strings.HasPrefix(clean["phone_number"], "62") && !strings.HasPrefix(clean["owner_phone_number"], "62") {
			t.Errorf("%q is not clean: %v", typed, err2)
		}
	})
}

func mapsEqual(a, b onboarding.MerchantForm) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func FuzzCleanName(f *testing.F) {
	for _, seed := range []string{"ktp.jpg", `C:\a\b.png`, "../..", "\u202egpj.exe", strings.Repeat("é", 300) + ".jpeg", "a\r\nb", "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := onboarding.CleanName(name)
		if len([]rune(got)) > 255 || strings.ContainsAny(got, "/\\") || strings.ContainsFunc(got, unicode.IsControl) || strings.ToValidUTF8(got, "") != got {
			t.Errorf("%q", got)
		}
	})
}

func TestPersonalValuesAreSealedAndMasked(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	for _, value := range []string{"81234567890", "123456789012345", "1234567890", "sari@warung.co.id", "81298765432"} {
		n := b.count(`select count(*) from merchants m, contacts c where position($1 in m::text || c::text) > 0 or position($1::bytea in m.private) > 0 or position($1::bytea in c.private) > 0`, value)
		if n != 0 || b.count(`select count(*) from audit where position($1 in detail::text) > 0`, value) != 0 {
			t.Errorf("%s is stored in clear", value)
		}
	}
	d, err := b.store.Dossier(b.ctx(), m)
	b.must(err)
	shown, err := b.Shown(d)
	b.must(err)
	for name, want := range map[string]string{"npwp": "•••••••••••2345", "bank_account_number": "••••••7890", "phone_number": "•••••••7890", "email": "s•••@warung.co.id"} {
		if shown[name] != want {
			t.Errorf("%s is shown as %q", name, shown[name])
		}
	}
	typed, err := b.Typed(b.ctx(), m)
	b.must(err)
	if typed["npwp"] != "" || typed["npwp_masked"] != "•••••••••••2345" || typed["phone_number"] != "81234567890" || typed["owner_name"] != "Sari Dewi" {
		t.Errorf("%v", typed)
	}
	other, err := b.CreateMerchant(b.ctx(), b.staff, with(company(), "npwp", ""), true)
	b.must(err)
	b.exec("update merchants a set private = b.private from merchants b where a.id = $1 and b.id = $2", other, m)
	if _, err = b.Typed(b.ctx(), other); fault.Code(err) != "cannot_decrypt" {
		t.Errorf("a sealed column opens in another row: %v", err)
	}
}

func TestEditKeepsWhatIsNotTyped(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	b.must(b.EditMerchant(b.ctx(), b.staff, m, with(personalForm(), "npwp", "", "bank_account_number", "", "name", "Warung Baru")))
	b.must(b.EditMerchant(b.ctx(), b.staff, m, onboarding.MerchantForm{"notes": "telepon dulu"}))
	d, err := b.store.Dossier(b.ctx(), m)
	b.must(err)
	shown, err := b.Shown(d)
	b.must(err)
	if shown["npwp"] != "•••••••••••2345" || shown["bank_account_number"] != "••••••7890" || shown["name"] != "Warung Baru" || shown["notes"] != "telepon dulu" {
		t.Errorf("%v", shown)
	}
	edits := "select count(*) from audit where action = 'merchant.edited'"
	n := b.count(edits)
	b.must(b.EditMerchant(b.ctx(), b.staff, m, onboarding.MerchantForm{"notes": " telepon dulu "}))
	if b.count(edits) != n || b.count(`select count(*) from audit where action = 'merchant.edited' and detail->'fields' = '["name"]'`) != 1 {
		t.Error("the audit trail does not say what was edited")
	}
	err = b.EditMerchant(b.ctx(), b.staff, m, onboarding.MerchantForm{"email": "nonsense"})
	if f := fault.As(err); f.Kind != fault.Invalid || len(f.Fields) != 1 {
		t.Error(err)
	}
	b.must(b.ArchiveMerchant(b.ctx(), b.staff, m))
	b.wants(b.EditMerchant(b.ctx(), b.staff, m, personalForm()), "merchant_archived")
	if err := b.ArchiveMerchant(b.ctx(), b.staff, m); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	b.must(b.RestoreMerchant(b.ctx(), b.staff, m))
}

func TestDuplicatesAreWarnedOf(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	for why, form := range map[string]onboarding.MerchantForm{
		"name":  with(company(), "name", "  WARUNG bu, Sári ", "owner_name", ""),
		"phone": with(company(), "phone_number", "+6281234567890"),
		"email": with(company(), "owner_email", "SARI@warung.co.id"),
	} {
		_, err := b.CreateMerchant(b.ctx(), b.staff, form, false)
		b.wants(err, "possible_duplicate")
		same, err := b.LookAlikes(b.ctx(), form)
		if err != nil || len(same) != 1 || same[0].ID != m || same[0].Why != why {
			t.Errorf("%s: %+v, %v", why, same, err)
		}
	}
	_, err := b.CreateMerchant(b.ctx(), b.staff, company(), false)
	b.must(err)
	_, err = b.CreateMerchant(b.ctx(), b.staff, personalForm(), true)
	b.must(err)
	for _, name := range []string{"♥♥", "★"} {
		_, err = b.CreateMerchant(b.ctx(), b.staff, with(company(), "name", name, "email", "", "phone_number", ""), false)
		b.must(err)
	}
}

func TestUnknownColleagueIsRefused(t *testing.T) {
	b := setup(t)
	_, err := b.CreateMerchant(b.ctx(), b.staff, with(personalForm(), "responsible", "99999"), true)
	if !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	m := b.get(b.merchant())
	if m.ResponsibleID == nil || *m.ResponsibleID != b.staff.Person {
		t.Error("whoever creates a merchant is not responsible for it")
	}
}

func TestCompleteness(t *testing.T) {
	t.Parallel()
	set, required := models.RequirementSetID(1), models.RequirementID(1)
	now := time.Now()
	slot := func(state models.DeliveryState, problem string, form ...models.FormField) models.ChecklistRow {
		row := models.ChecklistRow{Slot: models.Slot{ID: 1, Category: "DOCUMENT", Code: "KTP", RequirementID: &required}, Form: form}
		if state != "" {
			id := models.DocumentID(1)
			row.DocumentID, row.Documents = &id, []models.Document{{ID: id, State: state, Problem: problem}}
		}
		return row
	}
	nik := models.FormField{Code: "NO_KTP"}
	gone := slot("", "")
	gone.RequirementID = nil
	hand := gone
	hand.ByHand = true
	for name, c := range map[string]struct {
		m     models.Merchant
		c     models.CombinationState
		rows  []models.ChecklistRow
		done  int
		total int
		lead  string
		state models.ProgressState
		next  models.NextActor
		parts string
	}{
		"no checklist":             {c: models.ChecklistPending, lead: "no_checklist", state: models.ProgressPending, next: models.NextDOKU},
		"refused checklist":        {c: models.ChecklistRefused, lead: "checklist_refused", state: models.ProgressPending, next: models.NextStaff},
		"nothing asked":            {m: models.Merchant{SetID: &set}, lead: "empty", state: models.ProgressComplete, next: models.NextReviewer},
		"gone slots do not count":  {m: models.Merchant{SetID: &set}, rows: []models.ChecklistRow{gone, slot("delivered", "")}, done: 1, total: 1, lead: "complete", state: models.ProgressComplete, next: models.NextReviewer},
		"by hand counts":           {m: models.Merchant{SetID: &set}, rows: []models.ChecklistRow{hand}, total: 1, lead: "todo", state: models.ProgressTodo, next: models.NextStaff, parts: "missing"},
		"delivered, field missing": {m: models.Merchant{SetID: &set}, rows: []models.ChecklistRow{slot("delivered", "", nik)}, total: 1, lead: "todo", state: models.ProgressTodo, next: models.NextStaff, parts: "field"},
		"waiting":                  {m: models.Merchant{SetID: &set}, rows: []models.ChecklistRow{slot("waiting", "unreachable")}, total: 1, lead: "todo", state: models.ProgressWaiting, next: models.NextDOKU, parts: "waiting"},
		"missing before waiting":   {m: models.Merchant{SetID: &set}, rows: []models.ChecklistRow{slot("sending", ""), slot("", "")}, total: 2, lead: "todo", state: models.ProgressTodo, next: models.NextStaff, parts: "waiting missing"},
		"refused before missing":   {m: models.Merchant{SetID: &set}, rows: []models.ChecklistRow{slot("", ""), slot("refused", "x")}, total: 2, lead: "todo", state: models.ProgressRefused, next: models.NextStaff, parts: "missing refused"},
		"given up before all":      {m: models.Merchant{SetID: &set}, rows: []models.ChecklistRow{slot("refused", ""), slot("failed", ""), slot("delivered", "")}, done: 1, total: 3, lead: "todo", state: models.ProgressFailed, next: models.NextStaff, parts: "refused failed"},
		"registered":               {m: models.Merchant{SetID: &set, RegisteredAt: &now}, rows: []models.ChecklistRow{slot("", "")}, total: 1, lead: "registered", state: models.ProgressRegistered, next: models.NextNobody, parts: "missing"},
	} {
		got := onboarding.Completeness(c.m, c.c, c.rows, time.Now())
		var parts []string
		for _, p := range got.Progress.Parts {
			parts = append(parts, p.Code)
		}
		if got.Progress.Done != c.done || got.Progress.Total != c.total || got.Progress.Lead != c.lead || got.State != c.state || got.Next != c.next || strings.Join(parts, " ") != c.parts {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestLookingChangesNothing(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	for _, seed := range []string{"1", "2", "3", "4"} {
		b.deliver(ktp(m, photo(seed)))
	}
	reviewer, err := auth.NewGate(b.store, b.clock.Now).AddPerson(b.ctx(), models.CLI, auth.NewPerson{Email: "r@berkas.test", Name: "R", Role: models.RoleReviewer, Password: "x", Demo: true})
	b.must(err)
	actor := models.Actor{Kind: models.ActorUser, Person: reviewer, Role: models.RoleReviewer}
	before := b.get(m).UpdatedAt
	b.clock.Advance(time.Minute)
	b.must(b.Viewed(b.ctx(), actor, m))
	_, err = b.ViewedDocument(b.ctx(), actor, b.doc(b.row(m, "DOCUMENT", "KTP").Newest().ID), false)
	b.must(err)
	if !b.get(m).UpdatedAt.Equal(before) || b.count("select count(*) from audit where action in ('merchant.viewed', 'document.viewed') and actor_id = $1", reviewer) != 2 {
		t.Error("looking changed something, or left no trace")
	}
}
