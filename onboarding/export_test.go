package onboarding

import "time"

var (
	CleanName = cleanName
	Phone     = phone
	Backoff   = backoff
)

// Read is what a form's own rules make of it.
func (f MerchantForm) Read() (MerchantForm, error) { return f.read() }

// Patience is how long the service waits for a byte from DOKU's storage.
func (s *Service) Patience(d time.Duration) { s.patience = d }

// Gravest and SaysTooMuch are rules of reasons and messages.
var (
	Gravest     = gravest
	SaysTooMuch = saysTooMuch
)
