// Package doku is a typed client for DOKU's Partner API: the calls by which a partner asks which documents a business
// needs, uploads them, registers the business and reads how DOKU's verification stands.
//
// It owns the wire: the signature, the bearer token, the shapes of requests and answers, typed and redacted errors, and
// the rules under which a document's link may be followed. It knows nothing of merchants, databases or retries: it sends
// what it is given once (an upload once more after a refused token) and says what came back, so that its caller can
// decide. It uses the standard library only and must not import any other package of this module.
//
// DOKU's documentation is incomplete. Where this package rests on an assumption, the comment says so. Answers are decoded
// leniently: enumerations are open, ids are opaque, unknown fields are ignored, and an unknown status is never an approval.
//
// Nothing this package logs or puts into an error's text holds the secret key, a token, a link, a signature or a
// person's 16-digit number.
package doku
