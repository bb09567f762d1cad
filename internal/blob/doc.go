// Package blob owns the encrypted originals: it streams bytes into a backend and back out, each file under a random key
// of its own (AES-256-GCM-HKDF in authenticated segments), wrapped by the vault.
//
// Nothing clear ever reaches a backend, and a reference says nothing about what it holds. The package knows no document
// and no merchant: which reference and which wrapped key belong to what is kept by its caller.
package blob
