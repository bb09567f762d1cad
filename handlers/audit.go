package handlers

import (
	"errors"
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

// sealTime is how long a row may wait for its seal before that is said aloud.
const sealTime = 30 * time.Second

// showAudit is who did what, newest first.
func (h *handler) showAudit(c echo.Context) error {
	ctx := c.Request().Context()
	q, f, wrong := readAuditFilter(c)
	v := views.AuditPage{Filter: q, Errors: wrong, ExportURL: views.AuditCSVURL(q)}
	status := http.StatusOK
	if len(wrong) > 0 {
		status, v.ExportURL = http.StatusUnprocessableEntity, ""
	} else if err := h.auditRows(c, &v, f); err != nil {
		return err
	}
	if wantsFragment(c) {
		return render(c, status, views.AuditList(v))
	}
	people, err := h.Reader.Roster(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		v.People = append(v.People, views.Option{Value: strconv.FormatInt(int64(p.ID), 10), Text: p.Name})
	}
	v.Actions = auditActions()
	if v.Trail, err = h.trail(c); err != nil {
		return err
	}
	if v.Page, err = h.page(c, words.T(ctx, "audit.title"), "audit"); err != nil {
		return err
	}
	return render(c, status, views.Audit(v))
}

func (h *handler) auditRows(c echo.Context, v *views.AuditPage, f models.AuditFilter) error {
	ctx := c.Request().Context()
	after := readAuditCursor(c.QueryParam("after"))
	rows, err := h.Reader.AuditTrail(ctx, f, after, pageRows+1)
	if err != nil {
		return err
	}
	if len(rows) > pageRows {
		rows = rows[:pageRows]
		v.NextURL = views.AuditPageURL(v.Filter, writeAuditCursor(rows[pageRows-1].Cursor()))
	}
	if after != nil {
		v.FirstURL = views.AuditPageURL(v.Filter, "")
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, h.auditRow(c, row))
	}
	if len(rows) == 0 {
		v.ExportURL = ""
	}
	if f.Merchant != 0 {
		m, err := h.Reader.Merchant(ctx, f.Merchant)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		v.Merchant = m.Name
	}
	return nil
}

// readAuditFilter is what the address asks. A value that means nothing is refused: the answer to another question would
// look like the answer to this one.
func readAuditFilter(c echo.Context) (q views.AuditFilter, f models.AuditFilter, wrong map[string]views.Message) {
	read := func(name string) string { return strings.TrimSpace(c.QueryParam(name)) }
	q = views.AuditFilter{Who: read("who"), What: read("what"), Merchant: read("merchant"), From: read("from"), Until: read("until")}
	refuse := func(name, code string) {
		if wrong == nil {
			wrong = map[string]views.Message{}
		}
		wrong[name] = views.Message{Code: code}
	}
	number := func(name, value, code string) int64 {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 1 {
			refuse(name, code)
		}
		return n
	}
	kind := models.ActorKind(q.Who)
	switch {
	case q.Who == "":
	case slices.Contains([]models.ActorKind{models.ActorSystem, models.ActorCLI, models.ActorDOKU, models.ActorAnonymous}, kind):
		f.Kind = kind
	default:
		f.Person = models.PersonID(number("who", q.Who, "unknown_choice"))
	}
	if f.Action = models.Action(q.What); q.What != "" && !slices.Contains(models.Actions, f.Action) {
		refuse("what", "unknown_choice")
	}
	if q.Merchant != "" {
		f.Merchant = models.MerchantID(number("merchant", q.Merchant, "not_numeric"))
	}
	day := func(name, value string) time.Time {
		t, err := time.ParseInLocation(time.DateOnly, value, words.WIB)
		if value != "" && (err != nil || t.Year() < 2000 || t.Year() > 2200) {
			refuse(name, "not_a_date")
		}
		return t
	}
	if q.From != "" {
		f.From = day("from", q.From)
	}
	if q.Until != "" {
		f.Until = day("until", q.Until).AddDate(0, 0, 1)
	}
	return q, f, wrong
}

func writeAuditCursor(k *models.AuditCursor) string {
	return strconv.FormatInt(k.At.UnixMicro(), 36) + "-" + strconv.FormatInt(k.ID, 36)
}

// readAuditCursor is where a page goes on; what is none begins with the newest.
func readAuditCursor(s string) *models.AuditCursor {
	at, id, ok := strings.Cut(s, "-")
	micros, err1 := strconv.ParseInt(at, 36, 64)
	n, err2 := strconv.ParseInt(id, 36, 64)
	if !ok || err1 != nil || err2 != nil || micros < 0 || micros > farFuture {
		return nil
	}
	return &models.AuditCursor{At: time.UnixMicro(micros).UTC(), ID: n}
}

// auditActions are all actions by their noun.
func auditActions() (groups []views.AuditActions) {
	for _, a := range models.Actions {
		noun, _, _ := strings.Cut(string(a), ".")
		i := slices.IndexFunc(groups, func(g views.AuditActions) bool { return g.Noun == noun })
		if i < 0 {
			i, groups = len(groups), append(groups, views.AuditActions{Noun: noun})
		}
		groups[i].Actions = append(groups[i].Actions, views.AuditAction{Value: string(a), Code: onboarding.EventCode(a)})
	}
	return groups
}

func (h *handler) auditRow(c echo.Context, r models.AuditRow) views.AuditRow {
	ctx := c.Request().Context()
	v := views.AuditRow{ID: r.ID, At: r.At, Kind: string(r.ActorKind), Who: r.Who, Role: string(r.ActorRole), What: whatHappened(r), MerchantID: int64(r.MerchantID), Merchant: r.Merchant, RequestID: r.RequestID}
	if fields, ok := r.Detail["fields"].([]any); ok {
		for _, f := range fields {
			if name, ok := f.(string); ok {
				v.Fields = append(v.Fields, name)
			}
		}
	}
	switch r.SubjectKind {
	case "document":
		if r.Category != "" {
			v.Subject, v.SubjectURL = documentName(ctx, r.Category, r.Code), views.DocumentURL(r.SubjectID)
		}
	case "person":
		if v.Subject = r.Person; can(c, auth.AdministerPeople) && r.Person != "" {
			v.SubjectURL = views.PersonURL(r.SubjectID)
		}
	}
	return v
}

// whatHappened is an event with all that its sentence may say.
func whatHappened(r models.AuditRow) views.Message {
	code, params := onboarding.Happened(r)
	return views.Message{Code: code, Params: params}
}

func (h *handler) trail(c echo.Context) (views.TrailView, error) {
	ctx := c.Request().Context()
	seal, err := h.Reader.NewestSeal(ctx)
	if err != nil {
		return views.TrailView{}, err
	}
	waiting, err := h.Reader.UnsealedAudit(ctx)
	v := views.TrailView{Seal: seal.ID, Until: seal.SealedAt, Unsealed: waiting.Rows, Since: at(waiting.Since)}
	v.Late = waiting.Rows > 0 && h.Now().Sub(v.Since) > sealTime
	return v, err
}

// auditOf leads to a merchant's part of the trail, for those who may read it.
func auditOf(c echo.Context, id models.MerchantID) string {
	if !can(c, auth.ReadAudit) {
		return ""
	}
	return views.AuditPageURL(views.AuditFilter{Merchant: id.String()}, "")
}

// exportAudit is the filtered trail as CSV, however long: it is written while it is read.
func (h *handler) exportAudit(c echo.Context) error {
	_, f, wrong := readAuditFilter(c)
	for _, name := range []string{"who", "what", "merchant", "from", "until"} {
		if m, refused := wrong[name]; refused {
			return fault.New(fault.Invalid, m.Code)
		}
	}
	head := c.Response().Header()
	head.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	head.Set("Content-Disposition", `attachment; filename="audit-`+h.Now().In(words.WIB).Format("20060102-1504")+`.csv"`)
	if c.Request().Method == http.MethodHead {
		return c.NoContent(http.StatusOK)
	}
	rows, err := h.Service.ExportAudit(c.Request().Context(), actor(c), f)
	if err != nil {
		return err
	}
	c.Response().WriteHeader(http.StatusOK)
	sheet, err := onboarding.NewSheet(c.Response(), onboarding.AuditColumns)
	for row, broken := range rows {
		if err == nil {
			err = broken
		}
		if err == nil {
			err = sheet.Row(onboarding.AuditCells(words.From(c.Request().Context()), row))
		}
		if err != nil {
			break
		}
	}
	if err = errors.Join(err, sheet.End()); err != nil {
		h.Log.Warn("an export broke off", "id", requestID(c), "error", err)
		panic(http.ErrAbortHandler) // the reader must see that it is not whole
	}
	return nil
}
