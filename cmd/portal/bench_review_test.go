package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"
)

// Reviewers who each take the next document, look at it and decide, all at once, from a queue of thousands.
func measureReview(b *testing.B, t *table) {
	const reviewers, spell = 8, 5 * time.Second
	e := home(b)
	p := start(b, e)
	benchStaff(b, p).newMerchant(b, "Warung Pertama")
	fillPortfolio(b, e)
	for _, sql := range []string{
		`insert into people (email, name, role, password_hash) select 'r' || i || '@berkas.test', 'Reviewer ' || i, 'reviewer', password_hash from people, generate_series(1, 8) i where email = 'reviewer@berkas.test'`,
		`update documents d set queued_at = d.delivered_at, sha256 = sha256(d.id::text::bytea), business_type = m.business_type, business_line = m.business_line, review_due_on = m.due_on
			from slots s, merchants m where s.document_id = d.id and m.id = d.merchant_id`,
		`vacuum analyze`,
	} {
		ownerExec(b, e, sql)
	}
	var people []*visitor
	for i := range reviewers {
		v := benchVisitor(p)
		if status := v.signIn(b, fmt.Sprintf("r%d@berkas.test", i+1), "demo"); status != http.StatusSeeOther {
			b.Fatalf("a reviewer's sign-in was answered %d", status)
		}
		people = append(people, v)
	}
	decide := func(client int) error { return people[client].decideNext() }
	crowd(b, reviewers, rounds(1), decide)
	var decisions, probe pace
	took := decisions.run(b, reviewers, spell, decide)
	reference := probe.run(b, reviewers, spell/2, func(client int) error { return people[client].shown("/healthz") })
	t.add("next document, its page, a decision: 8 reviewers at once", fmt.Sprintf("%s decisions/s, %s", figure(decisions.perSecond()), took),
		fmt.Sprintf("/healthz: %s/s, %s", figure(probe.perSecond()), reference), figure(decisions.perSecond()/probe.perSecond())+" ×")
}

var sightFields = regexp.MustCompile(`data-(version|sha256|facts)="([^"]*)"`)

// decideNext takes the next document, reads what its page says and approves it.
func (v *visitor) decideNext() error {
	a, err := v.ask("POST", "/review/next", url.Values{})
	if err != nil {
		return err
	}
	document := a.header.Get("Location")
	if a, err = v.ask("GET", document, nil); err != nil {
		return err
	}
	seen := url.Values{}
	for _, field := range sightFields.FindAllSubmatch(a.body, -1) {
		seen.Set(string(field[1]), string(field[2]))
	}
	if a, err = v.ask("POST", document+"/approve", seen); err == nil && a.status != http.StatusSeeOther {
		err = fmt.Errorf("the decision on %s was answered %d %s", document, a.status, reason(a))
	}
	return err
}
