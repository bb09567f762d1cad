// Package vault owns the program's keys: it derives them from one master key and encrypts columns, wraps the data keys
// of files and makes keyed hashes with them.
//
// It stores nothing, knows no table and no file, and never hands out the master key. Everything sealed is bound to a
// context (which row, which file), so that a value copied to another place does not open there.
package vault
