package auth_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/pg"
	"berkas/internal/testdb"
	"berkas/models"
)

// door is a gate whose clock stands still, with one person who may pass.
type door struct {
	*testing.T
	*auth.Gate
	db     *pg.DB
	store  *models.Store
	now    time.Time
	person models.PersonID
}

func atDoor(t *testing.T) *door {
	t.Helper()
	d := &door{T: t, db: testdb.New(t), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	d.store = models.NewStore(d.db.Gorm, clock)
	d.Gate = auth.NewGate(d.store, clock)
	d.person = add(t, d.Gate, "sari@berkas.test", models.RoleStaff)
	return d
}

func (d *door) try(email, password string) (string, error) {
	token, _, err := d.SignIn(d.Context(), auth.Attempt{Email: email, Password: password, Address: "10.0.0.1", Agent: "Firefox"})
	return token, err
}

func (d *door) wants(err error, code string) {
	d.Helper()
	if fault.Code(err) != code {
		d.Fatalf("%v, not %s", err, code)
	}
}

func (d *door) count(sql string, args ...any) (n int) {
	d.Helper()
	must(d.T, d.db.Pool.QueryRow(d.Context(), sql, args...).Scan(&n))
	return n
}

func TestPasswordsThereAndBack(t *testing.T) {
	t.Parallel()
	for _, password := range []string{chosen, "kata sandi é ☕", strings.Repeat("x", 256)} {
		hash, err := auth.HashPassword(t.Context(), password)
		must(t, err)
		again, err := auth.HashPassword(t.Context(), password)
		must(t, err)
		if hash == again || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, password) {
			t.Errorf("%s", hash)
		}
		for guess, want := range map[string]bool{password: true, password[:len(password)-1]: false, "": false, " " + password: false} {
			if ok, err := auth.CheckPassword(t.Context(), hash, guess); ok != want || err != nil {
				t.Errorf("%.20q for %.20q: %v, %v", guess, password, ok, err)
			}
		}
	}
	for _, hash := range []string{"", "x", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		if ok, err := auth.CheckPassword(t.Context(), hash, ""); ok || err != nil {
			t.Errorf("%q: %v, %v", hash, ok, err)
		}
	}
	for password, code := range map[string]string{"pendek": "too_short", strings.Repeat("x", 257): "too_long", "sepuluhéé!": ""} {
		if err := auth.CheckNewPassword(password); fault.Code(err) != code {
			t.Errorf("%.20q: %v", password, err)
		}
	}
}

// It stands before the parallel tests: nobody else hashes meanwhile.
func TestEveryAttemptTakesAHash(t *testing.T) {
	d := atDoor(t)
	gone := add(t, d.Gate, "gone@berkas.test", models.RoleStaff)
	must(t, d.Disable(t.Context(), models.CLI, gone))
	d.now = d.now.Add(time.Hour)
	defer auth.Occupy()()
	for _, email := range []string{"sari@berkas.test", "nobody@berkas.test", "gone@berkas.test", "", "x\x00y"} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, _, err := d.SignIn(ctx, auth.Attempt{Email: email, Password: chosen, Address: "10.0.0.9"})
		cancel()
		if err == nil || fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%q is judged without a hash: %v", email, err)
		}
	}
}

func TestSessionsLiveThirtyMinutesAndTwelveHours(t *testing.T) {
	t.Parallel()
	d := atDoor(t)
	token, err := d.try(" SARI@berkas.test ", chosen)
	must(t, err)
	for range 24 { // used now and then
		d.now = d.now.Add(29 * time.Minute)
		p, err := d.Who(t.Context(), token, true)
		must(t, err)
		if p.ID != d.person || p.Role != models.RoleStaff || p.Email != "sari@berkas.test" {
			t.Fatalf("%+v", p)
		}
	}
	d.now = d.now.Add(25 * time.Minute)
	_, err = d.Who(t.Context(), token, true)
	d.wants(err, "signed_out") // 12 hours are over
	token, err = d.try("sari@berkas.test", chosen)
	must(t, err)
	d.now = d.now.Add(30*time.Minute + time.Second)
	_, err = d.Who(t.Context(), token, true)
	d.wants(err, "signed_out")
	for _, nonsense := range []string{"", "x", token + "x"} {
		_, err = d.Who(t.Context(), nonsense, true)
		d.wants(err, "signed_out")
	}
}

func TestTokensAreStoredAsHashesAlone(t *testing.T) {
	t.Parallel()
	d := atDoor(t)
	one, err := d.try("sari@berkas.test", chosen)
	must(t, err)
	two, err := d.try("sari@berkas.test", chosen)
	must(t, err)
	if one == two || len(one) < 40 {
		t.Errorf("%q, %q", one, two)
	}
	if d.count("select count(*) from sessions s where position($1 in s::text) > 0 or token_hash = $2", one, []byte(one)) != 0 || d.count("select count(*) from sessions where length(token_hash) = 32") != 2 {
		t.Error("the token is stored")
	}
	must(t, d.SignOut(t.Context(), models.Actor{Kind: models.ActorUser, Person: d.person}, one))
	_, err = d.Who(t.Context(), one, true)
	d.wants(err, "signed_out")
	_, err = d.Who(t.Context(), two, true)
	must(t, err)
	must(t, d.Disable(t.Context(), models.CLI, d.person))
	_, err = d.Who(t.Context(), two, true)
	d.wants(err, "signed_out")
	_, err = d.try("sari@berkas.test", chosen)
	d.wants(err, "sign_in_failed")
}

func TestTooManyTriesOfAnAccount(t *testing.T) {
	t.Parallel()
	d := atDoor(t)
	for i := range 10 {
		email := []string{"sari@berkas.test", "SARI@berkas.test", " sari@berkas.test"}[i%3] // one account, however it is written
		_, err := d.try(email, "salah")
		d.wants(err, "sign_in_failed")
		d.now = d.now.Add(time.Second)
	}
	_, err := d.try("sari@berkas.test", chosen)
	d.wants(err, "sign_in_limited")
	if wait := fault.As(err).RetryAfter; wait <= 14*time.Minute || wait > 15*time.Minute {
		t.Errorf("try again in %v", wait)
	}
	for range 10 { // an address that is nobody's is treated alike
		_, err := d.try("nobody@berkas.test", "salah")
		d.wants(err, "sign_in_failed")
	}
	_, err = d.try("nobody@berkas.test", "salah")
	d.wants(err, "sign_in_limited")
	d.now = d.now.Add(15 * time.Minute)
	_, err = d.try("sari@berkas.test", chosen)
	must(t, err)
	for range 10 {
		_, err = d.try("sari@berkas.test", "salah")
		d.wants(err, "sign_in_failed")
	}
	if d.count("select count(*) from audit where action = 'session.refused' and actor_kind = 'anonymous' and actor_id is null") != 30 {
		t.Error("the trail does not say so")
	}
}

func TestManyTriesAtOnceAreNoWayAround(t *testing.T) {
	t.Parallel()
	d := atDoor(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	judged := 0
	for range 30 {
		wg.Go(func() {
			if _, err := d.try("sari@berkas.test", "salah"); fault.Code(err) == "sign_in_failed" {
				mu.Lock()
				judged++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if judged > 10 {
		t.Errorf("%d guesses", judged)
	}
}

func TestManySignInsFromOneOfficeAreNoAttack(t *testing.T) {
	t.Parallel()
	d := atDoor(t)
	_, err := d.db.Pool.Exec(t.Context(), "insert into sign_in_throttle (subject_hash, failures, since) values (sha256('throttle:address:10.0.0.1'), 99, $1)", d.now)
	must(t, err)
	for range 5 {
		_, err := d.try("sari@berkas.test", chosen)
		must(t, err)
	}
	_, err = d.try("a@berkas.test", "salah")
	d.wants(err, "sign_in_failed")
	_, err = d.try("sari@berkas.test", chosen)
	d.wants(err, "sign_in_limited")
}

func TestDemoPeople(t *testing.T) {
	t.Parallel()
	d := atDoor(t)
	_, err := d.AddPerson(t.Context(), models.System, auth.NewPerson{Email: "demo@berkas.test", Name: "Demo", Role: models.RoleReviewer, Password: "demo", Demo: true})
	must(t, err)
	attempt := func(email, password string, demo, refused bool) string {
		_, _, err := d.SignIn(t.Context(), auth.Attempt{Email: email, Password: password, Demo: demo, NoDemo: refused, Address: "10.0.0.1"})
		return fault.Code(err)
	}
	for _, c := range []struct {
		email, password string
		demo, refused   bool
		want            string
	}{
		{"demo@berkas.test", "demo", false, false, ""},
		{"demo@berkas.test", "", true, false, ""},
		{"demo@berkas.test", "demo", false, true, "demo_forbidden"},
		{"demo@berkas.test", "", true, true, "demo_forbidden"},
		{"sari@berkas.test", "", true, false, "sign_in_failed"},
		{"sari@berkas.test", chosen, false, true, ""},
		{"nobody@berkas.test", "", true, false, "sign_in_failed"},
	} {
		if got := attempt(c.email, c.password, c.demo, c.refused); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	all := []auth.Permission{auth.SignedIn, auth.ViewMerchants, auth.ViewDocuments, auth.EditMerchants, auth.UploadDocuments, auth.DecideDocuments, auth.AssignMerchants,
		auth.ExportMerchants, auth.AdministerPeople, auth.ReadAudit, auth.ChangeSettings}
	for role, may := range map[models.Role][]bool{
		models.RoleStaff:    {true, true, true, true, true, false, true, false, false, false, false},
		models.RoleReviewer: {true, true, true, false, false, true, false, false, false, false, false},
		models.RoleManager:  {true, true, true, false, false, false, true, true, false, false, false},
		models.RoleAdmin:    {true, true, true, false, false, false, false, true, true, true, true},
	} {
		for i, permission := range all {
			if got := auth.Can(models.Actor{Kind: models.ActorUser, Person: 1, Role: role}, permission); got != may[i] {
				t.Errorf("%s %s: %v", role, permission, got)
			}
			if auth.Can(models.Actor{Kind: models.ActorSystem, Role: role}, permission) || auth.Can(models.Actor{}, permission) {
				t.Errorf("nobody may %s", permission)
			}
		}
	}
	if !auth.Can(models.Actor{}, auth.Public) || auth.Can(models.Actor{Kind: models.ActorUser, Role: models.RoleAdmin}, "invented") {
		t.Error("public, or invented")
	}
}
