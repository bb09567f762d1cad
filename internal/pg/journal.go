package pg

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
)

const journalLimit = 5 << 20 // bytes; a larger journal is put aside as .1 at the next start

// journal is the server's log file, and where in it this run began.
type journal struct {
	*os.File
	begin int64
}

func openJournal(path string) (*journal, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > journalLimit {
		err = os.Rename(path, path+".1")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	begin, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &journal{f, begin}, nil
}

var fatalLine = regexp.MustCompile(`(?m)(?:FATAL|PANIC):\s+(.+)$`)

// reason is why this run ended: the server's last words.
func (j *journal) reason() error {
	why := "it gave no reason"
	b, err := io.ReadAll(io.NewSectionReader(j, j.begin, 1<<20))
	if m := fatalLine.FindAllSubmatch(b, -1); err == nil && len(m) > 0 {
		why = string(m[len(m)-1][1])
	}
	code := CodeStart
	if full(errors.New(why)) {
		code = CodeDiskFull
	}
	return sentence(code, "PostgreSQL did not start: %s (its log is %s)", why, j.Name())
}
