package onboarding_test

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"berkas/doku"
	"berkas/models"
	"berkas/onboarding"
)

// remains says where something of these bytes is left: in the files, or in any row of the database.
func (b *bundle) remains(secrets map[string][]byte) (found []string) {
	b.Helper()
	b.must(filepath.WalkDir(b.blobDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for name, secret := range secrets {
			if bytes.Contains(content, secret) || filepath.Base(path) == string(secret) {
				found = append(found, name+" in a file")
			}
		}
		return err
	}))
	tables, err := b.db.Pool.Query(b.ctx(), "select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'")
	b.must(err)
	var names []string
	for tables.Next() {
		var name string
		b.must(tables.Scan(&name))
		names = append(names, name)
	}
	for _, table := range names {
		for name, secret := range secrets {
			if b.count(`select count(*) from "`+table+`" r where r::text like '%' || $1 || '%' or r::text like '%' || $2 || '%'`, hex.EncodeToString(secret), textOf(secret)) > 0 {
				found = append(found, name+" in "+table)
			}
		}
	}
	return found
}

// textOf is what of some bytes is plain text, so that a column of text may hold it; else something that nothing holds.
func textOf(secret []byte) string {
	for _, c := range secret {
		if c <= ' ' || c > '~' {
			return "nothing holds this"
		}
	}
	return string(secret)
}

// Retention lets an original go once its document was read at DOKU: no byte of it and no key to it remain, and it opens through
// DOKU.
func TestOriginalsGoOnceDOKUWasSeenToHaveThem(t *testing.T) {
	b := setup(t)
	b.Retention = onboarding.Retention{Purge: true, After: 30 * 24 * time.Hour}
	m, docs := b.registered()
	unattached := b.deliver(ktp(b.merchant(), photo("unattached")))
	secrets := map[string][]byte{}
	for i, id := range docs {
		d := b.doc(id)
		sealed, _, err := b.store.Thumbnail(b.ctx(), id)
		b.must(err)
		content, _, err := b.read(id)
		b.must(err)
		n := string(rune('0' + i))
		secrets["reference "+n], secrets["key "+n], secrets["thumbnail "+n], secrets["content "+n] = []byte(d.BlobRef), d.DataKey, sealed, content[:200]
	}
	if found := b.remains(secrets); len(found) < 3*len(docs) {
		t.Fatalf("the search finds too little: %v", found)
	}
	b.clock.Advance(time.Hour)
	b.must(b.Tidy(b.ctx())) // reads them at DOKU
	for _, id := range docs {
		if d := b.doc(id); d.ReadBackAt == nil || d.PurgedAt != nil {
			t.Errorf("read back %v, purged %v", d.ReadBackAt, d.PurgedAt)
		}
	}
	b.must(b.Hold(b.ctx(), b.staff, m, true))
	b.clock.Advance(31 * 24 * time.Hour)
	b.must(b.Tidy(b.ctx()))
	if n := b.count("select count(*) from documents where purged_at is not null"); n != 0 {
		t.Errorf("%d went in spite of the hold", n)
	}
	b.wants(b.Hold(b.ctx(), b.staff, m, true), "conflict")
	b.must(b.Hold(b.ctx(), b.staff, m, false))
	b.evidence(m, b.staff)
	b.must(b.Tidy(b.ctx()))
	if n := b.count("select count(*) from bundles where blob_ref <> '' or data_key is not null"); n != 0 {
		t.Errorf("%d bundles still hold copies", n)
	}
	if found := b.remains(secrets); len(found) != 0 {
		t.Errorf("%v", found)
	}
	if n := b.count("select count(*) from documents where purged_at is not null"); n != len(docs) || b.doc(unattached).PurgedAt != nil || len(b.blobs()) != 1 {
		t.Errorf("%d went", n)
	}
	if n := b.count("select count(*) from audit where action = 'document.purged'"); n != len(docs) {
		t.Errorf("%d in the trail", n)
	}
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromDOKU)
	if _, err := b.OpenThumbnail(b.ctx(), docs[0]); err == nil {
		t.Error("a thumbnail is left")
	}
	if r, err := b.CheckBlobs(b.ctx(), func(f onboarding.BlobFlaw) error { t.Errorf("%+v", f); return nil }); err != nil || r.Originals != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// Documents of a business that DOKU rejected open through it although their originals are gone, before the dossier is open again
// and after.
func TestPurgedDocumentsOfARejectedBusinessOpen(t *testing.T) {
	b := setup(t)
	b.Retention = onboarding.Retention{Purge: true}
	m, docs := b.registered()
	b.clock.Advance(time.Hour)
	b.must(b.Tidy(b.ctx()))
	if n := b.count("select count(*) from documents where purged_at is not null"); n != len(docs) {
		t.Fatalf("%d went", n)
	}
	first := *b.get(m).SubmissionID
	b.says(m, "REJECTED", "", "Foto KTP buram")
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	slot := b.row(m, doku.CategoryDocument, doku.CodeKTP).ID
	for _, mend := range []bool{false, true} {
		if mend {
			b.must(b.Mend(b.ctx(), b.staff, onboarding.MendInput{Submission: first, Reasons: map[models.SlotID][]string{slot: {"image_blurry"}}}))
		}
		b.clock.Advance(2 * time.Hour)
		for i, seed := range []string{"ktp", "PHOTO_PROOF", "OWNER_LIVENESS"} {
			b.wantsBytes(docs[i], photo(seed), onboarding.FromDOKU)
		}
	}
}

// What DOKU does not show, or shows differently, keeps its original.
func TestOriginalsStayWhileSomethingDiffers(t *testing.T) {
	b := setup(t)
	b.Retention = onboarding.Retention{Purge: true}
	m, docs := b.registered()
	b.clock.Advance(time.Hour)
	for _, id := range docs {
		_, _, err := b.read(id)
		b.must(err)
		b.must(b.store.Keep().ReadBack(b.ctx(), id))
	}
	b.exec(`update attachments set place = place || '.elsewhere' where document_id = $1`, docs[1])
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	p, err := b.store.Poll(b.ctx(), m)
	if err != nil || len(p.Differences) != 1 || p.Differences[0] != (models.Difference{Code: "not_shown", Document: docs[1]}) {
		t.Fatalf("%+v %v", p.Differences, err)
	}
	b.must(b.Tidy(b.ctx()))
	if n := b.count("select count(*) from documents where purged_at is not null"); n != 0 || b.sim.Requests()[doku.CallData] == 0 {
		t.Errorf("%d went", n)
	}
}
