package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"berkas/internal/testdb"
)

// A backup is taken in the README's order while people work: anchor, database, files. Restored elsewhere, with the key, it
// opens every document that the database knew, and its trail and its files are proved whole.
func TestABackupIsRestored(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	e := onDatabase(t, db)
	p := start(t, e)
	v := staff(t, p)
	merchant := v.newMerchant(t, "Warung Cadangan")
	kept := map[string][]byte{}
	for _, at := range []place{selfie, premise} {
		content := photo()
		v.mustUpload(t, merchant, at, content)
		kept[v.delivered(t, merchant, at, settleTime)] = content
	}
	anchorPath := filepath.Join(e["DATA_DIR"], anchorFile)
	eventually(t, startTime, "an anchor", func() bool { _, err := os.Stat(anchorPath); return err == nil })

	backup := t.TempDir()
	copied := func(from, to string) { run(t, "cp", "-a", from, to) }
	copied(anchorPath, backup)
	run(t, postgresProgram(t, "pg_dump"), "--format=custom", "--file", filepath.Join(backup, "berkas.dump"), "--dbname", db.OwnerDSN)
	v.mustUpload(t, merchant, selfie, photo()) // people go on: its bytes are in the backup, its row is not
	v.delivered(t, merchant, selfie, settleTime)
	copied(filepath.Join(e["DATA_DIR"], "blobs"), backup)
	p.stop(t, syscall.SIGTERM)

	other := testdb.CreateEmpty(t)
	run(t, postgresProgram(t, "pg_restore"), "--exit-on-error", "--no-owner", "--dbname", other.OwnerDSN, filepath.Join(backup, "berkas.dump"))
	elsewhere := onDatabase(t, other)
	if err := os.MkdirAll(elsewhere["DATA_DIR"], 0o700); err != nil {
		t.Fatal(err)
	}
	copied(filepath.Join(backup, "blobs"), elsewhere["DATA_DIR"])
	copied(filepath.Join(backup, anchorFile), elsewhere["DATA_DIR"])
	ok(t, elsewhere, "", "migrate")
	if out := ok(t, elsewhere, "", "audit", "verify"); !strings.Contains(out, "is in it\n") {
		t.Errorf("the restored trail is not held against its anchor:\n%s", out)
	}
	if out := ok(t, elsewhere, "", "blobs", "check"); !strings.Contains(out, "originals   2 of ") {
		t.Errorf("the restored files: %s", out)
	}
	v = staff(t, start(t, elsewhere))
	for document, content := range kept {
		opens(t, v, document, content, "original") // this simulator never saw them
	}
	content := photo()
	v.mustUpload(t, merchant, selfie, content)
	opens(t, v, v.delivered(t, merchant, selfie, settleTime), content, "doku")
	refused(t, elsewhere.with("DATA_DIR", filepath.Join(t.TempDir(), "no files")), "not as they should be: 3 of them", "blobs", "check")
}

// postgresProgram is a client program of PostgreSQL, which packages put beside the server's.
func postgresProgram(t *testing.T, name string) string {
	t.Helper()
	if dir := os.Getenv("BERKAS_PG_BIN"); dir != "" {
		return filepath.Join(dir, name)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal("this test needs PostgreSQL's client programs:", err)
	}
	return path
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, out)
	}
}
