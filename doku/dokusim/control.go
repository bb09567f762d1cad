package dokusim

import (
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"berkas/doku"
)

// ErrUnknownBusiness says that no business or brand has the id.
var ErrUnknownBusiness = errors.New("dokusim: no business or brand has this id")

// ErrUnknownFile says that no upload has the id.
var ErrUnknownFile = errors.New("dokusim: no upload has this id")

// FileInfo is an upload, as GET /_simulator/files shows it.
type FileInfo struct {
	ID          string    `json:"id"`
	Category    string    `json:"category"`
	Code        string    `json:"code"`
	ContentType string    `json:"content_type"`
	Size        int64     `json:"size"`
	SHA256      string    `json:"sha256"`   // of the bytes as received, hexadecimal
	Attached    string    `json:"attached"` // the id it was attached under last, "" while unattached
	At          time.Time `json:"at"`
}

// BusinessInfo is a registered business, as GET /_simulator/businesses shows it.
type BusinessInfo struct {
	ID              string      `json:"id"`
	PartnerRefID    string      `json:"partner_ref_id,omitempty"`
	Name            string      `json:"name"`
	Lite            bool        `json:"lite"`
	Status          string      `json:"status"`
	RejectionReason string      `json:"rejection_reason"`
	CallbackURL     string      `json:"callback_url,omitempty"`
	Brands          []BrandInfo `json:"brands"`
	At              time.Time   `json:"at"`
}

// BrandInfo is a brand of a BusinessInfo.
type BrandInfo struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// Status is what verification came to.
type Status struct {
	Status          string `json:"status"`           // of the business; "" leaves it
	BrandStatus     string `json:"brand_status"`     // of all its brands; "" is the same as Status
	RejectionReason string `json:"rejection_reason"` // "" takes it away
}

// Files lists the uploads, oldest first.
func (s *Simulator) Files() []FileInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []FileInfo{}
	for _, id := range s.state.order {
		f := s.state.files[id]
		list = append(list, FileInfo{f.ID, f.Category, f.Code, f.ContentType, f.Size, f.SHA256, f.attachedAs, f.At})
	}
	return list
}

// LoseFile forgets an upload: a registration that names it is refused. What was attached stays.
func (s *Simulator) LoseFile(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.state.files[id]; f == nil || f.Upload != "" {
		return ErrUnknownFile
	}
	return s.commit(change{Lost: id})
}

// Businesses lists the businesses, oldest first.
func (s *Simulator) Businesses() []BusinessInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []BusinessInfo{}
	for _, id := range s.state.created {
		list = append(list, s.state.businesses[id].info())
	}
	return list
}

func (b *business) info() BusinessInfo {
	i := BusinessInfo{ID: b.ID, PartnerRefID: b.PartnerRefID, Lite: b.Lite != nil, Status: b.Status, RejectionReason: b.Reason, At: b.At}
	if b.Lite != nil {
		i.Name = b.Lite.Name
	} else {
		i.Name, i.CallbackURL = b.Form.Name, b.Form.CallbackURL
	}
	for _, brand := range b.Brands {
		i.Brands = append(i.Brands, BrandInfo{brand.ID, brand.Status})
	}
	return i
}

// SetStatus says what verification of a business came to, named by its id or a brand's. It returns ErrUnknownBusiness.
func (s *Simulator) SetStatus(id string, st Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.state.businesses[id]
	if b == nil {
		return ErrUnknownBusiness
	}
	changed := *b
	changed.Brands = slices.Clone(b.Brands)
	changed.Reason = st.RejectionReason
	if st.Status != "" {
		changed.Status = st.Status
	}
	for i := range changed.Brands {
		if brand := st.BrandStatus; brand != "" || st.Status != "" {
			changed.Brands[i].Status = choose(brand != "", brand, st.Status)
		}
	}
	if err := s.commit(change{Business: &changed}); err != nil {
		return err
	}
	s.callBack(&changed)
	return nil
}

// Requests counts the calls received since the start or the last Reset, by the Call constants and CallLink. A call that a
// fault hit counts too.
func (s *Simulator) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.tally)
}

// SetRequirements replaces or adds the answer of Check Requirements for a combination; nil brings the matrix back.
func (s *Simulator) SetRequirements(c doku.Combination, answer json.RawMessage) error {
	if answer == nil {
		answer = json.RawMessage("null")
	}
	if string(answer) != "null" {
		if _, err := doku.ParseRequirements(answer); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(change{Overrides: []override{{c, answer}}})
}

// Assume reads the switches.
func (s *Simulator) Assume() Assumptions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assume
}

// SetAssume turns the switches until the process ends.
func (s *Simulator) SetAssume(a Assumptions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assume = a
}

// Reset ends faults, counts and replaced requirements and sets the clock right. Files and businesses stay.
func (s *Simulator) Reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearFaults()
	clear(s.tally)
	var zero time.Duration
	c := change{Offset: &zero, Overrides: s.state.overridden()}
	for i := range c.Overrides {
		c.Overrides[i].Answer = json.RawMessage("null")
	}
	return s.commit(c)
}

// Forget is Reset and loses files and businesses too. Tokens stay good.
func (s *Simulator) Forget() error {
	if err := s.Reset(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	empty := newState()
	empty.signer, empty.lastID = s.state.signer, s.state.lastID
	j, err := rewriteJournal(filepath.Join(s.dir, "journal"), s.vault.key, !s.scratch, empty.compact(s.now()))
	if err != nil {
		return err
	}
	s.journal.file.Close()
	s.journal, s.state = j, empty
	return s.vault.sweep(func(string) bool { return false })
}
