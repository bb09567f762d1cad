// Package fault is the vocabulary of errors every layer speaks.
//
// A fault carries a code and parameters; the sentence a person reads is made from them where it is shown
// (internal/words). What lies in Err is for the log and is never shown.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of refusal a fault is; handlers derive the HTTP status from it.
type Kind int

const (
	Internal        Kind = iota // 500: ours to mend
	Invalid                     // 422: the input is wrong, the fault says how
	Unauthenticated             // 401
	Forbidden                   // 403
	NotFound                    // 404
	Conflict                    // 409: the world moved on
	TooLarge                    // 413: above the route's body limit
	RateLimited                 // 429, with RetryAfter
	Unavailable                 // 503: a part we need does not answer
)

var names = [...]string{"internal", "invalid", "unauthenticated", "forbidden", "not_found", "conflict", "too_large", "rate_limited", "unavailable"}

func (k Kind) String() string { return names[k] }

// Params fill the placeholders of a code's sentence. They are safe to show.
type Params map[string]any

// Field is one form field that was refused.
type Field struct {
	Name   string // the form field's name
	Code   string
	Params Params
}

// Error is a fault. Code and Params are safe to show, Err never is.
type Error struct {
	Kind       Kind
	Code       string
	Params     Params
	Fields     []Field
	RetryAfter time.Duration // only with RateLimited and Unavailable
	Err        error
}

func (e *Error) Error() string {
	s := e.Kind.String() + ": " + e.Code
	if len(e.Fields) > 0 {
		s += fmt.Sprintf(" %v", e.Fields)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// New makes a fault from a kind, a code and parameter pairs: New(Invalid, "file_too_large", "max", 15_000_000).
func New(kind Kind, code string, pairs ...any) *Error {
	return &Error{Kind: kind, Code: code, Params: Pairs(pairs...)}
}

// Wrap is New with the cause for the log.
func Wrap(err error, kind Kind, code string, pairs ...any) *Error {
	return &Error{Kind: kind, Code: code, Params: Pairs(pairs...), Err: err}
}

// Refused is the fault of a form of which some fields were refused; nil when there are none.
func Refused(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Code: "form_invalid", Fields: fields}
}

// Pairs makes Params from key, value, key, value.
func Pairs(pairs ...any) Params {
	if len(pairs) == 0 {
		return nil
	}
	p := make(Params, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		p[pairs[i].(string)] = pairs[i+1]
	}
	return p
}

// As returns the fault within err, or an Internal one around it. As(nil) is nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return Wrap(err, Internal, "internal")
}

// Is reports whether err is a fault of this kind.
func Is(err error, kind Kind) bool {
	f, ok := errors.AsType[*Error](err)
	return ok && f.Kind == kind
}

// Code is the code of the fault within err, or "".
func Code(err error) string {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Code
	}
	return ""
}
