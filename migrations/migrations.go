// Package migrations holds the schema as numbered SQL, forward only. A file that was applied is never changed.
package migrations

import "embed"

//go:embed *.sql
var FS embed.FS
