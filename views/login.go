package views

// LoginPage asks who is there.
type LoginPage struct {
	Email     string
	Next      string
	Error     *Message // catalogue "fault." + Code
	Demo      []DemoPerson
	Simulator bool
	Here      string
}

// DemoPerson signs in with one click. Only with demo people there are any.
type DemoPerson struct{ Email, Name, Role string }
