package models

import "strconv"

// ActorKind says who changes something.
type ActorKind string

const (
	ActorUser      ActorKind = "user"
	ActorCLI       ActorKind = "cli"
	ActorSystem    ActorKind = "system"
	ActorDOKU      ActorKind = "doku"
	ActorAnonymous ActorKind = "anonymous"
)

// Role is what a person may do; the permission table in internal/auth spells it out.
type Role string

const (
	RoleStaff    Role = "staff"
	RoleReviewer Role = "reviewer"
	RoleManager  Role = "manager"
	RoleAdmin    Role = "admin"
)

// Roles are all roles, in the order they are offered.
var Roles = []Role{RoleStaff, RoleReviewer, RoleManager, RoleAdmin}

// Actor is who acts; every write names one.
type Actor struct {
	Kind      ActorKind
	Person    PersonID // with ActorUser
	Role      Role
	Team      string
	RequestID string
}

var (
	System    = Actor{Kind: ActorSystem}
	CLI       = Actor{Kind: ActorCLI}
	DOKU      = Actor{Kind: ActorDOKU}
	Anonymous = Actor{Kind: ActorAnonymous}
)

// The ids of the tables, so that one cannot be taken for another.
type (
	PersonID         int64
	SessionID        int64
	MerchantID       int64
	SlotID           int64
	DocumentID       int64
	CombinationID    int64
	RequirementSetID int64
	RequirementID    int64
	DecisionID       int64
	LookID           int64
	BundleID         int64
)

func (id MerchantID) String() string { return strconv.FormatInt(int64(id), 10) }
func (id PersonID) String() string   { return strconv.FormatInt(int64(id), 10) }
func (id DocumentID) String() string { return strconv.FormatInt(int64(id), 10) }
