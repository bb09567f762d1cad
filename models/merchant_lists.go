package models

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
)

const (
	fewMerchants = 1000   // so many are rather fetched and sorted than met on a walk along an order
	someRows     = 20_000 // so many are rather gathered first than looked for at each merchant of a walk
	newest       = 2000   // merchants in whose names a word is looked for first,
	newestMany   = 3      // of whom so many mean that it stands in very many
	gathered     = 5000   // so many of what is counted are fetched by an index and sorted, more if few of them are asked for
	lookedAt     = 500    // merchants looked at for a number that is not kept and is not worth more,
	read         = 10_000 // or names read
)

// lookedAtColumns are what conditions read that no order's walk answers (own).
const lookedAtColumns = `m.id, m.name_normal, m.slots_missing, m.slots_approved, m.slots_refused, m.slots_other`

// ResolveMerchants asks for what a filter names indirectly, so that it is planned for what is really there. A name or a
// document that few merchants have is replaced by those merchants; what many have is soon met on a walk along any order.
// Whoever asks for a list and its count resolves once for both.
func (r Reader) ResolveMerchants(ctx context.Context, f MerchantFilter) (MerchantFilter, error) {
	if f.resolved {
		return f, nil
	}
	f, err := r.resolve(ctx, f)
	if err == nil && (f.Name == "" || !f.onlyNamed()) { // of a name nothing is kept
		f.most, f.exact, err = r.kept(ctx, f)
	}
	return f, err
}

// resolve is ResolveMerchants without what is kept.
func (r Reader) resolve(ctx context.Context, f MerchantFilter) (MerchantFilter, error) {
	if f.resolved {
		return f, nil
	}
	f.resolved, f.most = true, -1
	var err error
	if f.BusinessType+f.LegalEntity+f.BusinessLine != "" {
		f.combinations, err = scanPlanned[Combination](ctx, r, `select id, legal_entity from combinations where (business_type = ? or ? = '') and (legal_entity = ? or ? = '') and (business_line = ? or ? = '')`,
			f.BusinessType, f.BusinessType, f.LegalEntity, f.LegalEntity, f.BusinessLine, f.BusinessLine)
		f.combinations = append([]Combination{}, f.combinations...)
	}
	if err == nil && f.Team != "" {
		f.team, err = found[PersonID](ctx, r, `select id from people where team = ?`, f.Team)
	}
	if err == nil && f.DOKUID != "" {
		f.few, err = found[MerchantID](ctx, r, `select id from merchants where business_id = ? and business_id <> '' union select id from merchants where brand_id = ? and brand_id <> ''
			union select merchant_id from documents where file_id = ? and file_id <> ''`, f.DOKUID, f.DOKUID, f.DOKUID)
	}
	if err == nil && f.Name != "" && f.few == nil {
		f.few, f.seen, err = r.named(ctx, f)
	}
	if err == nil && f.Slot.State != "" && f.Slot.Category != "" {
		err = f.ofKindsWith(ctx, r)
	}
	for _, h := range f.holds() {
		if err == nil {
			err = f.hold(ctx, r, h)
		}
	}
	return f, err
}

// kept is how many merchants there are of what is counted of a filter, -1 when nothing is, and whether it asks for nothing else.
func (r Reader) kept(ctx context.Context, f MerchantFilter) (n int, exact bool, err error) {
	q, counts := TallyQuestion{Measure: TallyMerchants}, func(key string) bool { return true }
	exact = f.Name == "" && f.Others == 0 && f.Stage == "" && f.Since.IsZero() && f.DecidedBy == 0 && f.Slot == SlotFilter{} && f.Quarter == ""
	switch f.State {
	case "":
	case "archived", "sent_back", "unsettled":
		return -1, false, nil
	case "staff", "merchant", "reviewer", "doku":
		q.Measure, counts = TallyNext, func(key string) bool { return key == f.State }
	case "remind":
		q.Measure, counts, exact = TallyNext, func(key string) bool { return key == "merchant" }, false
	case "open":
		counts = func(key string) bool { return key != string(ProgressComplete) && key != string(ProgressRegistered) }
	case "overdue":
		q.Measure, q.Until = TallyDue, f.Today
	case "undecided":
		counts, exact = func(key string) bool { return key != string(ProgressRegistered) }, false
	default:
		counts = func(key string) bool { return key == f.State }
	}
	if f.DOKUID != "" {
		return -1, false, nil
	}
	if f.Nobody && (f.Team != "" || f.Responsible != 0) {
		return 0, exact, nil
	}
	tallies, err := r.Tallies(ctx, TallyFilter{BusinessType: f.BusinessType, LegalEntity: f.LegalEntity, BusinessLine: f.BusinessLine, Team: f.Team, Responsible: f.Responsible, Nobody: f.Nobody}, []TallyQuestion{q})
	for _, t := range tallies {
		if counts(t.Key) {
			n += int(t.N)
		}
	}
	return n, exact, err
}

// named are the merchants whose name is asked for, when they are few, or else how many at least have it. A word that very many
// have is met among the newest.
func (r Reader) named(ctx context.Context, f MerchantFilter) (few []MerchantID, seen int, err error) {
	where, pattern := nameSQL(f.Name)
	if short(f.Name) {
		if f.State == "archived" {
			return nil, 0, nil
		}
		few, err = r.few(ctx, `select m.id from merchants m where m.archived_at is null and `+where, pattern)
		return few, fewMerchants, err
	}
	n, err := one[int](ctx, r, `select count(*) from (select m.name_normal from merchants m where m.archived_at is null order by m.updated_at desc, m.id desc limit ?) m where `+where, newest, pattern)
	if err != nil || n >= newestMany {
		return nil, n, err
	}
	few, err = r.few(ctx, `select i.id from merchants_named_like(?, `+strconv.Itoa(fewMerchants+1)+`, ?) i(id)`, pattern, f.State == "archived")
	return few, fewMerchants, err
}

// ofKindsWith leaves out the kinds of merchants none of which has such a document, as the tallies know: a walk would look at all
// of them in vain. They know too how many have one.
func (f *MerchantFilter) ofKindsWith(ctx context.Context, r Reader) error {
	states := []string{f.Slot.State}
	if f.Slot.State == "open" {
		states = []string{"missing", "waiting", "refused", "failed"}
	}
	const such = ` and split_part(t.key, '|', 1) = @category and (split_part(t.key, '|', 2) = @code or @code = '') and split_part(t.key, '|', 3) = any(@states)`
	with, err := scan[struct {
		Combination  `gorm:"embedded"`
		N, Merchants int
	}](ctx, r, `select k.id, k.legal_entity, sum(k.n)::bigint as n, (select coalesce(sum(t.n), 0) from tallies t where t.measure = @merchants and t.kind = k.kind and t.whose = '' and t.key <> 'registered')::bigint as merchants
		from (select c.id, c.legal_entity, t.kind, t.n from combinations c join tallies t on t.kind = c.business_type || '|' || c.legal_entity || '|' || c.business_line where t.measure = @slots and t.whose = '' and t.n > 0`+such+`
			union all select c.id, c.legal_entity, c.business_type || '|' || c.legal_entity || '|' || c.business_line, t.n from combinations c join tally_deltas t on t.combination_id = c.id where t.measure = @slots and t.n > 0`+such+`) k
		group by k.id, k.legal_entity, k.kind`, map[string]any{"slots": TallySlots, "merchants": TallyMerchants, "category": f.Slot.Category, "code": f.Slot.Code, "states": texts(states)})
	of, n, all := []Combination{}, 0, 0
	for _, k := range with {
		if f.combinations == nil || slices.ContainsFunc(f.combinations, func(c Combination) bool { return c.ID == k.ID }) {
			of, n, all = append(of, k.Combination), n+k.N, all+k.Merchants
		}
	}
	f.combinations = of
	if all > 0 {
		f.share = min(1, float64(n)/float64(all))
	}
	return err
}

// hold takes what merchants must have as those who have it, when they are few.
func (f *MerchantFilter) hold(ctx context.Context, r Reader, h held) error {
	few, err := r.few(ctx, `select r.merchant_id from `+h.from+` r where `+h.where, h.args...)
	if err == nil && few != nil && f.few == nil {
		f.few = few
		return nil
	}
	if err == nil && (h.from == "slots" && h.kinds == "" || h.rare()) {
		h.some, err = one[bool](ctx, r, `select count(*) <= ? from (select 1 from `+h.from+` r where `+h.where+` limit ?) c`, append(append([]any{someRows}, h.args...), someRows+1)...)
	}
	f.held = append(f.held, h)
	return err
}

// holds is what a filter asks for of documents and slots.
func (f MerchantFilter) holds() (list []held) {
	if f.Slot != (SlotFilter{}) {
		where, args := f.Slot.where(f.Today)
		list = append(list, held{kinds: f.Slot.kinds(), from: "slots", where: where, args: args})
	}
	if f.DecidedBy != 0 {
		list = append(list, f.decided())
	}
	if f.State == "undecided" {
		list = append(list, held{kinds: "m.slots_other", from: "documents", where: "r.queued_at is not null"})
	}
	return list
}

// decided is what a filter asks for of decisions that count.
func (f MerchantFilter) decided() held {
	h := held{from: "decisions", where: "r.standing = 'counts' and r.decided_by = ?", args: []any{f.DecidedBy}}
	if !f.From.IsZero() {
		h.where, h.args = h.where+" and r.decided_at >= ?", append(h.args, f.From)
	}
	if !f.Until.IsZero() {
		h.where, h.args = h.where+" and r.decided_at < ?", append(h.args, f.Until)
	}
	return h
}

// few are the merchants of a question, some of them twice; nil when there are more than few.
func (r Reader) few(ctx context.Context, sql string, args ...any) ([]MerchantID, error) {
	ids, err := found[MerchantID](ctx, r, sql+` limit `+strconv.Itoa(fewMerchants+1), args...)
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
	f, err := r.resolve(ctx, f)
	if err != nil || f.most == 0 {
		return nil, err
	}
	sql, args := f.list(after, limit)
	return scanPlanned[MerchantRow](ctx, r, sql, args...)
}

// MerchantsAmong is Merchants for those of a filter that are among ids, whatever its name asks for.
func (r Reader) MerchantsAmong(ctx context.Context, f MerchantFilter, ids []MerchantID, limit int) ([]MerchantRow, error) {
	f.Name, f.resolved, f.few, f.seen, f.held = "", false, nil, 0, nil
	f, err := r.resolve(ctx, f)
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

// NameWord is a word of merchants' names that may be meant by a typed one.
type NameWord struct {
	Typed, Word string
	Slip        bool // no more than a slip of the keys apart; else they begin or end the same
}

// NameWords are the words of merchants' names that are at most a slip of the keys from the typed ones; for a typed word of
// which there is none, those that begin or end as it does, some hundreds at most. Names' words of 3 to 40 letters are known.
func (r Reader) NameWords(ctx context.Context, typed []string) ([]NameWord, error) {
	return scanPlanned[NameWord](ctx, r, `with typed as materialized (select word, name_gaps(word) as gaps, name_ends(word) as ends from unnest(?::text[]) t(word)),
			slips as materialized (select t.word as typed, n.word from typed t cross join lateral (select n.word from name_words n where name_gaps(n.word) && t.gaps limit ?) n)
		select typed, word, true as slip from slips
		union all select t.word, n.word, false from typed t cross join lateral (select n.word from name_words n where name_ends(n.word) && t.ends limit ?) n
			where t.word not in (select s.typed from slips s)`, texts(typed), lookedAt, lookedAt)
}

// WordsOfName are words that stand in a name together: of each group one.
type WordsOfName [][]string

// MerchantsNamedNearly are merchants, archived or not, whose names have the words of one of names, at most limit. The words are
// of letters and digits.
func (r Reader) MerchantsNamedNearly(ctx context.Context, names []WordsOfName, archived bool, limit int) ([]NamedMerchant, error) {
	asked := make([]string, len(names))
	for i, groups := range names {
		words := make([]string, len(groups))
		for j, group := range groups {
			words[j] = strings.Join(group, "|")
		}
		asked[i] = strings.Join(words, " ")
	}
	return scanPlanned[NamedMerchant](ctx, r, `select id, name_normal from merchants_named_nearly(?, ?, ?)`, texts(asked), limit, archived)
}

// list is the statement of a page. An order's index holds all that filters, so that only the page's merchants are read
// themselves. The limit stands in it, so that it is planned for a page and not for a tenth of all.
func (f MerchantFilter) list(after *MerchantCursor, limit int) (string, []any) {
	where, args := f.where()
	if f.rare() {
		where = append(where, rareSQL)
	}
	order, behind, values := f.Order.by(after)
	if after != nil {
		where, args = append(where, behind), append(args, values...)
	}
	if bound := f.urgency(); bound != "" && f.Order == OrderAction {
		where = append(where, urgencySQL+bound)
	}
	own, a := f.own()
	first := ` limit ` + strconv.Itoa(limit)
	page := `select m.id, m.name_normal from merchants m where ` + strings.Join(append(where, own...), " and ") + ` order by ` + order + first
	args = append(args, a...)
	switch {
	case f.gathers(): // and sorted before any is looked at
		page = `select m.id from (select ` + lookedAtColumns + ` from merchants m where ` + strings.Join(where, " and ") + ` order by ` + order + ` offset 0) m where ` + strings.Join(append(own, "true"), " and ") + first
	case f.Order == OrderName && f.combinations != nil && f.State != "archived": // those of a legal entity begin with it: on one walk all others would come before some
		page = strings.Replace(page, ` where `, ` where m.legal_entity = e.legal_entity and `, 1)
		page = `select m.id from unnest(cast(? as text[])) e(legal_entity) cross join lateral (` + page + `) m order by ` + order + first
		args = append([]any{f.entities()}, args...)
	}
	return `select ` + merchantRowColumns + ` from (` + page + `) page join merchants m on m.id = page.id left join people p on p.id = m.responsible_id order by ` + order, args
}

// entities are the legal entities of a filter's combinations.
func (f MerchantFilter) entities() array {
	var list []string
	for _, c := range f.combinations {
		list = append(list, c.LegalEntity)
	}
	slices.Sort(list)
	return texts(slices.Compact(list))
}

// gathers reports whether all merchants are rather fetched by an index of what is asked than met on a walk along the order.
func (f MerchantFilter) gathers() bool {
	n := float64(max(f.most, 0))
	return f.rare() || f.most >= 0 && n*n*cmp.Or(f.share, 1) <= gathered*gathered
}

// rare reports whether what is asked for has to do with documents that few merchants have.
func (f MerchantFilter) rare() bool {
	return slices.ContainsFunc(f.held, func(h held) bool { return h.some && h.rare() })
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

// MerchantTotal is how many merchants a filter has: all where that is kept, else counted no further than limit, and where each
// of them has to be looked at none but the first that come. Reports whether there are more, or may be.
func (r Reader) MerchantTotal(ctx context.Context, f MerchantFilter, limit int) (n int, more bool, err error) {
	if f, err = r.ResolveMerchants(ctx, f); err != nil {
		return 0, false, err
	}
	if f.exact {
		return f.most, false, nil
	}
	if f.few != nil && f.onlyNamed() {
		return len(f.few), false, nil
	}
	if f.many() && f.onlyNamed() {
		return f.seen, true, nil
	}
	if !f.toLookAt() {
		n, err = r.CountMerchants(ctx, f, limit+1)
		return min(n, limit), n > limit, err
	}
	looked := read
	if len(f.held) > 0 {
		looked = lookedAt
	}
	f.held = slices.Clone(f.held)
	for i := range f.held { // of so few it is looked for at each
		f.held[i].some = false
	}
	hold, args := f.own()
	where, a := f.where()
	row, err := scanPlanned[struct{ N, Looked int }](ctx, r, `select count(*) filter (where ok) as n, count(*) as looked from (select `+strings.Join(hold, " and ")+` as ok
		from (select `+lookedAtColumns+` from merchants m where `+strings.Join(where, " and ")+` order by m.updated_at desc, m.id desc limit `+strconv.Itoa(looked)+`) m) m`, append(args, a...)...)
	if err != nil {
		return 0, false, err
	}
	n, more = row[0].N, row[0].Looked == looked
	return min(n, limit), more || n > limit, nil
}

// many reports whether a name is asked for that more than few have.
func (f MerchantFilter) many() bool { return f.seen > 0 && f.few == nil }

// onlyNamed reports whether a filter asks for nothing but a name.
func (f MerchantFilter) onlyNamed() bool {
	return f.Name != "" && f.State+f.DOKUID+f.Quarter+string(f.Stage) == "" && f.combinations == nil && f.team == nil && f.Responsible == 0 && f.Others == 0 && f.DecidedBy == 0 && !f.Nobody && f.Since.IsZero() && f.Slot == SlotFilter{}
}

// toLookAt reports whether a filter asks for something that no index of merchants knows and that not few have.
func (f MerchantFilter) toLookAt() bool { return f.many() || len(f.held) > 0 }

// own are the conditions on a merchant m that no index of merchants knows.
func (f MerchantFilter) own() (where []string, args []any) {
	if f.Name != "" {
		sql, pattern := nameSQL(f.Name)
		where, args = append(where, sql), append(args, pattern)
	}
	for _, h := range f.held {
		where, args = append(where, h.in()), append(args, h.args...)
	}
	return where, args
}

// CountsOfMerchants counts the merchants of several filters in one statement, each no further than limit.
func (r Reader) CountsOfMerchants(ctx context.Context, filters []MerchantFilter, limit int) ([]int, error) {
	resolved := make([]MerchantFilter, len(filters))
	for i, f := range filters {
		var err error
		if resolved[i], err = r.resolve(ctx, f); err != nil {
			return nil, err
		}
	}
	return counts(ctx, r, scanPlanned[counted], len(filters), func(i int) (string, []any) {
		where, args := resolved[i].where()
		own, a := resolved[i].own()
		where, args = append(where, own...), append(args, a...)
		order := ""
		if resolved[i].many() { // a common word: where it stands in a name is no matter of when that changed
			order = " order by m.updated_at desc, m.id desc"
		}
		return `merchants m where ` + strings.Join(where, " and ") + order + ` limit ` + strconv.Itoa(limit), args
	})
}
