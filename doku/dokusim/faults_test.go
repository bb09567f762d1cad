package dokusim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
)

func (b *bench) fault(f dokusim.Fault) {
	b.Helper()
	if err := b.sim.AddFault(f); err != nil {
		b.Fatal(err)
	}
}

func TestFaultsOfAnUpload(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault      dokusim.Fault
		status     int
		temporary  bool
		understood bool
		stored     int
	}{
		"status":                   {dokusim.Fault{Kind: dokusim.FaultStatus}, 503, true, true, 0},
		"status of one's choice":   {dokusim.Fault{Kind: dokusim.FaultStatus, Status: 429}, 429, true, true, 0},
		"status after the work":    {dokusim.Fault{Kind: dokusim.FaultStatus, Status: 500, AfterCommit: true}, 500, true, true, 1},
		"a redirect":               {dokusim.Fault{Kind: dokusim.FaultStatus, Status: 302}, 302, false, false, 0},
		"refused":                  {dokusim.Fault{Kind: dokusim.FaultStatus, Status: 422}, 422, false, true, 0},
		"cut request":              {dokusim.Fault{Kind: dokusim.FaultCutRequest}, 0, true, true, 0},
		"cut response":             {dokusim.Fault{Kind: dokusim.FaultCutResponse}, 200, true, true, 1},
		"drop":                     {dokusim.Fault{Kind: dokusim.FaultDrop}, 0, true, true, 0},
		"drop after the work":      {dokusim.Fault{Kind: dokusim.FaultDrop, AfterCommit: true}, 0, true, true, 1},
		"malformed":                {dokusim.Fault{Kind: dokusim.FaultMalformed}, 200, false, false, 0},
		"malformed after the work": {dokusim.Fault{Kind: dokusim.FaultMalformed, AfterCommit: true}, 200, false, false, 1},
		"empty":                    {dokusim.Fault{Kind: dokusim.FaultEmpty}, 200, false, false, 0},
		"html":                     {dokusim.Fault{Kind: dokusim.FaultHTML}, 200, false, false, 0},
		"no id":                    {dokusim.Fault{Kind: dokusim.FaultNoID}, 200, false, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if err := b.client.Token(ctx()); err != nil {
				t.Fatal(err)
			}
			c.fault.Call, c.fault.Times = doku.CallUpload, 1
			b.fault(c.fault)
			content := picture(strings.Repeat("x", 3<<20))
			_, err := b.client.UploadFile(ctx(), upload(doku.CategoryLogo, "", "a.jpg", content))
			e, ok := errors.AsType[*doku.Error](err)
			if !ok || e.Status != c.status || e.Temporary() != c.temporary || e.Understood() != c.understood {
				t.Errorf("%v", err)
			}
			if n := len(b.sim.Files()); n != c.stored {
				t.Errorf("%d files", n)
			}
			b.upload(doku.CategoryLogo, "", content) // once only
			if n := b.sim.Requests()[doku.CallUpload]; n != 2 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func TestFaultsAreCountedAndOrdered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fault(dokusim.Fault{Call: doku.CallRequirements, Kind: dokusim.FaultStatus, Status: 500, Times: 2, Message: "out of order", RetryAfter: 7 * time.Second})
	b.fault(dokusim.Fault{Call: "*", Kind: dokusim.FaultStatus, Status: 429})
	for _, want := range []int{500, 500, 429, 429} {
		_, err := b.client.CheckRequirements(ctx(), personal)
		e := err.(*doku.Error)
		if e.Status != want || want == 500 && (e.Message != "out of order" || e.RetryAfter != 7*time.Second) {
			t.Errorf("%+v", e)
		}
	}
	if f := b.sim.Faults(); len(f) != 1 || f[0].Call != "*" {
		t.Errorf("%+v", f)
	}
	b.sim.ClearFaults()
	if err := second(b.client.CheckRequirements(ctx(), personal)); err != nil {
		t.Error(err)
	}
	for _, bad := range []dokusim.Fault{
		{}, {Call: "x", Kind: dokusim.FaultDelay}, {Call: "*", Kind: "x"}, {Call: "*", Kind: dokusim.FaultStatus, Status: 99},
		{Call: "*", Kind: dokusim.FaultStatus, Times: -1},
	} {
		if b.sim.AddFault(bad) == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestALostRegistrationIsRepeated(t *testing.T) {
	t.Parallel()
	for _, f := range []dokusim.Fault{
		{Kind: dokusim.FaultCutResponse}, {Kind: dokusim.FaultDrop, AfterCommit: true}, {Kind: dokusim.FaultNoID},
		{Kind: dokusim.FaultStatus, Status: 504, AfterCommit: true}, {Kind: dokusim.FaultMalformed, AfterCommit: true},
	} {
		b := setup(t)
		body := marshal(b.registration())
		f.Call, f.Times = doku.CallBusiness, 1
		b.fault(f)
		_, err := b.client.RegisterBusiness(ctx(), "id", body)
		if e, ok := errors.AsType[*doku.Error](err); !ok || !e.Uncertain() {
			t.Errorf("%s: %v", f.Kind, err)
		}
		again, err := b.client.RegisterBusiness(ctx(), "id", body)
		if got := b.sim.Businesses(); err != nil || len(got) != 1 || got[0].ID != again.ID {
			t.Errorf("%s: %+v, %v", f.Kind, got, err)
		}
	}
}

// await returns when a call has arrived.
func (b *bench) await(call string) {
	for b.sim.Requests()[call] == 0 {
		runtime.Gosched()
	}
}

func TestDelayAndHold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fault(dokusim.Fault{Call: doku.CallData, Kind: dokusim.FaultDelay, Delay: time.Hour})
	short, cancel := context.WithCancel(ctx())
	done := make(chan error)
	go func() { done <- second(b.client.GetBusiness(short, "BRN-1", personal)) }()
	b.await(doku.CallData)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b.fault(dokusim.Fault{Call: doku.CallRequirements, Kind: dokusim.FaultHold, Times: 1})
	go func() { done <- second(b.client.CheckRequirements(ctx(), personal)) }()
	b.await(doku.CallRequirements)
	if err := second(b.client.CheckRequirements(ctx(), personal)); err != nil { // the second one is not held
		t.Error(err)
	}
	select {
	case err := <-done:
		t.Errorf("it was not held: %v", err)
	default:
	}
	b.sim.ClearFaults()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFaultsOfLinks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	content := picture(strings.Repeat("x", 300_000))
	f := b.upload(doku.CategoryLogo, "", content)
	for kind, check := range map[dokusim.FaultKind]func([]byte, error, int64) bool{
		dokusim.FaultTruncateLink: func(got []byte, err error, size int64) bool {
			return err == nil && bytes.Equal(got, content[:len(content)/2]) && size == int64(len(got))
		},
		dokusim.FaultCutResponse: func(got []byte, err error, size int64) bool {
			return errors.Is(err, io.ErrUnexpectedEOF) && len(got) == len(content)/2 && size == int64(len(content))
		},
		dokusim.FaultCorruptLink: func(got []byte, err error, size int64) bool {
			return err == nil && len(got) == len(content) && !bytes.Equal(got, content)
		},
		dokusim.FaultDelay: func(got []byte, err error, size int64) bool { return bytes.Equal(got, content) },
	} {
		b.fault(dokusim.Fault{Call: dokusim.CallLink, Kind: kind, Times: 1})
		body, err := b.client.OpenLink(ctx(), f.Link)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		got, err := io.ReadAll(body)
		body.Close()
		if !check(got, err, body.Size) {
			t.Errorf("%s: %d bytes of %d, %v", kind, len(got), body.Size, err)
		}
	}
	b.fault(dokusim.Fault{Call: dokusim.CallLink, Kind: dokusim.FaultStatus, Status: 403, Times: 1})
	if _, code := b.open(f.Link); code != 403 {
		t.Errorf("%d", code)
	}
}

// control calls the control interface.
func (b *bench) control(method, path, body string, to any) int {
	b.Helper()
	req, _ := http.NewRequest(method, b.server.URL+"/_simulator/"+path, strings.NewReader(body))
	code, text := b.raw(req)
	if to != nil {
		if err := json.Unmarshal([]byte(text), to); err != nil {
			b.Errorf("%s %s: %s", method, path, text)
		}
	}
	return code
}

func TestControl(t *testing.T) {
	t.Parallel()
	b := setup(t)
	business := b.register()

	var clock map[string]string
	b.control("PUT", "clock", `{"advance":"2h"}`, &clock)
	if clock["now"] != "2026-01-02T05:04:05Z" {
		t.Errorf("%v", clock)
	}
	b.control("PUT", "clock", `{"now":"2030-01-01T00:00:00Z"}`, nil)
	b.control("GET", "clock", "", &clock)
	if clock["now"] != "2030-01-01T00:00:00Z" {
		t.Errorf("%v", clock)
	}
	b.control("PUT", "clock", `{"now":null}`, &clock)
	if clock["now"] != "2026-01-02T03:04:05Z" || clock["offset"] != "0s" {
		t.Errorf("%v", clock)
	}

	sent := `{"call":"upload","kind":"status","status":503,"times":2,"delay":"1ms","message":"m","retry_after":5,"after_commit":true}`
	var faults []map[string]any
	b.control("POST", "faults", sent, nil)
	b.control("GET", "faults", "", &faults)
	if got := string(marshal(faults)); len(faults) != 1 || !strings.Contains(got, `"delay":"1ms"`) || !strings.Contains(got, `"retry_after":5`) {
		t.Errorf("%s", got)
	}
	b.control("DELETE", "faults", "", &faults)
	if len(faults) != 0 {
		t.Errorf("%v", faults)
	}

	var files []dokusim.FileInfo
	b.control("GET", "files", "", &files)
	if len(files) != 3 || files[0].Attached == "" || len(files[0].SHA256) != 64 {
		t.Errorf("%+v", files)
	}
	var businesses []dokusim.BusinessInfo
	b.control("PUT", "businesses/"+business.Brands[0].ID, `{"status":"REJECTED","rejection_reason":"Foto buram"}`, &businesses)
	if len(businesses) != 1 || businesses[0].Status != "REJECTED" || businesses[0].Brands[0].Status != "REJECTED" {
		t.Errorf("%+v", businesses)
	}
	var counts map[string]int
	b.control("GET", "requests", "", &counts)
	if counts[doku.CallUpload] != 3 || counts[doku.CallBusiness] != 1 {
		t.Errorf("%v", counts)
	}

	b.control("PUT", "requirements", `{"business_type":"PERSONAL","legal_entity":"PERSEORANGAN","business_line":"RETAIL","nationality":"ID",
		"answer":{"business":{"brand":{"logo":{"code":"LOGO","extensions":["PNG"]}}}}}`, nil)
	if got, err := b.client.CheckRequirements(ctx(), personal); err != nil || got.Items[0].Category != doku.CategoryLogo {
		t.Errorf("%+v, %v", got, err)
	}
	var assume map[string]any
	b.control("PUT", "assumptions", `{"error_object":true,"clock_skew":"5m"}`, &assume)
	if a := b.sim.Assume(); !a.ErrorObject || a.ClockSkew != 5*time.Minute || assume["clock_skew"] != "5m0s" {
		t.Errorf("%+v %v", a, assume)
	}
	b.control("PUT", "clock", `{"advance":"1m"}`, nil)
	b.control("POST", "reset", "", nil)
	if got, err := b.client.CheckRequirements(ctx(), personal); err != nil || len(got.Items) != 3 || len(b.sim.Files()) != 3 || !b.sim.Now().Equal(start) {
		t.Errorf("%+v, %v", got, err)
	}
	b.control("POST", "reset", `{"forget":true}`, nil)
	if len(b.sim.Files()) != 0 {
		t.Error("nothing was forgotten")
	}

	for call, want := range map[string]int{
		"PUT clock {\"now\":\"soon\"}": 400, "PUT clock {\"advance\":\"x\"}": 400, "PUT clock {\"typo\":1}": 400, "POST faults {}": 400,
		"POST faults x": 400, "PUT businesses/BSN-1 {}": 404, "PUT requirements {}": 400, "DELETE clock ": 405, "GET nothing ": 404,
	} {
		f := strings.SplitN(call, " ", 3)
		if code := b.control(f[0], f[1], f[2], nil); code != want {
			t.Errorf("%s: %d", call, code)
		}
	}
	req, _ := http.NewRequest("POST", b.server.URL+"/_simulator/reset", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if code, _ := b.raw(req); code != 403 {
		t.Errorf("from another site: %d", code)
	}
}
