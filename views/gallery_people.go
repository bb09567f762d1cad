package views

import "time"

func samplePeople() []PersonView {
	added := sampleTime(40 * day)
	return []PersonView{
		{ID: 4, Name: "Admin Contoh", Email: "admin@berkas.test", Role: "admin", SignedInAt: sampleTime(3 * time.Minute), AddedAt: added, Demo: true, You: true},
		{ID: 5, Name: "Dewi Contoh Kusumawardhani Prawirohardjo", Email: "dewi.contoh.kusumawardhani@partner-pembayaran.example", Role: "staff", Team: "Jakarta Selatan", SignedInAt: sampleTime(2 * day), AddedAt: added},
		{ID: 6, Name: "Rekan Baru", Email: "rekan@berkas.test", Role: "reviewer", Team: "Kepatuhan", AddedAt: sampleTime(2 * hour), OneTime: true},
		{ID: 7, Name: "Rekan Lama", Email: "lama@berkas.test", Role: "manager", SignedInAt: sampleTime(20 * day), AddedAt: added, DisabledAt: sampleTime(5 * day)},
	}
}

func samplePerson(title string, p PersonView) PersonPage {
	return PersonPage{Page: samplePage(title, "people"), Person: p, Teams: []string{"Jakarta Selatan", "Kepatuhan"},
		Values: map[string]string{"name": p.Name, "email": p.Email, "role": p.Role, "team": p.Team}}
}

func sampleMe() MePage {
	return MePage{
		Page: samplePage("Akun saya", "me"), Person: samplePeople()[1], Language: "id", Theme: "light",
		Password: PasswordForm{Email: "dewi.contoh@berkas.test", Min: 10},
		Sessions: []SessionView{
			{ID: 1, Browser: "Firefox", System: "Windows", Since: sampleTime(3 * hour), Seen: sampleTime(20 * time.Second), This: true},
			{ID: 2, Browser: "Chrome", System: "Android", Since: sampleTime(8 * hour), Seen: sampleTime(12 * time.Minute)},
			{ID: 3, Since: sampleTime(9 * hour), Seen: sampleTime(25 * time.Minute)},
		},
	}
}

// peopleSamples are the pages about people and about oneself.
func peopleSamples() []Sample {
	people := samplePeople()
	refused := samplePerson("Tambah orang", PersonView{})
	refused.Values = map[string]string{"name": "", "email": "rekan@berkas.test", "role": "reviewer"}
	refused.Errors = map[string]Message{"name": {Code: "required"}, "email": {Code: "email_taken"}}
	last := samplePerson(people[0].Name, people[0])
	last.LastAdmin, last.Errors = true, map[string]Message{"": {Code: "last_admin"}}
	changed := sampleMe()
	changed.Page.Flash = &Flash{Kind: "good", Message: Message{Code: "password_changed"}}
	changed.Sessions, changed.Theme = changed.Sessions[:1], ""
	wrong := sampleMe()
	wrong.Password.Errors = map[string]Message{"old": {Code: "password_wrong"}, "new": {Code: "too_short", Params: map[string]any{"min": 10}}, "repeat": {Code: "password_differs"}}
	first := ChangePasswordPage{Form: PasswordForm{Email: people[2].Email, Next: HomeURL(), Min: 10}, Name: people[2].Name, Here: ChangePasswordURL()}
	limited := first
	limited.Form.Errors = map[string]Message{"": {Code: "password_limited", Params: map[string]any{"seconds": 15 * time.Minute}}}
	return []Sample{
		{"people", People(PeoplePage{Page: samplePage("Orang", "people"), People: people})},
		{"person-new", Person(refused)},
		{"person", Person(samplePerson(people[1].Name, people[1]))},
		{"person-disabled", Person(samplePerson(people[3].Name, people[3]))},
		{"person-last-admin", Person(last)},
		{"one-time-password", OneTimePassword(OneTimePasswordPage{Page: samplePage("Kata sandi sekali pakai", "people"), Person: people[2], Password: "K7QX-M2PD-RTHW-5ZCA", Added: true})},
		{"me", Me(sampleMe())},
		{"me-changed", Me(changed)},
		{"me-wrong", Me(wrong)},
		{"password-first", ChangePassword(first)},
		{"password-limited", ChangePassword(limited)},
	}
}
