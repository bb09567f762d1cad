package dokusim_test

import (
	"bytes"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
)

func in(dir string) func(*dokusim.Options) {
	return func(o *dokusim.Options) { o.Dir, o.Key = dir, key }
}

// killed copies a folder as a killed process would leave it: nothing was closed.
func killed(t *testing.T, dir string) string {
	t.Helper()
	left := t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return left
}

func TestNothingIsForgottenByAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := setup(t, in(dir))
	body := marshal(before.registration())
	business, err := before.client.RegisterBusiness(ctx(), "same", body)
	if err != nil {
		t.Fatal(err)
	}
	logo := before.upload(doku.CategoryLogo, "", picture("logo"))
	before.sim.SetStatus(business.ID, dokusim.Status{Status: "ACTIVE"})
	before.sim.Advance(30 * time.Minute)
	before.sim.SetRequirements(personal, []byte(`{"business":{"x":{"code":"LOGO","extensions":["JPG"]}}}`))
	token := before.token()

	after := setup(t, in(killed(t, dir)))
	if again, err := after.client.RegisterBusiness(ctx(), "same", body); err != nil || again.ID != business.ID {
		t.Errorf("%+v, %v", again, err)
	}
	d, err := after.client.GetBusiness(ctx(), business.Brands[0].ID, personal)
	if err != nil || d.Status != "ACTIVE" || len(d.Attachments) != 3 {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, a := range d.Attachments {
		if _, code := after.open(a.Link); code != 200 {
			t.Errorf("%+v: %d", a, code)
		}
	}
	old := after.server.URL + strings.TrimPrefix(logo.Link, before.server.URL)
	if content, code := after.open(old); code != 200 || !bytes.Equal(content, picture("logo")) {
		t.Errorf("a link from before: %d", code)
	}
	if got, err := after.client.CheckRequirements(ctx(), personal); err != nil || len(got.Items) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if !after.sim.Now().Equal(start.Add(30 * time.Minute)) {
		t.Errorf("the clock: %s", after.sim.Now())
	}
	req := httptest.NewRequest("POST", doku.Prefix+"/file", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	if after.sim.ServeHTTP(w, req); w.Code != 415 {
		t.Errorf("a token from before: %d", w.Code)
	}
	for _, f := range before.sim.Files() {
		if f.ID == after.upload(doku.CategoryLogo, "", picture("new")).ID {
			t.Errorf("%s was given again", f.ID)
		}
	}
}

func TestNothingIsStoredInClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, in(dir))
	marker := "find-me-on-the-disk"
	b.upload(doku.CategoryLogo, "", picture(strings.Repeat(marker, 10_000)))
	b.register()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, clear := range []string{marker, "\xff\xd8\xff\xdb", "3201234567890123", "Budi", "PRIVATE", "shared_key"} {
			if bytes.Contains(raw, []byte(clear)) {
				t.Errorf("%s holds %q", d.Name(), clear)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func reopen(dir string, key []byte) (*dokusim.Simulator, error) {
	return dokusim.New(dokusim.Options{Partners: []dokusim.Partner{us}, Dir: dir, Key: key})
}

func TestAFolderIsOpenedWithItsKeyByOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, in(dir))
	b.upload(doku.CategoryLogo, "", picture(""))
	if s, err := reopen(dir, key); err == nil || !strings.Contains(err.Error(), "in use") {
		s.Close()
		t.Errorf("a second simulator: %v", err)
	}
	left := killed(t, dir)
	if s, err := reopen(left, bytes.Repeat([]byte{8}, 32)); err == nil {
		s.Close()
		t.Error("the wrong key opened it")
	}
	s, err := reopen(left, key)
	if err != nil {
		t.Fatalf("trying the wrong key cost the data: %v", err)
	}
	defer s.Close()
	if len(s.Files()) != 1 {
		t.Errorf("%+v", s.Files())
	}
}

func TestUnfinishedWritesAreCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, in(dir))
	for _, own := range []string{"1", "2", "3"} {
		b.upload(doku.CategoryLogo, "", picture(own))
	}
	whole, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		journal []byte
		files   int // -1: refused
	}{
		"a torn last change":   {whole[:len(whole)-1], 2},
		"half a length":        {append(bytes.Clone(whole), 0, 0), 3},
		"a long way to go":     {append(bytes.Clone(whole), 0, 0, 9, 9, 1, 2, 3), 3},
		"zeros after a crash":  {append(bytes.Clone(whole), make([]byte, 4096)...), 3},
		"damage in the middle": {flip(whole, len(whole)/2), -1},
		"damage at the start":  {flip(whole, 20), -1},
	} {
		left := killed(t, dir)
		os.WriteFile(filepath.Join(left, "journal"), c.journal, 0o600)
		os.WriteFile(filepath.Join(left, "files", "1.part"), []byte("unfinished"), 0o600)
		s, err := reopen(left, key)
		if c.files < 0 {
			if err == nil {
				t.Errorf("%s was opened", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		stored, _ := os.ReadDir(filepath.Join(left, "files"))
		if len(s.Files()) != c.files || len(stored) != c.files {
			t.Errorf("%s: %d files, %d stored", name, len(s.Files()), len(stored))
		}
		s.Close()
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestDamagedFilesAreNotServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, in(dir))
	f := b.upload(doku.CategoryLogo, "", picture(strings.Repeat("x", 200_000)))
	path := filepath.Join(dir, "files", f.ID)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"a bit": flip(raw, len(raw)-5), "a chunk less": raw[:len(raw)-70_000],
		"chunks swapped": append(append(bytes.Clone(raw[:32]), raw[32+65552:32+2*65552]...), raw[32:]...),
	} {
		os.WriteFile(path, damaged, 0o600)
		body, err := b.client.OpenLink(ctx(), f.Link)
		if err != nil {
			continue
		}
		var all bytes.Buffer
		if _, err := all.ReadFrom(body); err == nil {
			t.Errorf("%s: %d bytes were served", name, all.Len())
		}
		body.Close()
	}
}

func TestTheJournalDoesNotGrowForEver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, in(dir))
	business := b.register()
	for i := range 300 {
		b.sim.SetStatus(business.ID, dokusim.Status{Status: []string{"ACTIVE", "UPDATING"}[i%2], RejectionReason: strings.Repeat("x", i)})
	}
	left := killed(t, dir)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(left, "journal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	grown := size()
	for range 2 { // written anew, then read from that
		s, err := reopen(left, key)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Businesses(); len(got) != 1 || got[0].Status != "UPDATING" || len(got[0].RejectionReason) != 299 || len(s.Files()) != 3 {
			t.Errorf("%+v", got)
		}
		s.Close()
	}
	if size() > grown/10 {
		t.Errorf("%d bytes became %d", grown, size())
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, in(dir))
	b.register()
	token := b.token()
	if err := b.sim.Forget(); err != nil {
		t.Fatal(err)
	}
	stored, _ := os.ReadDir(filepath.Join(dir, "files"))
	if len(b.sim.Files())+len(b.sim.Businesses())+len(stored)+len(b.sim.Requests()) != 0 {
		t.Errorf("%v %v %v", b.sim.Files(), b.sim.Businesses(), stored)
	}
	b.upload(doku.CategoryLogo, "", picture(""))
	if token == "" || b.sim.Requests()[doku.CallToken] != 0 {
		t.Error("the client's token must still be good")
	}
	s, err := reopen(killed(t, dir), key)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.Files()) != 1 {
		t.Errorf("%v", s.Files())
	}
}
