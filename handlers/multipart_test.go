package handlers

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"berkas/internal/fault"
)

// Whatever is sent, reading it ends, refuses with a fault, and hands on nothing the database cannot hold.
func FuzzReadUpload(f *testing.F) {
	whole := "--x\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\nDOCUMENT\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n\xff\xd8\xff\r\n--x--\r\n"
	for _, seed := range []string{
		whole, whole[:len(whole)-3], whole[:80], "", "--x--", "--x--\r\n", "--x\r\n\r\n\r\n--x--\r\n", "--x\r\n",
		strings.Replace(whole, "category", "form_NO_KTP", 1), strings.Replace(whole, "category", "file_url", 1), strings.Replace(whole, "category", "slot", 1),
		strings.Replace(whole, "DOCUMENT", "a\x00b", 1), strings.Replace(whole, "DOCUMENT", "\xff", 1), strings.Replace(whole, "a.jpg", "\\\"../\u202e", 1),
		strings.Replace(whole, "--x--", "--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\nKTP\r\n--x--", 1),
		strings.Replace(whole, "filename=\"a.jpg\"", "filename*=UTF-8''%ff%00.jpg", 1), strings.Replace(whole, "form-data", "attachment", 1),
		strings.Replace(whole, "\r\n\r\nDOC", "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=00", 1),
	} {
		f.Add(seed, "multipart/form-data; boundary=x")
		f.Add(seed, "application/x-www-form-urlencoded")
	}
	f.Add("category=%00&code=%ff", "application/x-www-form-urlencoded")
	f.Add("--\xff", "multipart/form-data; boundary=\"\xff\"")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		in, err := readUpload(r, 1)
		if err == nil && in.Body != nil {
			_, err = io.Copy(io.Discard, in.Body)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%v is no refusal", err)
		}
		texts := []string{in.Category, in.Code, in.FileURL}
		for name, value := range in.Fields {
			texts = append(texts, name, value)
		}
		for _, text := range texts {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Errorf("%q is handed on", text)
			}
		}
		if in.FileURL != "" && in.Body != nil {
			t.Error("a file and an address")
		}
	})
}
