// Package models owns the tables, the named queries (Reader) and the one door for writes (Store.Write).
//
// A business change is possible only on a Tx, which Store.Write hands out together with an actor and which does not
// commit without an audit row. Housekeeping goes through the closed list of Keep. *gorm.DB never leaves the package;
// it knows no rule of the business, no DOKU, no queue and no web.
package models
