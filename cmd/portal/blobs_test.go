package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"berkas/internal/pg"
)

func TestBlobsAreChecked(t *testing.T) {
	t.Parallel()
	e := home(t)
	p := start(t, e)
	v := staff(t, p)
	merchant := v.newMerchant(t, "Warung Utuh")
	for range 6 { // versions of one document: all are kept
		v.mustUpload(t, merchant, selfie, photo())
		v.delivered(t, merchant, selfie, settleTime)
	}
	whole := func() string { return ok(t, e, "", "blobs", "check") }
	if out := whole(); !strings.Contains(out, "originals   6 of ") || !strings.Contains(out, "thumbnails  6\n") {
		t.Errorf("whole bytes: %s", out)
	}
	refused(t, e, `"all" is one`, "blobs", "check", "all")
	p.stop(t, syscall.SIGTERM)
	whole()
	noneLeft(t, e)

	rows := documentRows(t, e, merchant)
	file := func(i int) string { return filepath.Join(e["DATA_DIR"], "blobs", rows[i].BlobRef) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sealed, err := os.ReadFile(file(1))
	must(err)
	stranger := filepath.Join(filepath.Dir(file(1)), filepath.Base(filepath.Dir(file(1)))+strings.Repeat("0", 30))
	must(os.WriteFile(stranger, sealed, 0o600)) // as young as one of an upload under way
	must(os.WriteFile(filepath.Join(e["DATA_DIR"], "blobs", "half", "1.part"), sealed, 0o600))
	whole()

	ago := time.Now().Add(-time.Hour)
	must(os.Chtimes(stranger, ago, ago))
	must(os.Remove(file(0)))
	sealed[len(sealed)/2] ^= 1
	must(os.WriteFile(file(1), sealed, 0o600))
	must(os.Truncate(file(2), 100))
	server, err := pg.Start(t.Context(), pg.Options{Dir: e["DATA_DIR"], Bin: os.Getenv("BERKAS_PG_BIN"), Mode: pg.Borrow})
	must(err)
	for i, change := range map[int]string{3: "sha256 = sha256('')", 4: "data_key = (select data_key from documents o where o.blob_ref = '" + rows[3].BlobRef + "')", 5: "thumbnail = thumbnail || 'x'"} {
		execute(t, server.OwnerDSN(), fmt.Sprintf("update documents set %s where blob_ref = '%s'", change, rows[i].BlobRef))
	}
	must(server.Close())
	damaged := func() {
		t.Helper()
		r := runProgram(t, e, "", "blobs", "check")
		if r.code != 1 || r.stderr != "portal: the stored files are not as they should be: 7 of them, named above\n" {
			t.Errorf("code %d, %q", r.code, r.stderr)
		}
		for _, says := range []string{
			"its bytes are missing: there is no " + rows[0].BlobRef, "its bytes were changed or cut off: " + rows[1].BlobRef, "its bytes were changed or cut off: " + rows[2].BlobRef,
			"their hash differs: " + rows[3].BlobRef, "with another ENCRYPTION_KEY: " + rows[4].BlobRef, "its thumbnail was changed",
			fmt.Sprintf("no row has these %d bytes, stored 20", len(sealed)),
		} {
			if strings.Count(r.stdout, says) != 1 {
				t.Errorf("it does not say %q once:\n%s", says, r.stdout)
			}
		}
	}
	damaged()
	noneLeft(t, e)
}
