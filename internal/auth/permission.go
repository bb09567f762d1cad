package auth

import (
	"slices"

	"berkas/models"
)

// Permission is what a route asks of whoever calls it.
type Permission string

const (
	Public           Permission = "public"    // anyone, signed in or not
	SignedIn         Permission = "signed in" // any person
	ViewMerchants    Permission = "view merchants"
	EditMerchants    Permission = "edit merchants"
	AssignMerchants  Permission = "assign merchants"
	ExportMerchants  Permission = "export merchants"
	ShareViews       Permission = "share views"
	MessageMerchants Permission = "message merchants"
	CommentMerchants Permission = "comment merchants"
	UploadDocuments  Permission = "upload documents"
	ViewDocuments    Permission = "view documents"
	DecideDocuments  Permission = "decide documents"
	RevealFacts      Permission = "reveal facts" // personal numbers in clear, beside a document
	AdministerPeople Permission = "administer people"
	ReadAudit        Permission = "read audit"
	TakeEvidence     Permission = "take evidence"
	ChangeSettings   Permission = "change settings"
	ViewInsights     Permission = "view insights" // the whole portfolio, and how much each colleague gets done
	ViewHealth       Permission = "view health"
	RetryDeliveries  Permission = "retry deliveries"
	RegisterMerchant Permission = "register merchant" // at DOKU, and say what came of it
	HoldMerchants    Permission = "hold merchants"    // keep their originals whatever retention says
	RevealKeys       Permission = "reveal keys"       // the shared key DOKU gave a merchant
)

// holders is the permission table: who may what.
var holders = map[Permission][]models.Role{
	SignedIn:         models.Roles,
	ViewMerchants:    models.Roles,
	ViewDocuments:    models.Roles,
	EditMerchants:    {models.RoleStaff},
	MessageMerchants: {models.RoleStaff},
	CommentMerchants: {models.RoleStaff, models.RoleReviewer, models.RoleManager},
	UploadDocuments:  {models.RoleStaff},
	DecideDocuments:  {models.RoleReviewer},
	RevealFacts:      {models.RoleStaff, models.RoleReviewer},
	AssignMerchants:  {models.RoleStaff, models.RoleManager},
	ExportMerchants:  {models.RoleManager, models.RoleAdmin},
	ShareViews:       {models.RoleManager},
	AdministerPeople: {models.RoleAdmin},
	ReadAudit:        {models.RoleAdmin},
	TakeEvidence:     {models.RoleReviewer, models.RoleManager, models.RoleAdmin},
	ChangeSettings:   {models.RoleAdmin},
	ViewInsights:     {models.RoleManager, models.RoleAdmin},
	ViewHealth:       {models.RoleStaff, models.RoleManager, models.RoleAdmin},
	RetryDeliveries:  {models.RoleStaff, models.RoleAdmin},
	HoldMerchants:    {models.RoleManager, models.RoleAdmin},
	RegisterMerchant: {models.RoleStaff, models.RoleManager},
	RevealKeys:       {models.RoleAdmin},
}

// Can reports whether an actor may do something. Only people hold permissions; what is Public needs none.
func Can(a models.Actor, p Permission) bool {
	return p == Public || a.Kind == models.ActorUser && slices.Contains(holders[p], a.Role)
}
