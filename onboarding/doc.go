// Package onboarding is the business: every rule and every step from a merchant's first line to its documents at DOKU.
//
// It owns merchants and what is asked of them, the acceptance of files, their way to DOKU and back, completeness, and
// the work that comes round by itself. It knows no web page, no route, no queue (only the Queue it defines) and no SQL:
// it reads through models.Reader and changes through models.Store.Write.
package onboarding
