package dokusim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
)

var (
	us       = dokusim.Partner{ClientID: "BRN-0001-1700000000000", SecretKey: "SK-OwnTestVector-0001"}
	them     = dokusim.Partner{ClientID: "BRN-0002-1700000000000", SecretKey: "SK-OwnTestVector-0002"}
	personal = doku.Combination{BusinessType: doku.Personal, LegalEntity: doku.Perseorangan, BusinessLine: doku.Retail, Nationality: "ID"}
	start    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	key      = bytes.Repeat([]byte{7}, 32)
)

// bench is a simulator behind a real server, with a client.
type bench struct {
	*testing.T
	sim    *dokusim.Simulator
	server *httptest.Server
	client *doku.Client
}

func setup(t *testing.T, change ...func(*dokusim.Options)) *bench {
	t.Helper()
	o := dokusim.Options{Partners: []dokusim.Partner{us, them}, Now: func() time.Time { return start }, Control: true}
	for _, f := range change {
		f(&o)
	}
	sim, err := dokusim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, sim: sim, server: httptest.NewServer(sim)}
	t.Cleanup(func() { sim.ClearFaults(); b.server.Close(); sim.Close() })
	b.client = b.as(us)
	return b
}

func (b *bench) as(p dokusim.Partner, change ...func(*doku.Options)) *doku.Client {
	b.Helper()
	o := doku.Options{
		BaseURL: b.server.URL, SimulatorLinks: b.server.URL, ClientID: p.ClientID, SecretKey: p.SecretKey, HTTP: b.server.Client(),
		Now: b.sim.Now, StrictResponses: true, FileLookup: "/file/{id}",
	}
	for _, f := range change {
		f(&o)
	}
	c, err := doku.New(o)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func ctx() context.Context { return context.Background() }

// picture is a JPEG with some bytes of its own after the end.
func picture(own string) []byte {
	var b bytes.Buffer
	jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil)
	return append(b.Bytes(), own...)
}

func upload(category, code, name string, content []byte) doku.Upload {
	return doku.Upload{Category: category, Code: code, FileName: name, Size: int64(len(content)), Body: bytes.NewReader(content)}
}

func (b *bench) upload(category, code string, content []byte) *doku.File {
	b.Helper()
	f, err := b.client.UploadFile(ctx(), upload(category, code, "a.jpg", content))
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// open is a link's bytes, or the status it was refused with.
func (b *bench) open(link string) ([]byte, int) {
	b.Helper()
	body, err := b.client.OpenLink(ctx(), link)
	if e, ok := errors.AsType[*doku.LinkError](err); ok {
		return nil, e.Status
	}
	if err != nil {
		b.Fatal(err)
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		b.Fatal(err)
	}
	return content, http.StatusOK
}

// registration is the shared sample with files of ours.
func (b *bench) registration() *doku.RegistrationBody {
	b.Helper()
	var body doku.RegistrationBody
	b.fixture("registration_request.json", &body)
	f := &body.Business
	f.Brands[0].PhotoProofs[0].ID = b.upload(doku.CategoryPhotoProof, "", picture("shop")).ID
	f.Contacts[0].OwnerLiveness.ID = b.upload(doku.CategoryOwnerLiveness, "", picture("face")).ID
	f.Contacts[0].Documents[0].ID = b.upload(doku.CategoryDocument, doku.CodeKTP, picture("card")).ID
	return &body
}

func (b *bench) fixture(name string, to any) {
	b.Helper()
	raw, err := os.ReadFile("../testdata/" + name)
	if err == nil {
		err = json.Unmarshal(raw, to)
	}
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) register() *doku.Business {
	b.Helper()
	business, err := b.client.RegisterBusiness(ctx(), doku.NewRequestID(), marshal(b.registration()))
	if err != nil {
		b.Fatal(err)
	}
	return business
}

func marshal(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

func status(err error) int {
	if e, ok := errors.AsType[*doku.Error](err); ok {
		return e.Status
	}
	return -1
}

func TestDocumentedRequirements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got, err := b.client.CheckRequirements(ctx(), personal)
	if err != nil || got.Assumed {
		t.Fatalf("%+v, %v", got, err)
	}
	var answer, want any
	json.Unmarshal(got.Raw, &answer)
	b.fixture("requirements_personal.json", &want)
	if !reflect.DeepEqual(answer, want) {
		t.Errorf("%s", got.Raw)
	}
}

func TestAssumedRequirements(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *dokusim.Options) { o.Assume.Lines = []string{"TRAVEL"} })
	corporate := func(entity, line, nationality string) doku.Combination {
		return doku.Combination{BusinessType: doku.Corporate, LegalEntity: entity, BusinessLine: line, Nationality: nationality}
	}
	for _, c := range []struct {
		comb doku.Combination
		want string
	}{
		{corporate("PT", "MINING", "ID"), "PHOTO_PROOF KTP AKTA_PENDIRIAN_PERUSAHAAN SK_KEMENKUMHAM NIB NPWP_BADAN"},
		{corporate("PT", "TRAVEL", "ID"), "PHOTO_PROOF KTP AKTA_PENDIRIAN_PERUSAHAAN SK_KEMENKUMHAM NIB NPWP_BADAN"},
		{corporate("UD", "FOOD_AND_BEVERAGE", "SG"), "PHOTO_PROOF KITAS_OR_KITAP PASPOR NIB IZIN_USAHA NPWP_ORANG_PRIBADI BPOM SERTIFIKAT_HALAL_MUI"},
		{corporate("KOPERASI", "FINANCIAL_SERVICE", "ID"), "PHOTO_PROOF KTP AKTA_PENDIRIAN_PERUSAHAAN SK_KEMENKUMHAM NIB NPWP_BADAN IZIN_KOPERASI_SIMPAN_PINJAM"},
		{corporate("BLU", "FINANCIAL_SERVICE", "ID"), "PHOTO_PROOF KTP IZIN_BLU NPWP_BADAN LISENSI_OJK"},
	} {
		got, err := b.client.CheckRequirements(ctx(), c.comb)
		if err != nil || !got.Assumed {
			t.Fatalf("%+v: %v", c.comb, err)
		}
		var codes []string
		for _, r := range got.Items {
			code := r.Code
			if code == "" {
				code = r.Category
			}
			codes = append(codes, code)
		}
		if s := strings.Join(codes, " "); s != c.want {
			t.Errorf("%+v:\ngot  %s\nwant %s", c.comb, s, c.want)
		}
	}
	for _, bad := range []doku.Combination{
		{}, {BusinessType: "OTHER", LegalEntity: "PT", BusinessLine: "MINING", Nationality: "ID"}, corporate("PERSEORANGAN", "MINING", "ID"),
		corporate("PT", "UNKNOWN", "ID"), corporate("PT", "MINING", "id"), corporate("PT", "MINING", ""),
		{BusinessType: doku.Personal, LegalEntity: doku.Perseorangan, BusinessLine: "MINING", Nationality: "ID"},
		{BusinessType: doku.Personal, LegalEntity: doku.Perseorangan, BusinessLine: doku.Retail, Nationality: "SG"},
	} {
		if _, err := b.client.CheckRequirements(ctx(), bad); status(err) != 400 {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestEveryCombinationAsksForKnownCodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, entity := range doku.LegalEntities(doku.Corporate) {
		for _, line := range doku.BusinessLines(doku.Corporate) {
			comb := doku.Combination{BusinessType: doku.Corporate, LegalEntity: entity, BusinessLine: line, Nationality: "ID"}
			got, err := b.client.CheckRequirements(ctx(), comb)
			if err != nil || len(got.Items) < 3 {
				t.Fatalf("%+v: %v", comb, err)
			}
			for _, r := range got.Items {
				if r.Category == doku.CategoryDocument && !slices.Contains(doku.Codes(), r.Code) || r.Name == r.Code {
					t.Errorf("%+v: %+v", comb, r)
				}
			}
		}
	}
}

func TestOnlyGoodSignaturesPass(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wrong := func(change func(*doku.Options)) *doku.Client { return b.as(us, change) }
	for name, c := range map[string]*doku.Client{
		"wrong key":      wrong(func(o *doku.Options) { o.SecretKey = "SK-wrong" }),
		"unknown client": wrong(func(o *doku.Options) { o.ClientID = "BRN-9" }),
		"others' key":    wrong(func(o *doku.Options) { o.SecretKey = them.SecretKey }),
		"signed query":   wrong(func(o *doku.Options) { o.SignQuery = true }),
	} {
		_, err := c.CheckRequirements(ctx(), personal)
		if status(err) != 401 || !err.(*doku.Error).Temporary() {
			t.Errorf("%s: %v", name, err)
		}
	}
	old := wrong(func(o *doku.Options) { o.Now = func() time.Time { return start.Add(-6 * time.Minute) } })
	if _, err := old.CheckRequirements(ctx(), personal); err != nil {
		t.Error(err)
	}
	b.sim.SetAssume(dokusim.Assumptions{SignedQuery: true, ClockSkew: 5 * time.Minute, UnsignedResponses: true})
	if _, err := old.CheckRequirements(ctx(), personal); status(err) != 401 {
		t.Error(err)
	}
	if _, err := wrong(func(o *doku.Options) { o.SignQuery = true }).CheckRequirements(ctx(), personal); err != nil {
		t.Error(err)
	}
	for _, header := range []string{"Client-Id", "Request-Id", "Request-Timestamp", "Signature"} {
		req, _ := http.NewRequest("POST", b.server.URL+doku.Prefix+"/token", strings.NewReader("{}"))
		for _, h := range []string{"Client-Id", "Request-Id", "Request-Timestamp", "Signature"} {
			req.Header.Set(h, "x")
		}
		req.Header.Del(header)
		if code, body := b.raw(req); code != 401 || !strings.Contains(body, header) {
			t.Errorf("without %s: %d %s", header, code, body)
		}
	}
}

func (b *bench) raw(req *http.Request) (int, string) {
	b.Helper()
	res, err := b.server.Client().Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *dokusim.Options) { o.Control = false })
	for call, want := range map[string]int{
		"GET /": 404, "GET " + doku.Prefix: 404, "GET " + doku.Prefix + "/elsewhere": 404, "DELETE " + doku.Prefix + "/file": 405,
		"GET " + doku.Prefix + "/token": 405, "PATCH " + doku.Prefix + "/business/BRN-1": 405, "GET " + doku.Prefix + "/file/DCM-1": 404,
		"GET /_simulator/files": 404, "POST /sim/oss/x": 405, "GET /sim/oss/x": 403, "GET " + doku.Prefix + "/business/BRN-1": 401,
		"POST " + doku.Prefix + "/file": 401,
	} {
		method, path, _ := strings.Cut(call, " ")
		req, _ := http.NewRequest(method, b.server.URL+path, nil)
		if code, body := b.raw(req); code != want {
			t.Errorf("%s: %d %s", call, code, body)
		}
	}
}

func TestErrorShapes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, object := range []bool{false, true} {
		b.sim.SetAssume(dokusim.Assumptions{ErrorObject: object})
		_, err := b.client.CheckRequirements(ctx(), doku.Combination{})
		e := err.(*doku.Error)
		if !strings.Contains(e.Message, "businessType") || (e.Code == "BAD_REQUEST") != object {
			t.Errorf("%+v", e)
		}
	}
}

func TestTokenLifeAndForgery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.upload(doku.CategoryLogo, "", picture("1"))
	if err := b.sim.Advance(7 * time.Hour); err != nil {
		t.Fatal(err)
	}
	// a client whose clock does not move learns from the 401
	still := b.as(us, func(o *doku.Options) { o.Now = func() time.Time { return start } })
	for range 2 {
		if _, err := still.UploadFile(ctx(), upload(doku.CategoryLogo, "", "a.jpg", picture("2"))); err != nil {
			t.Fatal(err)
		}
		b.sim.Advance(7 * time.Hour)
	}
	if n := b.sim.Requests(); n[doku.CallUpload] != 4 || n[doku.CallToken] != 3 {
		t.Errorf("%v", n)
	}
	for _, token := range []string{
		"", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTksInVzZXIiOnsiYnVzaW5lc3NTZXJ2aWNlQ2xpZW50SWQiOiJCUk4tMDAwMS0xNzAwMDAwMDAwMDAwIn19.",
		"eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTksInVzZXIiOnsiYnVzaW5lc3NTZXJ2aWNlQ2xpZW50SWQiOiJCUk4tMDAwMS0xNzAwMDAwMDAwMDAwIn19.AAAA",
	} {
		req, _ := http.NewRequest("POST", b.server.URL+doku.Prefix+"/file", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		if code, _ := b.raw(req); code != 401 {
			t.Errorf("%q: %d", token, code)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	b := setup(t) // whose clock stands still
	form := regexp.MustCompile(`^(DCM|CNT)-\d{4}-\d{13}$`)
	seen := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			category := []string{doku.CategoryLogo, doku.CategoryOwnerLiveness}[i%2]
			content := picture(strings.Repeat(fmt.Sprint(i), 100_000))
			f, err := b.client.UploadFile(ctx(), upload(category, "", "a.jpg", content))
			if err != nil {
				t.Error(err)
				return
			}
			if got, code := b.open(f.Link); code != 200 || !bytes.Equal(got, content) {
				t.Errorf("%d: %d bytes, %d", i, len(got), code)
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[f.ID] || !form.MatchString(f.ID) {
				t.Errorf("%s", f.ID)
			}
			seen[f.ID] = true
		})
	}
	wg.Wait()
	b.sim.Advance(-24 * time.Hour)
	if f := b.upload(doku.CategoryLogo, "", picture("")); seen[f.ID] {
		t.Errorf("%s again", f.ID)
	}
	if len(slices.Collect(maps.Keys(seen))) != 64 || len(b.sim.Files()) != 65 {
		t.Errorf("%d, %d", len(seen), len(b.sim.Files()))
	}
}

func TestSamplesOfURLs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	contents := map[string]string{}
	for _, u := range []string{"https://www.website.domain/a.png", "https://www.website.domain/b.png?x=1", "https://www.website.domain/a.JPG",
		"https://www.website.domain/a.pdf"} {
		in := doku.Upload{Category: doku.CategoryDocument, Code: doku.CodeKTP, FileURL: u}
		f, err := b.client.UploadFile(ctx(), in)
		if err != nil {
			t.Fatalf("%s: %v", u, err)
		}
		again, _ := b.client.UploadFile(ctx(), in)
		first, _ := b.open(f.Link)
		second, _ := b.open(again.Link)
		if !bytes.Equal(first, second) || f.ID == again.ID || contents[string(first)] != "" {
			t.Errorf("%s: not the same picture twice, or another's", u)
		}
		contents[string(first)] = u
		switch {
		case strings.Contains(u, ".png"):
			_, err = png.Decode(bytes.NewReader(first))
		case strings.Contains(u, ".JPG"):
			_, err = jpeg.Decode(bytes.NewReader(first))
		case !bytes.Contains(first, []byte("(SAMPLE)")):
			err = errors.New("not marked")
		}
		if err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	for _, u := range []string{"http://www.website.domain/a.png", "https://127.0.0.1/a.png", "https://localhost/a.png", "https://10.0.0.1/a.png",
		"https://user@www.website.domain/a.png", "https://[::1]/a.png", "https://www.website.domain/a.gif", "https://www.website.domain/",
		"ftp://www.website.domain/a.png", "a.png"} {
		if _, err := b.client.UploadFile(ctx(), doku.Upload{Category: doku.CategoryLogo, FileURL: u}); status(err) != 400 {
			t.Errorf("%s: %v", u, err)
		}
	}
	if _, err := b.client.UploadFile(ctx(), doku.Upload{Category: doku.CategoryPhotoProof, FileURL: "https://www.website.domain/a.pdf"}); status(err) != 400 {
		t.Errorf("a PDF for a photo: %v", err)
	}
}

func TestBanner(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, want := range []string{"not DOKU", "file_url is never fetched", "query is no part", "answers are signed"} {
		if !strings.Contains(b.sim.Banner(), want) {
			t.Errorf("%q is missing from\n%s", want, b.sim.Banner())
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]dokusim.Options{
		"no partner": {}, "no secret": {Partners: []dokusim.Partner{{ClientID: "a"}}},
		"no key": {Partners: []dokusim.Partner{us}, Dir: t.TempDir()}, "short key": {Partners: []dokusim.Partner{us}, Dir: t.TempDir(), Key: key[:16]},
	} {
		if s, err := dokusim.New(o); err == nil {
			s.Close()
			t.Errorf("%s was accepted", name)
		}
	}
}
