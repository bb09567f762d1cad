// Package report draws what is taken away on paper: a timeline as PDF. Whoever calls it brings the sentences, already in the
// reader's language. It knows nothing of ours.
package report
