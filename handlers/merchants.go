package handlers

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

const (
	pageRows     = 50
	countLimit   = 1000
	timelineRows = 60
	farFuture    = 1 << 53 // microseconds, the year 2255: the database does not know every time that can be written
)

func (h *handler) listMerchants(c echo.Context) error {
	if id := c.QueryParam("view"); id != "" {
		return h.openView(c, id)
	}
	if q := readFilter(c).Q; onboarding.LooksPersonal(q) { // it has no place in an address
		if wantsFragment(c) {
			return fault.New(fault.Invalid, "sixteen_digits")
		}
		return h.drawMerchants(c, http.StatusUnprocessableEntity, views.FindForm{Value: q, Error: &views.Message{Code: "sixteen_digits"}})
	}
	return h.drawMerchants(c, http.StatusOK, views.FindForm{})
}

// drawMerchants draws the list, and in it the form that finds a merchant by a personal value, as it was typed.
func (h *handler) drawMerchants(c echo.Context, status int, find views.FindForm) error {
	ctx, p := c.Request().Context(), person(c)
	q := readFilter(c)
	if find.Error != nil {
		q.Q = ""
	}
	if err := h.merchantOrder(c, &q); err != nil {
		return err
	}
	f, err := h.merchantFilter(ctx, q, p)
	if err != nil {
		return err
	}
	if f, err = h.Reader.ResolveMerchants(ctx, f); err != nil {
		return err
	}
	after := readCursor(f.Order, c.QueryParam("after"))
	rows, err := h.Reader.Merchants(ctx, f, after, pageRows+1)
	if err != nil {
		return err
	}
	v := views.MerchantsPage{Filter: q, CanAdd: can(c, auth.EditMerchants), CanChange: can(c, auth.AssignMerchants), CanExport: can(c, auth.ExportMerchants),
		CanShare: can(c, auth.ShareViews), Find: find}
	if len(rows) > pageRows {
		rows = rows[:pageRows]
		v.NextURL = q.URL(writeCursor(f.Order, rows[pageRows-1].Cursor()))
	}
	if after != nil {
		v.FirstURL, v.After = q.URL(""), writeCursor(f.Order, *after)
	}
	for _, row := range rows {
		shown := merchantRow(ctx, row, h.Now())
		if v.CanChange && row.ArchivedAt == nil {
			shown.Choose = choose(row)
		}
		v.Rows = append(v.Rows, shown)
	}
	if v.Total = len(rows); after != nil || v.NextURL != "" {
		if v.Total, v.TotalMore, err = h.Reader.MerchantTotal(ctx, f, countLimit); err != nil {
			return err
		}
		v.Total = max(v.Total, len(rows))
	}
	if f.Name != "" && after == nil && len(rows) < onboarding.FewFound {
		similar, err := h.Service.SimilarMerchants(ctx, f)
		if err != nil {
			return err
		}
		for _, row := range similar {
			v.Similar = append(v.Similar, merchantRow(ctx, row, h.Now()))
		}
	}
	if v.People, err = h.colleagues(ctx); err != nil {
		return err
	}
	if v.Decider, err = h.nameOf(ctx, f.DecidedBy); err != nil {
		return err
	}
	if wantsFragment(c) {
		return render(c, status, views.MerchantList(v))
	}
	if v.Saved, err = h.savedViews(c, q); err != nil {
		return err
	}
	if err := h.merchantChoices(ctx, &v); err != nil {
		return err
	}
	if v.Page, err = h.page(c, words.T(ctx, "merchants.title"), "merchants"); err != nil {
		return err
	}
	return render(c, status, views.Merchants(v))
}

// nameOf is a person's name, "" when there is none.
func (h *handler) nameOf(ctx context.Context, id models.PersonID) (string, error) {
	if id <= 0 {
		return "", nil
	}
	p, err := h.Reader.Person(ctx, id)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return p.Name, err
}

func readFilter(c echo.Context) views.MerchantFilter {
	return views.ReadMerchantFilter(c.QueryParams())
}

// merchantFilter is what the list asks the database. What means nothing finds nothing.
func (h *handler) merchantFilter(ctx context.Context, q views.MerchantFilter, p models.Person) (models.MerchantFilter, error) {
	f := models.MerchantFilter{State: q.State, BusinessType: q.BusinessType, LegalEntity: q.Entity, BusinessLine: q.BusinessLine, Team: q.Team,
		Stage: models.Stage(q.Stage), Quarter: q.Done, Order: models.MerchantOrder(q.Order), Today: h.Now().In(words.WIB),
		Slot: models.SlotFilter{State: q.Slot, Reason: q.Reason, Expires: q.Expiring}}
	if f.DOKUID = onboarding.DOKUID(q.Q); f.DOKUID == "" {
		f.Name = onboarding.NormalName(q.Q)
	}
	switch q.Who {
	case "", "mine", "others", "nobody":
		f.Nobody = q.Who == "nobody"
		if q.Who == "mine" {
			f.Responsible = p.ID
		}
		if q.Who == "others" {
			f.Others = p.ID
		}
	default:
		id, _ := strconv.ParseInt(q.Who, 10, 64)
		f.Responsible = models.PersonID(cmp.Or(id, -1))
	}
	if q.Decided != "" {
		id, _ := strconv.ParseInt(q.Decided, 10, 64)
		f.DecidedBy = models.PersonID(cmp.Or(id, -1))
	}
	if q.Document != "" {
		f.Slot.Category, f.Slot.Code = onboarding.KindOf(q.Document)
		if category, code, both := strings.Cut(q.Document, ":"); both {
			f.Slot.Category, f.Slot.Code = category, code
		}
		if f.Slot.State == "" && f.Slot.Reason == "" && f.Slot.Expires == "" {
			f.Slot.State = "open"
		}
	}
	if q.From != "" {
		f.From, _ = time.ParseInLocation(time.DateOnly, q.From, words.WIB)
	}
	if t, err := time.ParseInLocation(time.DateOnly, q.Until, words.WIB); err == nil {
		f.Until = t.AddDate(0, 0, 1)
	}
	if q.Since != "" {
		f.Since, _ = time.ParseInLocation(time.DateOnly, q.Since, words.WIB)
	}
	if f.State != "remind" {
		return f, nil
	}
	set, err := h.Reader.ReviewSettings(ctx)
	if err == nil {
		f.Reminded = h.Now().AddDate(0, 0, -slices.Min(set.RemindDays))
	}
	return f, err
}

// merchantChoices are what the filters offer.
func (h *handler) merchantChoices(ctx context.Context, v *views.MerchantsPage) (err error) {
	if v.Offer.Lines, v.Offer.Teams, err = h.Reader.LinesAndTeams(ctx); err != nil {
		return err
	}
	v.Offer.Documents = onboarding.DocumentCodes()
	for _, t := range onboarding.BusinessTypes() {
		v.Offer.Entities = append(v.Offer.Entities, onboarding.LegalEntities(t)...)
	}
	for _, r := range onboarding.Reasons {
		v.Offer.Reasons = append(v.Offer.Reasons, r.Code)
	}
	return nil
}

// merchantOrder is the order asked for, which is remembered, or else the one remembered, or the one of the role.
func (h *handler) merchantOrder(c echo.Context, q *views.MerchantFilter) error {
	p := person(c)
	if !h.usualOrder(c, q) || q.Order == string(p.MerchantOrder) {
		return nil
	}
	return h.Service.KeepMerchantOrder(c.Request().Context(), p.ID, models.MerchantOrder(q.Order))
}

// usualOrder is the order a person is used to where none is asked for, of a name the newest first; it says whether one is.
func (h *handler) usualOrder(c echo.Context, q *views.MerchantFilter) (asked bool) {
	asked = slices.Contains(views.MerchantOrders, q.Order)
	if p := person(c); !asked && q.Q != "" { // who looks for a name has most likely had it in hand
		q.Order = string(models.OrderRecent)
	} else if !asked {
		q.Order = orElse(string(p.MerchantOrder), string(defaultOrder(p.Role)))
	}
	return asked
}

func defaultOrder(role models.Role) models.MerchantOrder {
	if role == models.RoleStaff {
		return models.OrderAction
	}
	return models.OrderRecent
}

const (
	cursorDay = "20060102"
	noDay     = "0"
)

// writeCursor is where a list goes on, in an address: what its order compares by, and the id.
func writeCursor(order models.MerchantOrder, k models.MerchantCursor) string {
	id, day := strconv.FormatInt(int64(k.ID), 36), noDay
	if k.DueOn != nil {
		day = k.DueOn.Format(cursorDay)
	}
	switch order {
	case models.OrderAction:
		return strconv.Itoa(k.Urgency) + "-" + day + "-" + id
	case models.OrderName:
		return id
	case models.OrderDue:
		return day + "-" + id
	}
	return strconv.FormatInt(k.UpdatedAt.UnixMicro(), 36) + "-" + id
}

// readCursor is where a page goes on; what is none, or one of another order, begins at the start.
func readCursor(order models.MerchantOrder, s string) *models.MerchantCursor {
	parts := strings.Split(s, "-")
	id, err := strconv.ParseInt(parts[len(parts)-1], 36, 64)
	if err != nil || id < 0 {
		return nil
	}
	k := &models.MerchantCursor{ID: models.MerchantID(id)}
	ok := false
	switch {
	case order == models.OrderName:
		ok = len(parts) == 1
	case order == models.OrderDue && len(parts) == 2:
		k.DueOn, ok = readDay(parts[0])
	case order == models.OrderAction && len(parts) == 3:
		k.Urgency, err = strconv.Atoi(parts[0])
		k.DueOn, ok = readDay(parts[1])
		ok = ok && err == nil && k.Urgency >= 0 && k.Urgency < 100
	case order == models.OrderRecent && len(parts) == 2:
		var micros int64
		micros, err = strconv.ParseInt(parts[0], 36, 64)
		k.UpdatedAt, ok = time.UnixMicro(micros).UTC(), err == nil && micros >= 0 && micros <= farFuture
	}
	if !ok {
		return nil
	}
	return k
}

func readDay(s string) (*time.Time, bool) {
	if s == noDay {
		return nil, true
	}
	t, err := time.Parse(cursorDay, s)
	return &t, err == nil && t.Year() > 0
}

func (h *handler) showMerchant(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	return h.drawMerchant(c, http.StatusOK, id, h.takeTyped(c, id))
}

// drawMerchant draws a merchant's page; change, if any, says in one slot what was refused just now.
func (h *handler) drawMerchant(c echo.Context, status int, id models.MerchantID, change func(*views.SlotView)) error {
	return h.drawMerchantWith(c, status, id, func(v *views.MerchantPage) {
		if change == nil {
			return
		}
		for g := range v.Checklist.Groups {
			for i := range v.Checklist.Groups[g].Slots {
				change(&v.Checklist.Groups[g].Slots[i])
			}
		}
	})
}

// drawMerchantWith draws a merchant's page after a change of what it shows.
func (h *handler) drawMerchantWith(c echo.Context, status int, id models.MerchantID, change func(*views.MerchantPage)) error {
	ctx := c.Request().Context()
	d, err := h.merchantPage(ctx, id)
	if err != nil {
		return err
	}
	rows, err := h.Reader.ChecklistVersions(ctx, id)
	if err != nil {
		return err
	}
	checklist, p, err := h.checklist(c, d, rows)
	if err != nil {
		return err
	}
	lacks, err := h.Service.Lacks(d.Dossier, rows)
	if err != nil {
		return err
	}
	shown, err := h.Service.Shown(d.Dossier)
	if err != nil {
		return err
	}
	timeline, err := h.Reader.Timeline(ctx, id, timelineRows)
	if err != nil {
		return err
	}
	comments, err := h.Service.OpenComments(d.Comments)
	if err != nil {
		return err
	}
	frame, err := h.page(c, d.Merchant.Name, "merchants")
	if err != nil {
		return err
	}
	if err := h.Service.Viewed(ctx, actor(c), id); err != nil {
		return err
	}
	m, may := d.Merchant, can(c, auth.EditMerchants)
	row := merchantRow(ctx, models.MerchantRow{ID: m.ID, Name: m.Name, BusinessType: m.BusinessType, LegalEntity: m.LegalEntity, BusinessLine: m.BusinessLine,
		Responsible: d.Responsible, DueOn: m.DueOn, Progress: m.Progress, ProgressState: m.ProgressState, NextActor: m.NextActor, NextActorSince: m.NextActorSince, MessagedAt: m.MessagedAt,
		RegisteredAt: m.RegisteredAt, ArchivedAt: m.ArchivedAt, Sample: m.Sample, UpdatedAt: m.UpdatedAt}, h.Now())
	row.Progress = p
	v := views.MerchantPage{Page: frame, Checklist: checklist, Timeline: events(timeline), Comments: commentsView(c, id, comments), AuditURL: auditOf(c, id), EvidenceURL: evidenceOf(c, id),
		Merchant: views.MerchantView{MerchantRow: row, Nationality: m.Nationality, Description: m.Description, Notes: m.Notes, Data: dataGroups(shown), CreatedBy: d.Creator,
			CreatedAt: m.CreatedAt, BusinessID: m.BusinessID, BrandID: m.BrandID, Status: m.BusinessStatus, CanEdit: may && m.ArchivedAt == nil, CanArchive: may,
			CanMessage: can(c, auth.MessageMerchants) && m.ArchivedAt == nil}, Registration: h.registrationView(c, m, lacks)}
	if v.Status, err = h.statusView(c, m); err != nil {
		return err
	}
	submissions, err := h.Service.Submissions(ctx, m)
	if err != nil {
		return err
	}
	for _, t := range submissions {
		v.Submissions = append(v.Submissions, submissionView(t))
	}
	change(&v)
	return render(c, status, views.Merchant(v))
}

func (h *handler) archiveMerchant(c echo.Context) error {
	return h.changeMerchant(c, "merchant_archived", h.Service.ArchiveMerchant)
}

func (h *handler) restoreMerchant(c echo.Context) error {
	return h.changeMerchant(c, "merchant_restored", h.Service.RestoreMerchant)
}

func (h *handler) changeMerchant(c echo.Context, done string, change func(context.Context, models.Actor, models.MerchantID) error) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if _, err := h.Reader.Merchant(ctx, id); err != nil {
		return err
	}
	if err := change(ctx, actor(c), id); err != nil {
		return err
	}
	h.flash(c, "good", done)
	return see(c, views.MerchantURL(int64(id)))
}
