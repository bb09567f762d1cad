// Package views draws the pages: templ components beside the small structs they draw.
//
// It owns markup, view structs and the builders of the portal's own URLs. It knows no table, no request and no rule:
// a view struct holds exactly what a page may show, every permission-dependent button was decided before, and each
// component renders without a database. Words come from internal/words by key; a handler hands over codes and
// parameters, never sentences.
package views
