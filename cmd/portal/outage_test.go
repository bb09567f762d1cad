package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"berkas/internal/testdb"
	"berkas/internal/words"
)

const (
	requestLimit = 60 * time.Second // what the handlers give a request that is no upload
	backTime     = 40 * time.Second // above what anything here waits before it tries again
)

// speaking is a signed-in visitor who reads a language, and waits as long as a request may take. The language is the
// person's, so each is another one.
func speaking(t *testing.T, p *process, language words.Lang) *visitor {
	t.Helper()
	v := demoVisitor(t, p, map[words.Lang]string{words.ID: "staff", words.EN: "manager"}[language])
	v.client.Timeout = requestLimit + 10*time.Second
	if a := v.must(t, "POST", "/preferences", url.Values{"language": {string(language)}}); a.status != http.StatusSeeOther {
		t.Fatalf("choosing a language was answered %d", a.status)
	}
	return v
}

// says is a sentence's beginning, up to where its parameters would be.
func says(language words.Lang, key string) string {
	return words.T(words.With(context.Background(), language), key)
}

// outage is a portal whose database is behind a proxy, and what was uploaded into it.
type outage struct {
	*testing.T
	env      env
	portal   *process
	line     *proxy
	database testdb.Database
	visitors map[words.Lang]*visitor
	merchant string
	document string // delivered before anything happened
	content  []byte
	mu       sync.Mutex
	accepted [][]byte
}

func newOutage(t *testing.T) *outage {
	t.Helper()
	o := &outage{T: t, database: testdb.Create(t), content: photo(), visitors: map[words.Lang]*visitor{}}
	var dsn string
	o.line, dsn = databaseProxy(t, o.database.DSN)
	o.env = onDatabase(t, o.database).with("DATABASE_URL", dsn)
	o.portal = start(t, o.env)
	for _, language := range words.Langs() {
		o.visitors[language] = speaking(t, o.portal, language)
	}
	v := o.visitors[words.ID]
	o.merchant = v.newMerchant(t, "Warung Badai")
	v.mustUpload(t, o.merchant, premise, o.content)
	o.document = v.delivered(t, o.merchant, premise, settleTime)
	return o
}

// upload posts a new photo, and notes it when it was accepted.
func (o *outage) upload() (int, string) {
	content := photo()
	a, err := o.visitors[words.ID].upload(o.merchant, selfie, "photo.jpg", content)
	if err != nil {
		o.Errorf("an upload got no answer: %v", err)
		return 0, ""
	}
	if a.status == http.StatusSeeOther {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.accepted = append(o.accepted, content)
	}
	return a.status, reason(a)
}

// everywhere asks for each kind of page in both languages at once, uploads, and judges the answers.
func (o *outage) everywhere(judge func(language words.Lang, what string, status int, body string)) {
	o.Helper()
	var asking sync.WaitGroup
	for language, v := range o.visitors {
		for _, path := range []string{"/", "/merchants", o.merchant, o.document, o.document + "/file", "/health", "/me"} {
			asking.Go(func() {
				a, err := v.ask("GET", path, nil)
				if err != nil {
					o.Errorf("%s got no answer: %v", path, err)
					return
				}
				judge(language, path, a.status, string(a.body))
			})
		}
	}
	asking.Go(func() {
		status, why := o.upload()
		judge(words.ID, "an upload", status, why)
	})
	asking.Wait()
}

// away expects that everything says what is the matter, at once or when its time is over.
func (o *outage) away() {
	o.Helper()
	o.everywhere(func(language words.Lang, what string, status int, body string) {
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "database_unavailable") {
			o.Errorf("without a database %s is answered %d", what, status)
		} else if what != "an upload" && !strings.Contains(body, says(language, "fault.database_unavailable")) {
			o.Errorf("without a database %s does not say so in %s", what, language)
		}
	})
	v := newVisitor(o.portal.url)
	v.client.Timeout = requestLimit
	if a := v.get(o.T, "/readyz"); a.status != http.StatusServiceUnavailable {
		o.Errorf("without a database it says that it is ready: %d", a.status)
	}
	if a := v.get(o.T, "/healthz"); a.status != http.StatusOK {
		o.Errorf("without a database it says that it does not live: %d", a.status)
	}
}

// back expects that nobody has to start anything, or to sign in again, and that what was accepted is delivered, once.
func (o *outage) back(after string) {
	o.Helper()
	o.line.set(lineUp)
	v := o.visitors[words.ID]
	eventually(o.T, backTime, "a page after the database was "+after, func() bool {
		a, err := v.ask("GET", "/merchants", nil)
		return err == nil && a.status == http.StatusOK
	})
	o.everywhere(func(_ words.Lang, what string, status int, why string) {
		if want := map[bool]int{true: http.StatusSeeOther, false: http.StatusOK}[what == "an upload"]; status != want {
			o.Errorf("after the database was %s %s is answered %d %.200s", after, what, status, why)
		}
	})
	opens(o.T, v, o.document, o.content, "doku")
	eventually(o.T, backTime, "everything is delivered after the database was "+after, func() bool {
		for _, d := range documentRowsIn(o.T, o.database.DSN, o.merchant) {
			if d.State != "delivered" {
				return false
			}
		}
		return true
	})
	there := map[string]int{}
	for _, d := range documentRowsIn(o.T, o.database.DSN, o.merchant) {
		there[string(d.Sha256)]++
	}
	for _, content := range o.accepted {
		if sum := sha256.Sum256(content); there[string(sum[:])] != 1 {
			o.Errorf("after the database was %s an accepted photo is there %d times", after, there[string(sum[:])])
		}
	}
	// A delivery is told of at once only over the connection that listens.
	eventually(o.T, backTime, "the portal listens after the database was "+after, o.live)
}

// live reports whether an upload's answer knows already that DOKU has the file.
func (o *outage) live() bool {
	v := *o.visitors[words.ID]
	v.fragment = true
	a, err := v.upload(o.merchant, selfie, "photo.jpg", photo())
	return err == nil && a.status == http.StatusOK
}

func TestTheDatabaseIsCutOff(t *testing.T) {
	t.Parallel()
	o := newOutage(t)
	for range 2 {
		o.line.set(lineCut)
		o.away()
		o.back("cut off")
	}
}

// What comes back broken is an outage too, whatever was lost: no page is wrong, no file there twice.
func TestTheDatabaseAnswersByHalves(t *testing.T) {
	t.Parallel()
	o := newOutage(t)
	o.line.set(lineHalf)
	o.away()
	o.back("answering by halves")
}

func TestTheDatabaseIsSlow(t *testing.T) {
	t.Parallel()
	o := newOutage(t)
	o.line.set(lineSlow)
	o.everywhere(func(_ words.Lang, what string, status int, why string) {
		if status != http.StatusOK && status != http.StatusSeeOther {
			t.Errorf("with a slow database %s is answered %d %.200s", what, status, why)
		}
	})
	o.back("slow")
}

// A server that is silently gone, as behind a firewall that forgot the connection.
func TestTheDatabaseFallsSilent(t *testing.T) {
	t.Parallel()
	o := newOutage(t)
	o.line.set(lineStalled)
	o.away()
	o.back("silent")
}

// Whatever becomes of the way to DOKU, files are taken, pages come, documents open, and what waits is delivered afterwards.
func TestDOKUComesAndGoes(t *testing.T) {
	t.Parallel()
	simulator := start(t, home(t).with("SIMULATOR_ADDR", "127.0.0.1:0"), "simulate")
	way := newProxy(t, "tcp", strings.TrimPrefix(simulator.url, "http://"))
	p := start(t, home(t).with("DOKU_BASE_URL", "http://"+way.Addr().String()))
	id, en := speaking(t, p, words.ID), speaking(t, p, words.EN)
	merchant, content := id.newMerchant(t, "Warung Putus"), photo()
	id.mustUpload(t, merchant, premise, content)
	document := id.delivered(t, merchant, premise, settleTime)
	for _, c := range []struct {
		line line
		name string
		down bool // a call fails at once, and is not just late
	}{{lineCut, "cut", true}, {lineHalf, "half", true}, {lineSlow, "slow", false}, {lineStalled, "stalled", false}} {
		way.set(c.line)
		sent := photo()
		id.mustUpload(t, merchant, selfie, sent)
		if state, _, _, err := id.slot(merchant, selfie); err != nil || state == "refused" || state == "failed" {
			t.Errorf("%s: a file is %s: %v", c.name, state, err)
		}
		if a := id.get(t, document+"/file"); a.status != http.StatusOK || sha256.Sum256(a.body) != sha256.Sum256(content) {
			t.Errorf("%s: the document is answered %d with %d bytes", c.name, a.status, len(a.body))
		}
		for language, v := range map[words.Lang]*visitor{words.ID: id, words.EN: en} {
			for _, path := range []string{"/", "/merchants", merchant, "/health"} {
				if c.down {
					eventually(t, backTime, fmt.Sprintf("%s: %s says so in %s", c.name, path, language), func() bool {
						a := v.get(t, path)
						return a.status == http.StatusOK && strings.Contains(string(a.body), says(language, "doku.down"))
					})
				} else if a := v.get(t, path); a.status != http.StatusOK {
					t.Errorf("%s: %s is answered %d", c.name, path, a.status)
				}
			}
		}
		another := id.must(t, "POST", "/merchants", url.Values{"name": {"Warung " + c.name}, "business_type": {"PERSONAL"}, "legal_entity": {"PERSEORANGAN"}, "business_line": {"RETAIL"}, "nationality": {"ID"}})
		if another.status != http.StatusSeeOther {
			t.Errorf("%s: a new merchant is answered %d", c.name, another.status)
		}
		way.set(lineUp)
		opens(t, id, id.delivered(t, merchant, selfie, backTime), sent, "doku")
		eventually(t, backTime, c.name+": the new merchant's checklist", func() bool {
			return id.get(t, another.header.Get("Location")).page().Find("[data-checklist=ready]").Length() == 1
		})
	}
}
