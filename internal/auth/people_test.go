package auth_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/testdb"
	"berkas/models"
)

// gate is a gate over a database of its own.
func gate(t *testing.T) (*auth.Gate, *models.Store) {
	t.Helper()
	t.Parallel()
	store := models.NewStore(testdb.New(t).Gorm, time.Now)
	return auth.NewGate(store, time.Now), store
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const chosen = "kopi tubruk pagi"

func add(t *testing.T, g *auth.Gate, email string, role models.Role) models.PersonID {
	t.Helper()
	id, err := g.AddPerson(t.Context(), models.CLI, auth.NewPerson{Email: email, Name: "Orang", Role: role, Password: chosen})
	must(t, err)
	return id
}

func TestOneTimePasswords(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		p := auth.OneTimePassword()
		if seen[p] || auth.CheckNewPassword(p) != nil || strings.ContainsAny(p, "0189") {
			t.Fatalf("%q", p)
		}
		seen[p] = true
	}
}

// What a form refuses names its fields, and what a command line prints is the first of them.
func TestRefusedPeopleNameTheirFields(t *testing.T) {
	g, _ := gate(t)
	_, err := g.AddPerson(t.Context(), models.CLI, auth.NewPerson{Email: "Ani <ani@berkas.test>", Name: " ", Role: "root", Team: strings.Repeat("é", 121), Password: chosen})
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Invalid || f.Code != "not_an_email" {
		t.Fatal(err)
	}
	var names []string
	for _, field := range f.Fields {
		names = append(names, field.Name+" "+field.Code)
	}
	if want := []string{"email not_an_email", "name required", "role unknown_choice", "team too_long"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
}

// However a sign-in and the end of the password it uses meet, no session is left after it.
func TestNoSessionOutlivesItsPassword(t *testing.T) {
	g, store := gate(t)
	admin := models.Actor{Kind: models.ActorUser, Person: add(t, g, "admin@berkas.test", models.RoleAdmin), Role: models.RoleAdmin}
	for i, end := range []func(models.PersonID) error{
		func(id models.PersonID) error { _, err := g.GiveOneTimePassword(t.Context(), admin, id); return err },
		func(id models.PersonID) error { return g.Disable(t.Context(), admin, id) },
	} {
		for round := range 4 {
			email := string(rune('a'+i)) + string(rune('a'+round)) + "@berkas.test"
			id := add(t, g, email, models.RoleStaff)
			var tokens sync.Map
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					token, _, err := g.SignIn(t.Context(), auth.Attempt{Email: email, Password: chosen, Address: email})
					if err == nil {
						tokens.Store(token, true)
					} else if fault.Code(err) != "sign_in_failed" {
						t.Error(err)
					}
				})
			}
			all.Go(func() {
				if err := end(id); err != nil {
					t.Error(err)
				}
			})
			all.Wait()
			tokens.Range(func(token, _ any) bool {
				if _, err := g.Who(t.Context(), token.(string), true); !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("a session goes on: %v", err)
				}
				return true
			})
			if open, err := store.Sessions(t.Context(), id, time.Now(), auth.IdleTimeout); err != nil || len(open) > 0 {
				t.Errorf("%d sessions, %v", len(open), err)
			}
		}
	}
}

// Admins who take the right from each other, all at once, leave one.
func TestOneAdminStays(t *testing.T) {
	g, store := gate(t)
	var ids []models.PersonID
	for _, name := range []string{"a", "b", "c", "d"} {
		ids = append(ids, add(t, g, name+"@berkas.test", models.RoleAdmin))
	}
	var all sync.WaitGroup
	for i, id := range ids {
		actor := models.Actor{Kind: models.ActorUser, Person: ids[(i+1)%len(ids)], Role: models.RoleAdmin}
		all.Go(func() {
			var err error
			if i%2 == 0 {
				err = g.Disable(t.Context(), actor, id)
			} else {
				err = g.ChangePerson(t.Context(), actor, id, auth.Standing{Name: "Orang", Role: models.RoleStaff})
			}
			if err != nil && fault.Code(err) != "last_admin" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	left := 0
	people, err := store.People(t.Context())
	must(t, err)
	for _, p := range people {
		if p.Role == models.RoleAdmin && p.DisabledAt == nil {
			left++
			if last, err := store.LastAdmin(t.Context(), p.ID); err != nil || !last {
				t.Errorf("the last admin is not known as such: %v", err)
			}
		}
	}
	if left != 1 {
		t.Errorf("%d admins are left", left)
	}
}

// Only one of two changes made with the same old password goes through, and its session with it.
func TestTwoChangesOfOnePassword(t *testing.T) {
	g, store := gate(t)
	id := add(t, g, "staff@berkas.test", models.RoleStaff)
	actor := models.Actor{Kind: models.ActorUser, Person: id, Role: models.RoleStaff}
	token, p, err := g.SignIn(t.Context(), auth.Attempt{Email: "staff@berkas.test", Password: chosen, Agent: "Test/1"})
	must(t, err)
	if p.ID != id {
		t.Fatal(p.ID)
	}
	before, err := g.Sessions(t.Context(), actor, token)
	must(t, err)
	var mu sync.Mutex
	var won []string
	var all sync.WaitGroup
	for _, next := range []string{"es teh manis dua", "nasi goreng satu"} {
		all.Go(func() {
			got, err := g.ChangePassword(t.Context(), actor, auth.PasswordChange{Old: chosen, New: next, Repeat: next, Token: token})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, got)
			} else if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("%d changes went through", len(won))
	}
	if _, err := g.Who(t.Context(), token, true); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the old token still counts: %v", err)
	}
	after, err := g.Sessions(t.Context(), actor, won[0])
	must(t, err)
	if len(after) != 1 || !after[0].This || after[0].ID != before[0].ID || !after[0].ExpiresAt.Equal(before[0].ExpiresAt) {
		t.Errorf("the session went on as %+v", after)
	}
	if p, err := store.Person(t.Context(), id); err != nil || p.SignedInAt == nil || time.Since(*p.SignedInAt) > time.Minute {
		t.Errorf("signed in at %v, %v", p.SignedInAt, err)
	}
}

// An address that is refused leaves the accounts alone that were tried from it.
func TestAnAddressIsRefusedWithoutTheAccount(t *testing.T) {
	g, _ := gate(t)
	add(t, g, "staff@berkas.test", models.RoleStaff)
	refused := 0
	for i := range 130 {
		_, _, err := g.SignIn(t.Context(), auth.Attempt{Email: strings.Repeat("x", i%26) + "@berkas.test", Demo: true, Address: "192.0.2.1"})
		if fault.Is(err, fault.RateLimited) {
			refused++
		}
	}
	if refused != 30 {
		t.Errorf("%d were turned away", refused)
	}
	for range 20 {
		if _, _, err := g.SignIn(t.Context(), auth.Attempt{Email: "staff@berkas.test", Password: chosen, Address: "192.0.2.1"}); !fault.Is(err, fault.RateLimited) {
			t.Fatal(err)
		}
	}
	if _, _, err := g.SignIn(t.Context(), auth.Attempt{Email: "staff@berkas.test", Password: chosen, Address: "192.0.2.2"}); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}
