package models

import (
	"context"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MerchantFilter is the question a list of merchants answers. Empty fields do not filter.
type MerchantFilter struct {
	Name         string // normalised; matches anywhere in the name, one or two letters at its beginning
	DOKUID       string // of the business, a brand or a file, as it is written
	State        string // a ProgressState; "staff", "merchant", "reviewer" or "doku" must act, "remind" (Reminded), "open" is not complete, "overdue", "undecided" by a reviewer, "sent_back" by DOKU, "unsettled" (it is not known whether DOKU registered it), "archived"
	BusinessType string
	LegalEntity  string
	BusinessLine string
	Responsible  PersonID
	Others       PersonID // whoever is responsible but this person, nobody included
	Nobody       bool     // nobody is responsible
	Team         string   // of whoever is responsible
	Slot         SlotFilter
	Stage        Stage     // reached between From and Until
	From, Until  time.Time // the latter not included; zero leaves an end open
	Since        time.Time // made since then
	Quarter      string    // how much is done, in quarters "0" to "4" (all); merchants not registered
	Today        time.Time // for "overdue" and Slot.Expires
	Reminded     time.Time // for "remind": with the merchant, and told so before this time
	Order        MerchantOrder

	resolved     bool            // by ResolveMerchants, which found what follows
	combinations []CombinationID // those of BusinessType, LegalEntity and BusinessLine
	team         []PersonID      // the people of Team
	few          []MerchantID    // all merchants that what is searched for can find, when they are few
	among        []MerchantID    // the only merchants that count
	someSlots    bool            // no more slots than that are what Slot asks for
}

// SlotFilter asks for merchants with a slot to which all of it applies. State and Reason ask for merchants that are not
// registered yet.
type SlotFilter struct {
	Category string
	Code     string
	State    string // of the slot; "open" is neither at DOKU nor approved
	Reason   string // why it was refused
	Expires  string // "expired", or within how many days of Today
}

const openSQL = "m.archived_at is null and m.progress_state <> 'registered'"

const (
	fewMerchants = 5000   // so many are rather fetched and sorted than met on a walk along an order
	someSlots    = 50_000 // so many are rather gathered first than looked for at each merchant of a walk
)

// ResolveMerchants asks for what a filter names indirectly, so that it is planned for what is really there. A name or a slot
// that few merchants have is replaced by those merchants; what many have is soon met on a walk along any order. Whoever asks
// for a list and its count resolves once for both.
func (r Reader) ResolveMerchants(ctx context.Context, f MerchantFilter) (MerchantFilter, error) {
	if f.resolved {
		return f, nil
	}
	f.resolved = true
	var err error
	if f.BusinessType+f.LegalEntity+f.BusinessLine != "" {
		f.combinations, err = found[CombinationID](ctx, r, `select id from combinations where (business_type = ? or ? = '') and (legal_entity = ? or ? = '') and (business_line = ? or ? = '')`,
			f.BusinessType, f.BusinessType, f.LegalEntity, f.LegalEntity, f.BusinessLine, f.BusinessLine)
	}
	if err == nil && f.Team != "" {
		f.team, err = found[PersonID](ctx, r, `select id from people where team = ?`, f.Team)
	}
	if err != nil {
		return f, err
	}
	switch {
	case f.DOKUID != "":
		f.few, err = found[MerchantID](ctx, r, `select id from merchants where business_id = ? and business_id <> '' union select id from merchants where brand_id = ? and brand_id <> ''
			union select merchant_id from documents where file_id = ? and file_id <> ''`, f.DOKUID, f.DOKUID, f.DOKUID)
	case f.Slot.indexed():
		where, args := f.Slot.where(f.Today)
		if f.few, err = few(ctx, r, `select s.merchant_id from slots s where `+where+` limit `+strconv.Itoa(fewMerchants+1), args...); f.few == nil && err == nil {
			f.someSlots, err = one[bool](ctx, r, `select count(*) <= ? from (select 1 from slots s where `+where+` limit ?) c`, append(append([]any{someSlots}, args...), someSlots+1)...)
		}
	case f.Name != "":
		sql, args := `select merchants_named_like(?, ?)`, []any{"%" + likeEscape.Replace(f.Name) + "%", fewMerchants + 1}
		if short(f.Name) {
			where, pattern := nameSQL(f.Name)
			sql, args = `select m.id from merchants m where m.archived_at is null and `+where+` limit `+strconv.Itoa(fewMerchants+1), []any{pattern}
			if f.State == "archived" {
				return f, nil
			}
		}
		f.few, err = few(ctx, r, sql, args...)
	}
	return f, err
}

// few are the merchants of a question that is asked no further than one more; nil when there are.
func few(ctx context.Context, r Reader, sql string, args ...any) ([]MerchantID, error) {
	ids, err := found[MerchantID](ctx, r, sql, args...)
	if len(ids) > fewMerchants {
		ids = nil
	}
	return ids, err
}

// found are ids, never nil.
func found[T ~int64](ctx context.Context, r Reader, sql string, args ...any) ([]T, error) {
	ids, err := scanPlanned[T](ctx, r, sql, args...)
	return append([]T{}, ids...), err
}

// Merchants of a filter in its order, newest change first when it names none, limit rows behind the cursor (nil: from
// the start).
func (r Reader) Merchants(ctx context.Context, f MerchantFilter, after *MerchantCursor, limit int) ([]MerchantRow, error) {
	f, err := r.ResolveMerchants(ctx, f)
	if err != nil {
		return nil, err
	}
	sql, args := f.list(after, limit)
	return scanPlanned[MerchantRow](ctx, r, sql, args...)
}

// MerchantsAmong is Merchants for those of a filter that are among ids, whatever its name asks for.
func (r Reader) MerchantsAmong(ctx context.Context, f MerchantFilter, ids []MerchantID, limit int) ([]MerchantRow, error) {
	f.Name, f.resolved, f.few = "", false, nil
	f, err := r.ResolveMerchants(ctx, f)
	if err != nil {
		return nil, err
	}
	f.among = append([]MerchantID{}, ids...)
	sql, args := f.list(nil, limit)
	return scanPlanned[MerchantRow](ctx, r, sql, args...)
}

// NamedMerchant is a merchant and its normalised name.
type NamedMerchant struct {
	ID         MerchantID
	NameNormal string
}

// MerchantsNamedNearly are merchants in whose names one of each pair of parts stands, at most limit.
func (r Reader) MerchantsNamedNearly(ctx context.Context, parts [][2]string, limit int) ([]NamedMerchant, error) {
	var first, second []string
	for _, p := range parts {
		first, second = append(first, "%"+likeEscape.Replace(p[0])+"%"), append(second, "%"+likeEscape.Replace(p[1])+"%")
	}
	return scanPlanned[NamedMerchant](ctx, r, `select id, name_normal from merchants_named_nearly(?, ?, ?)`, texts(first), texts(second), limit)
}

// list is the statement of a page. An order's index holds all that filters, so that only the page's merchants are read
// themselves. The limit stands in it, so that it is planned for a page and not for a tenth of all.
func (f MerchantFilter) list(after *MerchantCursor, limit int) (string, []any) {
	where, args := f.where()
	order, behind, values := f.Order.by(after)
	if after != nil {
		where, args = append(where, behind), append(args, values...)
	}
	if bound := f.urgency(); bound != "" && f.Order == OrderAction {
		where = append(where, urgencySQL+bound)
	}
	return `select ` + merchantRowColumns + ` from (select m.id from merchants m where ` + strings.Join(where, " and ") + ` order by ` + order + ` limit ` + strconv.Itoa(limit) + `) page
		join merchants m on m.id = page.id left join people p on p.id = m.responsible_id order by ` + order, args
}

// urgency is where a state stands in OrderAction, so that only that part of its index is read.
func (f MerchantFilter) urgency() string {
	switch f.State {
	case "failed":
		return " = 1"
	case "refused":
		return " = 2"
	case "todo":
		return " = 3"
	case "waiting":
		return " = 5"
	case "complete":
		return " = 6"
	case "registered":
		return " = 7"
	case "open", "overdue":
		return " < 6"
	case "staff", "merchant", "reviewer", "doku", "remind", "undecided":
		return " < 7"
	}
	if f.Quarter != "" || f.Slot.State != "" || f.Slot.Reason != "" {
		return " < 7"
	}
	return ""
}

// CountMerchants counts a filter's merchants, no further than limit.
func (r Reader) CountMerchants(ctx context.Context, f MerchantFilter, limit int) (int, error) {
	counts, err := r.CountsOfMerchants(ctx, []MerchantFilter{f}, limit)
	if err != nil {
		return 0, err
	}
	return counts[0], nil
}

// CountsOfMerchants counts the merchants of several filters in one statement, each no further than limit.
func (r Reader) CountsOfMerchants(ctx context.Context, filters []MerchantFilter, limit int) ([]int, error) {
	resolved := make([]MerchantFilter, len(filters))
	for i, f := range filters {
		var err error
		if resolved[i], err = r.ResolveMerchants(ctx, f); err != nil {
			return nil, err
		}
	}
	return counts(ctx, r, len(filters), func(i int) (string, []any) {
		where, args := resolved[i].where()
		order := ""
		if f := resolved[i]; f.Name != "" && f.few == nil { // a common word: where it stands in a name is no matter of when that changed
			order = " order by m.updated_at desc, m.id desc"
		}
		return `merchants m where ` + strings.Join(where, " and ") + order + ` limit ` + strconv.Itoa(limit), args
	})
}

func (f MerchantFilter) where() (where []string, args []any) {
	add := func(sql string, a ...any) { where, args = append(where, sql), append(args, a...) }
	switch f.State {
	case "archived":
		add("m.archived_at is not null")
	case "staff", "merchant", "reviewer", "doku":
		add(openSQL+" and m.next_actor = ?", f.State)
	case "remind":
		add(openSQL+" and m.next_actor = 'merchant' and m.messaged_at < ?", f.Reminded)
	case "open":
		add(openSQL + " and m.progress_state <> 'complete'")
	case "overdue":
		add(openSQL+" and m.progress_state <> 'complete' and "+dueSQL+" < ?::date", f.Today.Format(time.DateOnly))
	case "undecided":
		add(openSQL + " and exists (select 1 from documents d where d.merchant_id = m.id and d.queued_at is not null offset 0)") // of one merchant after another: a page stops early
	case "sent_back":
		add(unsettledSQL("'refused', 'rejected'"))
	case "unsettled":
		add(unsettledSQL("'uncertain', 'stuck'"))
	case "":
		if f.DOKUID == "" { // who knows its id finds it wherever it is
			add("m.archived_at is null")
		}
	default:
		add("m.archived_at is null and m.progress_state = ?", f.State)
	}
	if f.few != nil {
		add("m.id = any(?)", bigints(f.few))
	}
	if f.among != nil {
		add("m.id = any(?)", bigints(f.among))
	}
	if f.Name != "" {
		where, pattern := nameSQL(f.Name)
		add(where, pattern)
	}
	if f.combinations != nil {
		add("m.combination_id = any(?)", bigints(f.combinations))
	}
	if f.Quarter != "" {
		add("m.progress_state <> 'registered' and m.quarter = ?", f.Quarter)
	}
	if f.Responsible != 0 {
		add("m.responsible_id = ?", f.Responsible)
	}
	if f.Others != 0 {
		add("m.responsible_id is distinct from ?", f.Others)
	}
	if f.Nobody {
		add("m.responsible_id is null")
	}
	if f.Team != "" {
		add("m.responsible_id = any(?)", bigints(f.team))
	}
	if slices.Contains(Stages, f.Stage) {
		column := "m." + string(f.Stage) + "_at"
		add(column + " is not null")
		if !f.From.IsZero() {
			add(column+" >= ?", f.From)
		}
		if !f.Until.IsZero() {
			add(column+" < ?", f.Until)
		}
	}
	if !f.Since.IsZero() {
		add("m.created_at >= ?", f.Since)
	}
	if f.Slot != (SlotFilter{}) {
		sql, a := f.Slot.where(f.Today)
		if f.Slot.State != "" || f.Slot.Reason != "" {
			add("m.progress_state <> 'registered'")
		}
		if f.someSlots {
			add("(m.id in (select s.merchant_id from slots s where "+sql+")) is true", a...) // is true: or it were a join, and no walk that stops early
		} else {
			add("exists (select 1 from slots s where s.merchant_id = m.id and "+sql+" offset 0)", a...) // of one merchant after another: a page stops early
		}
	}
	return where, args
}

// unsettledSQL are merchants whose registration waits for a person: they are few, and gathered first.
func unsettledSQL(states string) string {
	return "m.id = any(array(select r.id from merchants r where r.archived_at is null and r.registration in (" + states + ")))"
}

// array is a list as one parameter, as PostgreSQL writes it: GORM would make a list in parentheses of a slice.
type array string

// Value is what the driver sends.
func (a array) Value() (driver.Value, error) { return string(a), nil }

func bigints[T ~int64](ids []T) array {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.FormatInt(int64(id), 10)
	}
	return array("{" + strings.Join(list, ",") + "}")
}

var quoteElement = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func texts(list []string) array {
	quoted := make([]string, len(list))
	for i, text := range list {
		quoted[i] = `"` + quoteElement.Replace(text) + `"`
	}
	return array("{" + strings.Join(quoted, ",") + "}")
}

// indexed reports whether slots are found by what is asked of them. Those that are approved are nearly all.
func (f SlotFilter) indexed() bool {
	return f.Reason != "" || f.Expires != "" || f.State != "" && f.State != "approved"
}

func (f SlotFilter) where(today time.Time) (string, []any) {
	where, args := []string{"s.state <> ''"}, []any(nil)
	add := func(sql string, a ...any) { where, args = append(where, sql), append(args, a...) }
	if f.Category != "" {
		add("s.category = ?", f.Category)
	}
	if f.Code != "" {
		add("s.code = ?", f.Code)
	}
	switch f.State {
	case "":
	case "open":
		add("s.state in ('missing', 'waiting', 'refused', 'failed')")
	default:
		add("s.state = ?", f.State)
	}
	if f.Reason != "" {
		add("s.refused_for = ? and s.refused_for <> ''", f.Reason)
	}
	day := today.Format(time.DateOnly)
	switch f.Expires {
	case "":
	case "expired":
		add("s.expires_on < ?::date", day)
	default:
		days, _ := strconv.Atoi(f.Expires)
		add("s.expires_on between ?::date and ?::date", day, today.AddDate(0, 0, days).Format(time.DateOnly))
	}
	return strings.Join(where, " and "), args
}

// nameSQL matches a part of a name. One or two letters match at its beginning alone: no index knows shorter parts, and they
// stand in nearly every name.
func nameSQL(name string) (where, pattern string) {
	pattern = likeEscape.Replace(name) + "%"
	if short(name) {
		return `m.name_normal collate "C" like ? escape '\'`, pattern
	}
	return `m.name_normal like ? escape '\'`, "%" + pattern
}

func short(name string) bool { return len([]rune(name)) < 3 }

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
