// Package pg owns the road to PostgreSQL: the server that Berkas runs for itself when nobody configured one, the pool
// with GORM on top of it, and the migrations.
//
// It knows nothing of the tables: models owns those, and migrations their SQL. It reads no environment; what it needs
// comes as options. No parameter value of a statement ever reaches a log from here.
//
// Every error is a [fault.Error] whose Err is one sentence for the person at the terminal; its code is one of the Code
// constants.
package pg
