package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func TestEvidenceIsChecked(t *testing.T) {
	t.Parallel()
	e := home(t).with("DEMO_MERCHANTS", "off")
	p := start(t, e)
	merchant := staff(t, p).newMerchant(t, "Warung Bukti")
	v := demoVisitor(t, p, "reviewer")
	v.must(t, "POST", merchant+"/evidence", url.Values{})
	var file string
	eventually(t, settleTime, "the bundle", func() bool {
		v.get(t, merchant+"/evidence").page().Find("a[download]").Each(func(_ int, a *goquery.Selection) { file, _ = a.Attr("href") })
		return file != ""
	})
	whole := v.get(t, file).body
	at := func(name string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bundle := at("evidence.zip", whole)
	elsewhere := env{} // nothing of the portal's: neither database nor key
	if out := ok(t, elsewhere, "", "audit", "proof", bundle); !strings.HasPrefix(out, "The bundle holds.\n") || found(t, sealedRows, out) == "0" || found(t, chain, out) == "" {
		t.Errorf("%s", out)
	}
	if out := ok(t, e, "", "audit", "verify", "--bundle", bundle); !strings.Contains(out, "The bundle of evidence holds: its ") || !strings.Contains(out, "The audit trail holds.\n") {
		t.Errorf("%s", out)
	}
	refused(t, elsewhere, "takes one file", "audit", "proof")
	refused(t, elsewhere, "no such file", "audit", "proof", bundle+"x")
	refused(t, elsewhere, "cannot be read", "audit", "proof", at("half.zip", whole[:len(whole)/2]))
	lied := at("lied.zip", rezip(t, whole, func(name string, content []byte) []byte {
		if name == "timeline.csv" {
			content = bytes.Replace(content, []byte("merchant.created"), []byte("merchant.archived"), 1)
		}
		return content
	}))
	refused(t, elsewhere, "timeline.csv, line 2 (row ", "audit", "proof", lied)
	refused(t, e, "does not say what the proved row says", "audit", "verify", "--bundle", lied)

	// Whoever leaves a row out everywhere is found out by the trail alone.
	less := at("less.zip", rezip(t, whole, func(name string, content []byte) []byte {
		lines := bytes.SplitAfter(content, []byte("\n"))
		switch name {
		case "timeline.csv":
			content = bytes.Join(append(lines[:1:1], lines[2:]...), nil)
		case "proof.jsonl":
			content = bytes.Join(lines[1:], nil)
		}
		return content
	}))
	ok(t, elsewhere, "", "audit", "proof", less)
	refused(t, e, "is not whole", "audit", "verify", "--bundle", less)
	other := home(t).with("DEMO_MERCHANTS", "off")
	q := start(t, other)
	staff(t, q).newMerchant(t, "Warung Lain")
	eventually(t, settleTime, "all is sealed", func() bool { return strings.Contains(ok(t, other, "", "audit", "verify"), "not sealed   0\n") })
	refused(t, other, "is not of this audit trail", "audit", "verify", "--bundle", bundle)
}

// rezip is a ZIP with other contents, and with hashes made anew.
func rezip(t *testing.T, whole []byte, change func(name string, content []byte) []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var out, sums bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, f := range in.File {
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		if content = change(f.Name, content); f.Name == "SHA256SUMS" {
			content = sums.Bytes()
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), f.Name)
		w, err := archive.Create(f.Name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
