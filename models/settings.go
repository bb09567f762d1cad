package models

import (
	"context"
	"encoding/json"
	"time"
)

// ReviewSettings are what admins set of the review, and what it is measured by.
type ReviewSettings struct {
	LeaseMinutes int      `json:"lease_minutes"` // how long a document stays with the reviewer who opened it
	WithinHours  int      `json:"within_hours"`  // a document that waits longer for a reviewer is late
	RemindDays   []int    `json:"remind_days"`   // after a message, when the staff are told that the merchant has not answered
	SecondEyes   []string `json:"second_eyes"`   // the codes, outside DOCUMENT the categories, that two reviewers must approve
	WeeklyTarget int      `json:"weekly_target"` // registrations a week that are aimed at, 0 for none
}

// defaultReview holds until an admin sets something else.
var defaultReview = ReviewSettings{LeaseMinutes: 5, WithinHours: 24, RemindDays: []int{3, 7}, SecondEyes: []string{}}

// ReviewSettings as they are now.
func (r Reader) ReviewSettings(ctx context.Context) (ReviewSettings, error) {
	s := defaultReview
	rows, err := scan[string](ctx, r, `select value::text from settings where name = 'review'`)
	if err == nil && len(rows) > 0 {
		err = json.Unmarshal([]byte(rows[0]), &s)
	}
	return s, err
}

// ReviewSettings as the transaction sees them.
func (tx *Tx) ReviewSettings() (ReviewSettings, error) {
	return Reader{db: tx.g}.ReviewSettings(tx.ctx)
}

// SetReview changes the settings of the review.
func (tx *Tx) SetReview(s ReviewSettings) error {
	tx.Audit(SettingsChanged, Somewhere("settings"), "lease_minutes", s.LeaseMinutes, "within_hours", s.WithinHours, "remind_days", s.RemindDays, "second_eyes", s.SecondEyes,
		"weekly_target", s.WeeklyTarget)
	return tx.setSettings("review", s)
}

func (tx *Tx) setSettings(name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return translate(tx.g.Exec(`insert into settings (name, value, updated_at) values (?, ?::jsonb, ?)
		on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at`, name, string(raw), tx.Now).Error)
}

// RegistrationSettings are what admins set of registering at DOKU.
type RegistrationSettings struct {
	FourEyes bool `json:"four_eyes"` // whoever approved the last document may not also register
	Replay   bool `json:"replay"`    // DOKU is taken to honour a repeated Request-Id: what got no readable answer goes again
}

// RegistrationSettings as they are now: both on until an admin sets something else.
func (r Reader) RegistrationSettings(ctx context.Context) (RegistrationSettings, error) {
	s := RegistrationSettings{FourEyes: true, Replay: true}
	rows, err := scan[string](ctx, r, `select value::text from settings where name = 'registration'`)
	if err == nil && len(rows) > 0 {
		err = json.Unmarshal([]byte(rows[0]), &s)
	}
	return s, err
}

// RegistrationSettings as the transaction sees them.
func (tx *Tx) RegistrationSettings() (RegistrationSettings, error) {
	return Reader{db: tx.g}.RegistrationSettings(tx.ctx)
}

// SetRegistration changes the settings of registering.
func (tx *Tx) SetRegistration(s RegistrationSettings) error {
	tx.Audit(SettingsChanged, Somewhere("settings"), "four_eyes", s.FourEyes, "replay", s.Replay)
	return tx.setSettings("registration", s)
}

// ReasonSetting is what admins set of one reason. Empty texts leave the program's own.
type ReasonSetting struct {
	Code      string   `gorm:"primaryKey"`
	OffFor    []string `gorm:"serializer:json"` // codes, outside DOCUMENT categories, for which it is not offered; "*" for all
	TextID    string   `gorm:"column:text_id"`
	TextEN    string   `gorm:"column:text_en"`
	UpdatedAt time.Time
}

// ReasonSettings are those that were set.
func (r Reader) ReasonSettings(ctx context.Context) ([]ReasonSetting, error) {
	return find[ReasonSetting](r.db.WithContext(ctx).Order("code").Limit(500))
}

// SetReason changes what is set of a reason.
func (tx *Tx) SetReason(s ReasonSetting) error {
	off, err := json.Marshal(s.OffFor)
	if err != nil {
		return err
	}
	tx.Audit(SettingsChanged, Somewhere("settings"), "reason", s.Code, "off_for", s.OffFor, "own_text", s.TextID != "" || s.TextEN != "")
	return translate(tx.g.Exec(`insert into reason_settings (code, off_for, text_id, text_en, updated_at) values (?, ?::jsonb, ?, ?, ?)
		on conflict (code) do update set off_for = excluded.off_for, text_id = excluded.text_id, text_en = excluded.text_en, updated_at = excluded.updated_at`,
		s.Code, string(off), s.TextID, s.TextEN, tx.Now).Error)
}
