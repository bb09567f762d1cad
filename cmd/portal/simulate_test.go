package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"berkas/doku"
)

// The simulator alone serves anyone's client, and forgets nothing when it is started again.
func TestSimulateAlone(t *testing.T) {
	t.Parallel()
	e := home(t).with("SIMULATOR_ADDR", freePort(t), "SIMULATOR_CONTROL", "on", "SIMULATOR_CLIENT_ID", "BRN-TRY", "SIMULATOR_SECRET_KEY", "SK-try")
	p := start(t, e, "simulate")
	if !strings.Contains(p.stdout.String(), "client id BRN-TRY") {
		t.Error("it does not say for which client")
	}
	client := dokuClient(t, p.url, "SK-try")
	content := photo()
	sent := doku.Upload{Category: doku.CategoryDocument, Code: "KTP", FileName: "ktp.jpg", ContentType: "image/jpeg", Size: int64(len(content)), Body: bytes.NewReader(content)}
	file, err := client.UploadFile(t.Context(), sent)
	if err != nil {
		t.Fatal(err)
	}
	fetch := func() ([]byte, error) {
		link, err := client.OpenLink(context.WithoutCancel(t.Context()), file.Link)
		if err != nil {
			return nil, err
		}
		defer link.Close()
		return io.ReadAll(link)
	}
	if got, err := fetch(); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the link brings %d bytes: %v", len(got), err)
	}
	p.stop(t, syscall.SIGINT)
	p = start(t, e, "simulate")
	if got, err := fetch(); err != nil || !bytes.Equal(got, content) {
		t.Errorf("after a restart the link brings %d bytes: %v", len(got), err)
	}
	moveClock(t, p.url, "61m")
	var expired *doku.LinkError
	if _, err := fetch(); !errors.As(err, &expired) || !expired.Expired() {
		t.Errorf("an hour later the link says %v", err)
	}
	sent.Body = bytes.NewReader(content)
	var refusal *doku.Error
	if _, err := dokuClient(t, p.url, "SK-wrong").UploadFile(t.Context(), sent); !errors.As(err, &refusal) || refusal.Status != http.StatusUnauthorized {
		t.Errorf("a wrong secret is answered %v", err)
	}
}

func dokuClient(t *testing.T, base, secret string) *doku.Client {
	t.Helper()
	c, err := doku.New(doku.Options{BaseURL: base, SimulatorLinks: base, ClientID: "BRN-TRY", SecretKey: secret})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// moveClock moves a simulator's clock.
func moveClock(t *testing.T, base, by string) {
	t.Helper()
	a, err := newVisitor(base).send("PUT", "/_simulator/clock", "application/json", strings.NewReader(`{"advance":"`+by+`"}`))
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("the clock was answered %d: %v %s", a.status, err, a.body)
	}
}

// An hour later DOKU's link is dead, and the document opens still.
func TestAnHourLater(t *testing.T) {
	t.Parallel()
	p := start(t, home(t).with("SIMULATOR_CONTROL", "on"))
	v := staff(t, p)
	merchant, content := v.newMerchant(t, "Warung Satu Jam"), photo()
	v.mustUpload(t, merchant, ktp, content, "form_NO_KTP", nik)
	document := v.delivered(t, merchant, ktp, settleTime)
	opens(t, v, document, content, "doku")
	moveClock(t, p.url, "61m")
	opens(t, v, document, content, "original")
	if a := v.get(t, document); a.status != http.StatusOK || bytes.Contains(a.body, []byte("/sim/")) {
		t.Errorf("the document's page was answered %d, or shows DOKU's link", a.status)
	}
	if a := newVisitor(p.url).get(t, document+"/file"); a.status != http.StatusUnauthorized {
		t.Errorf("without a session the bytes are answered %d", a.status)
	}
}
