// Package jobs owns the River side of what happens later: the arguments (ids only), workers of one call each, what their
// outcomes mean to the queue, and the schedule of what comes round by itself. Every rule is onboarding's.
package jobs
