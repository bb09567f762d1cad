// Package handlers is the web: the route table, the middleware, reading forms, and turning models into view structs.
//
// A handler reads a screen's rows from models.Reader and changes things only through onboarding and internal/auth. It
// decides no rule: what may be done is the route table's permission column, what can be done is onboarding's.
package handlers
