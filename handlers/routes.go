package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/static"
)

// kind says what a route answers with; without a session a page leads to the sign-in, everything else is a 401.
type kind string

const (
	page  kind = "page"
	part  kind = "part"  // a fragment, or a picture inside a page
	file  kind = "file"  // a whole file, which takes a slow reader its time
	act   kind = "act"   // changes something
	pulse kind = "pulse" // what a page says by itself while it is open
	plain kind = "plain" // for machines
)

// Body limits in bytes.
const (
	limitNone   = 0
	limitForm   = 256 << 10
	limitUpload = 64 << 20 // far above what a file may have, so that a file too large is refused with its reason
)

// route is one line of the table of contents. None exists without a permission and a body limit.
type route struct {
	Method     string
	Path       string
	Kind       kind
	Permission auth.Permission
	Limit      int64
	Handle     echo.HandlerFunc
}

func (h *handler) routes() []route {
	const GET, POST = http.MethodGet, http.MethodPost
	return []route{
		{GET, "/", page, auth.SignedIn, limitNone, h.home},
		{GET, "/login", page, auth.Public, limitNone, h.showLogin},
		{POST, "/login", act, auth.Public, limitForm, h.login},
		{POST, "/login/demo", act, auth.Public, limitForm, h.loginDemo},
		{POST, "/logout", act, auth.SignedIn, limitForm, h.logout},
		{POST, "/preferences", act, auth.Public, limitForm, h.setPreferences},

		{GET, "/merchants", page, auth.ViewMerchants, limitNone, h.listMerchants},
		{GET, "/merchants.csv", file, auth.ExportMerchants, limitNone, h.exportMerchants("csv")},
		{GET, "/merchants.xlsx", file, auth.ExportMerchants, limitNone, h.exportMerchants("xlsx")},
		{GET, "/merchants/export", page, auth.ExportMerchants, limitNone, h.showExport},
		{POST, "/merchants/change", act, auth.AssignMerchants, limitForm, h.changeMerchants},
		{GET, "/merchants/views", page, auth.ViewMerchants, limitNone, h.listViews},
		{POST, "/merchants/views", act, auth.ViewMerchants, limitForm, h.saveView},
		{POST, "/merchants/views/:view", act, auth.ViewMerchants, limitForm, h.changeView},
		{POST, "/merchants/views/:view/delete", act, auth.ViewMerchants, limitForm, h.deleteView},
		{GET, "/merchants/new", page, auth.EditMerchants, limitNone, h.newMerchant},
		{POST, "/merchants", act, auth.EditMerchants, limitForm, h.createMerchant},
		{POST, "/merchants/find", act, auth.ViewMerchants, limitForm, h.findMerchants},
		{GET, "/merchants/:merchant", page, auth.ViewMerchants, limitNone, h.showMerchant},
		{GET, "/merchants/:merchant/edit", page, auth.EditMerchants, limitNone, h.editMerchant},
		{POST, "/merchants/:merchant", act, auth.EditMerchants, limitForm, h.updateMerchant},
		{POST, "/merchants/:merchant/archive", act, auth.EditMerchants, limitForm, h.archiveMerchant},
		{POST, "/merchants/:merchant/restore", act, auth.EditMerchants, limitForm, h.restoreMerchant},

		{GET, "/merchants/:merchant/message", page, auth.MessageMerchants, limitNone, h.writeMessage},
		{POST, "/merchants/:merchant/messages", act, auth.MessageMerchants, limitForm, h.recordMessage},
		{GET, "/merchants/:merchant/messages/:message", page, auth.MessageMerchants, limitNone, h.showMessage},
		{POST, "/merchants/:merchant/comments", act, auth.CommentMerchants, limitForm, h.addComment},

		{POST, "/merchants/:merchant/requirements", act, auth.EditMerchants, limitForm, h.readRequirements},
		{GET, "/merchants/:merchant/checklist", part, auth.ViewMerchants, limitNone, h.showChecklist},
		{POST, "/merchants/:merchant/slots", act, auth.UploadDocuments, limitForm, h.addSlot},
		{GET, "/merchants/:merchant/slots/:slot", part, auth.ViewMerchants, limitNone, h.showSlot},
		{POST, "/merchants/:merchant/slots/:slot/fields", act, auth.UploadDocuments, limitForm, h.setFields},
		{POST, "/merchants/:merchant/slots/:slot/remove", act, auth.UploadDocuments, limitForm, h.removeSlot},

		{GET, "/merchants/:merchant/evidence", page, auth.TakeEvidence, limitNone, h.showEvidence},
		{POST, "/merchants/:merchant/evidence", act, auth.TakeEvidence, limitForm, h.askEvidence},
		{GET, "/merchants/:merchant/evidence/:bundle", file, auth.TakeEvidence, limitNone, h.downloadEvidence},

		{GET, "/merchants/:merchant/register", page, auth.RegisterMerchant, limitNone, h.showRegister},
		{POST, "/merchants/:merchant/register", act, auth.RegisterMerchant, limitForm, h.registerMerchant},
		{POST, "/merchants/:merchant/invite", act, auth.RegisterMerchant, limitForm, h.inviteMerchant},
		{GET, "/merchants/:merchant/registration", part, auth.ViewMerchants, limitNone, h.showRegistration},
		{POST, "/merchants/:merchant/key", act, auth.RevealKeys, limitForm, h.showSharedKey},
		{GET, "/merchants/:merchant/submissions/:submission", page, auth.ViewMerchants, limitNone, h.showSubmission},
		{POST, "/merchants/:merchant/submissions/:submission/found", act, auth.RegisterMerchant, limitForm, h.foundSubmission},
		{POST, "/merchants/:merchant/submissions/:submission/absent", act, auth.RegisterMerchant, limitForm, h.absentSubmission},
		{POST, "/merchants/:merchant/submissions/:submission/mend", act, auth.RegisterMerchant, limitForm, h.mendSubmission},

		{POST, "/merchants/:merchant/documents", act, auth.UploadDocuments, limitUpload, h.createDocument},
		{GET, "/documents/:document", page, auth.ViewDocuments, limitNone, h.showDocument},
		{GET, "/documents/:document/file", file, auth.ViewDocuments, limitNone, h.openDocument},
		{GET, "/documents/:document/thumbnail", part, auth.ViewDocuments, limitNone, h.openThumbnail},
		{GET, "/documents/:document/pages/:page", part, auth.ViewDocuments, limitNone, h.openPage},
		{POST, "/documents/:document/retry", act, auth.UploadDocuments, limitForm, h.retryDocument},
		{POST, "/documents/:document/withdraw", act, auth.UploadDocuments, limitForm, h.withdrawDocument},
		{POST, "/documents/:document/rotate", act, auth.ViewDocuments, limitForm, h.rotateDocument},

		{GET, "/review", page, auth.DecideDocuments, limitNone, h.listReview},
		{POST, "/review/next", act, auth.DecideDocuments, limitForm, h.nextReview},
		{POST, "/documents/:document/approve", act, auth.DecideDocuments, limitForm, h.approveDocument},
		{POST, "/documents/:document/refuse", act, auth.DecideDocuments, limitForm, h.refuseDocument},
		{POST, "/documents/:document/undo", act, auth.DecideDocuments, limitForm, h.undoDecision},
		{POST, "/documents/:document/ask", act, auth.DecideDocuments, limitForm, h.askColleague},
		{POST, "/documents/:document/snooze", act, auth.DecideDocuments, limitForm, h.snoozeDocument},
		{POST, "/documents/:document/facts", act, auth.RevealFacts, limitForm, h.showFacts},
		{POST, "/documents/:document/look", pulse, auth.ViewDocuments, limitForm, h.lookAtDocument},

		{GET, "/insights", page, auth.ViewInsights, limitNone, h.showInsights},
		{GET, "/insights/week", page, auth.ViewInsights, limitNone, h.showWeek},

		{GET, "/people", page, auth.AdministerPeople, limitNone, h.listPeople},
		{GET, "/people/new", page, auth.AdministerPeople, limitNone, h.newPerson},
		{POST, "/people", act, auth.AdministerPeople, limitForm, h.createPerson},
		{GET, "/people/:person", page, auth.AdministerPeople, limitNone, h.showPerson},
		{POST, "/people/:person", act, auth.AdministerPeople, limitForm, h.updatePerson},
		{POST, "/people/:person/disable", act, auth.AdministerPeople, limitForm, h.disablePerson},
		{POST, "/people/:person/enable", act, auth.AdministerPeople, limitForm, h.enablePerson},
		{POST, "/people/:person/password", act, auth.AdministerPeople, limitForm, h.resetPassword},

		{GET, "/me", page, auth.SignedIn, limitNone, h.showMe},
		{GET, "/me/password", page, auth.SignedIn, limitNone, h.showChangePassword},
		{POST, "/me/password", act, auth.SignedIn, limitForm, h.changePassword},
		{POST, "/me/sessions/end", act, auth.SignedIn, limitForm, h.endOtherSessions},
		{POST, "/me/sessions/:session/end", act, auth.SignedIn, limitForm, h.endSession},

		{GET, "/settings", page, auth.ChangeSettings, limitNone, h.showSettings},
		{POST, "/settings", act, auth.ChangeSettings, limitForm, h.changeSettings},
		{GET, "/settings/reasons/:code", page, auth.ChangeSettings, limitNone, h.showReason},
		{POST, "/settings/reasons/:code", act, auth.ChangeSettings, limitForm, h.changeReason},

		{GET, "/audit", page, auth.ReadAudit, limitNone, h.showAudit},
		{GET, "/audit.csv", file, auth.ReadAudit, limitNone, h.exportAudit},

		{GET, "/health", page, auth.ViewHealth, limitNone, h.showHealth},
		{GET, "/differences", page, auth.ViewHealth, limitNone, h.showDifferences},
		{POST, "/differences", act, auth.RegisterMerchant, limitForm, h.askAllStatuses},
		{POST, "/merchants/:merchant/status", act, auth.RegisterMerchant, limitForm, h.askStatus},
		{POST, "/merchants/:merchant/hold", act, auth.HoldMerchants, limitForm, h.holdMerchant},
		{POST, "/health/retry", act, auth.RetryDeliveries, limitForm, h.retryAll},

		{POST, callbackPath + ":callback", plain, auth.Public, limitCallback, h.takeCallback},

		{GET, "/_gallery", page, auth.Public, limitNone, h.showGallery},
		{GET, "/_gallery/:sample", page, auth.Public, limitNone, h.showGalleryPage},
		{GET, "/static/*", plain, auth.Public, limitNone, echo.WrapHandler(static.Handler())},
		{GET, "/healthz", plain, auth.Public, limitNone, h.healthz},
		{GET, "/readyz", plain, auth.Public, limitNone, h.readyz},
	}
}
