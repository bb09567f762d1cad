package pg

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"berkas/internal/fault"
)

// The codes of this package's faults. All of them are of kind Unavailable, and each carries its sentence in Err.
const (
	CodeNoPrograms  = "pg_no_programs" // no supported PostgreSQL server programs on this machine
	CodeOtherMajor  = "pg_other_major" // the data directory belongs to a major version that is not installed
	CodeInUse       = "pg_in_use"      // another Berkas runs on the data directory
	CodeDataDir     = "pg_data_dir"    // the data directory cannot be used: permissions, ownership
	CodeDiskFull    = "pg_disk_full"   // no room left
	CodeStart       = "pg_start"       // the server programs failed
	CodeUnreachable = "pg_unreachable" // the database does not answer, or refuses us
	CodeBadDSN      = "pg_bad_dsn"     // the connection string cannot be understood
	CodeMigration   = "pg_migration"   // a migration file failed, or the files are not in order
	CodeChanged     = "pg_changed"     // an applied migration file is not the one that was applied
	CodeNewer       = "pg_newer"       // the database is newer than this program
	CodePending     = "pg_pending"     // the database lacks migrations of this program
	CodeNoRole      = "pg_no_role"     // the program's role does not exist
)

// sentence makes a fault whose Err is one sentence; %w keeps a cause reachable.
func sentence(code, format string, args ...any) error {
	return fault.Wrap(fmt.Errorf(format, args...), fault.Unavailable, code)
}

// dirFault tells what is wrong with a directory of ours: full, or not to be written.
func dirFault(dir string, err error) error {
	if full(err) {
		return sentence(CodeDiskFull, "the disk that holds %s is full: %w", dir, err)
	}
	return sentence(CodeDataDir, "cannot use the data directory %s: %w", dir, err)
}

func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || strings.Contains(err.Error(), "No space left on device")
}
