package models

import (
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
	From, Until  time.Time // of Stage and DecidedBy, the latter not included; zero leaves an end open
	DecidedBy    PersonID  // of whose documents this reviewer decided one
	Since        time.Time // made since then
	Quarter      string    // how much is done, in quarters "0" to "4" (all); merchants not registered
	Today        time.Time // for "overdue" and Slot.Expires
	Reminded     time.Time // for "remind": with the merchant, and told so before this time
	Order        MerchantOrder

	resolved     bool          // by ResolveMerchants, which found what follows
	combinations []Combination // those of BusinessType, LegalEntity and BusinessLine that have what Slot asks for: their ids and legal entities
	team         []PersonID    // the people of Team
	few          []MerchantID  // all merchants that what is searched for can find, when they are few
	seen         int           // so many at least have a name that not few have
	among        []MerchantID  // the only merchants that count
	held         []held        // what merchants must have that is not in few
	most         int           // merchants of what is counted of the filter; -1: nothing is
	share        float64       // of these, about, have what Slot asks for; 0: not known
	exact        bool          // nothing else is asked for
}

// held is what merchants must have in another table.
type held struct {
	kinds       string // what merchants m must have to have it, which their indexes know
	from, where string // rows r with a merchant_id
	args        []any
	some        bool // so few rows that they are rather gathered first than looked for at each merchant
}

// rareSQL are the merchants with documents that are on their way or to be decided: an index holds them alone.
const rareSQL = "m.slots_other <> 0"

// rare reports whether it is one of these documents.
func (h held) rare() bool { return strings.HasPrefix(h.kinds, "m.slots_other") }

// in is the condition on a merchant m. Neither form is a join: a page stops early.
func (h held) in() string {
	if h.some && h.kinds == "" {
		return "(m.id in (select r.merchant_id from " + h.from + " r where " + h.where + ")) is true"
	}
	has := "exists (select 1 from " + h.from + " r where r.merchant_id = m.id and " + h.where + " offset 0)"
	if h.kinds != "" {
		has = "(" + h.kinds + ") <> 0 and " + has
	}
	return has
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
		add(openSQL)
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
	if f.combinations != nil {
		ids := make([]CombinationID, len(f.combinations))
		for i, c := range f.combinations {
			ids[i] = c.ID
		}
		add("m.combination_id = any(?)", bigints(ids))
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
	if f.Slot.State != "" || f.Slot.Reason != "" {
		add("m.progress_state <> 'registered'")
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

// kinds are the bits of merchants m that have such a slot; "" where no bit says so.
func (f SlotFilter) kinds() string {
	bits := ""
	if f.Category != "" {
		bits = " & " + strconv.FormatInt(bitOf(f.Category, f.Code), 10)
	}
	switch f.State {
	case "missing":
		return "m.slots_missing" + bits
	case "approved":
		return "m.slots_approved" + bits
	case "refused":
		return "m.slots_refused" + bits
	case "open":
		return "(m.slots_missing | m.slots_refused | m.slots_other)" + bits
	case "":
		if f.Reason != "" {
			return "m.slots_refused" + bits
		}
		return ""
	}
	return "m.slots_other" + bits
}

// where is the condition on rows r of slots.
func (f SlotFilter) where(today time.Time) (string, []any) {
	var where []string
	var args []any
	add := func(sql string, a ...any) { where, args = append(where, sql), append(args, a...) }
	if f.Reason == "" || f.State != "" { // who has a reason has a state
		add("r.state <> ''")
	}
	if f.Category != "" {
		add("r.category = ?", f.Category)
	}
	if f.Code != "" {
		add("r.code = ?", f.Code)
	}
	switch {
	case f.State == "" && f.Reason+f.Expires == "": // all there are, which an index that begins with the state can look up
		add("r.state in ('missing', 'waiting', 'delivered', 'approved', 'refused', 'failed')")
	case f.State == "":
	case f.State == "open":
		add("r.state in ('missing', 'waiting', 'refused', 'failed')")
	default:
		add("r.state = ?", f.State)
	}
	if f.Reason != "" {
		add("r.refused_for = ? and r.refused_for <> ''", f.Reason)
	}
	day := today.Format(time.DateOnly)
	switch f.Expires {
	case "":
	case "expired":
		add("r.expires_on < ?::date", day)
	default:
		days, _ := strconv.Atoi(f.Expires)
		add("r.expires_on between ?::date and ?::date", day, today.AddDate(0, 0, days).Format(time.DateOnly))
	}
	return strings.Join(where, " and "), args
}

// nameSQL matches a part of a name. Words of one or two letters match at its beginning alone: no index knows shorter parts, and
// they stand in nearly every name.
func nameSQL(name string) (where, pattern string) {
	pattern = likeEscape.Replace(name) + "%"
	if short(name) {
		return `m.name_normal collate "C" like ? escape '\'`, pattern
	}
	return `m.name_normal like ? escape '\'`, "%" + pattern
}

// short reports whether no word of a name has three letters.
func short(name string) bool {
	return !slices.ContainsFunc(strings.Fields(name), func(word string) bool { return len([]rune(word)) >= 3 })
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
