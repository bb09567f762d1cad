package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"berkas/internal/testdb"
	"berkas/internal/words"
)

// A disk that is full refuses files clearly and keeps nothing of them, not the half of one on which it became full. With
// room again it goes on. The portal's files lie on a file system of 2 MB, which its process alone sees.
func TestTheDiskIsFull(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	dir := t.TempDir()
	e := onDatabase(t, db).with("BLOB_URL", "file://"+dir)
	args := []string{"--mount", "sh", "-c", `mount -t tmpfs -o size=2m tmpfs "$0" && exec "$1"`, dir, program}
	if os.Geteuid() != 0 {
		args = append([]string{"--map-root-user"}, args...)
	}
	p := &process{cmd: exec.Command("unshare", args...), ended: make(chan struct{})}
	if err := p.launchIn(filepath.Dir(program), e); err != nil {
		t.Fatal("this test needs unshare, of the package util-linux: ", err)
	}
	t.Cleanup(func() { p.stop(t, syscall.SIGTERM) })
	if err := p.up(startTime); err != nil {
		t.Fatal(err)
	}
	disk := fmt.Sprintf("/proc/%d/root%s", p.cmd.Process.Pid, dir) // as the process sees it
	id, en := speaking(t, p, words.ID), speaking(t, p, words.EN)
	merchant, content := id.newMerchant(t, "Warung Penuh"), photo()
	id.mustUpload(t, merchant, premise, content)
	document := id.delivered(t, merchant, premise, settleTime)
	rows, stored := len(documentRowsIn(t, db.DSN, merchant)), storedFiles(t, disk)
	if rows != 1 || len(stored) != 1 {
		t.Fatalf("there are %d rows and %q before anything happened", rows, stored)
	}

	for _, room := range []int{0, 300_000} { // the second is full only half-way through the file
		fill(t, disk, room)
		large := noise(t)
		for _, fragment := range []bool{false, true} {
			id.fragment = fragment
			a, err := id.upload(merchant, selfie, "photo.jpg", large)
			if err != nil || a.status != http.StatusServiceUnavailable || reason(a) != "storage_full" || !bytes.Contains(a.body, []byte(says(words.ID, "fault.storage_full"))) {
				t.Errorf("with %d bytes of room: %d %q %v\n%.1000s", room, a.status, reason(a), err, a.body)
			}
		}
		id.fragment = false
		if now := storedFiles(t, disk); strings.Join(now, " ") != strings.Join(stored, " ") {
			t.Errorf("with %d bytes of room something is left: %q", room, now)
		}
		if now := documentRowsIn(t, db.DSN, merchant); len(now) != rows {
			t.Errorf("with %d bytes of room there are %d rows", room, len(now))
		}
		opens(t, id, document, content, "doku")
		for _, path := range []string{"/", "/merchants", merchant} {
			if a := en.get(t, path); a.status != http.StatusOK {
				t.Errorf("on a full disk %s is answered %d", path, a.status)
			}
		}
	}
	fill(t, disk, 0)
	if a := newVisitor(p.url).get(t, "/readyz"); a.status != http.StatusServiceUnavailable {
		t.Errorf("with a full disk it says that it is ready: %d", a.status)
	}

	if err := os.Remove(filepath.Join(disk, filler)); err != nil {
		t.Fatal(err)
	}
	sent := photo()
	id.mustUpload(t, merchant, selfie, sent)
	opens(t, id, id.delivered(t, merchant, selfie, settleTime), sent, "doku")
	if a := newVisitor(p.url).get(t, "/readyz"); a.status != http.StatusOK {
		t.Errorf("with room again it says that it is not ready: %d", a.status)
	}
}

const filler = "filler"

// fill leaves so many bytes of room.
func fill(t *testing.T, disk string, room int) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, filler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var n int64
	for err == nil {
		var m int
		m, err = f.Write(make([]byte, 4096))
		n += int64(m)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Truncate(n - int64(room)); err != nil {
		t.Fatal(err)
	}
}

// storedFiles are the files on the disk, half-written ones too.
func storedFiles(t *testing.T, disk string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(disk, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != ".lock" && d.Name() != filler {
			list = append(list, strings.TrimPrefix(path, disk))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// noise is a picture that takes more room than there is.
func noise(t *testing.T) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 800, 800))
	_, _ = rand.Read(img.Pix)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil || b.Len() < 400_000 {
		t.Fatalf("%d bytes, %v", b.Len(), err)
	}
	return b.Bytes()
}
