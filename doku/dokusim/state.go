package dokusim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"berkas/doku"
)

// remembered is how long a Request-Id is: DOKU does not say (assumed).
const remembered = 24 * time.Hour

// state is everything the simulator must not forget. It changes only through Simulator.commit.
type state struct {
	files      map[string]*file
	order      []string             // ids of uploaded files, oldest first
	businesses map[string]*business // by business id and by each brand id
	created    []string             // ids of businesses, oldest first
	replies    map[string]*reply
	overrides  map[doku.Combination]json.RawMessage
	offset     time.Duration // what the clock is ahead of real time
	signer     *rsa.PrivateKey
	lastID     int64 // the highest millisecond in any id
	changes    int   // applied since the journal was written anew
}

// change is one step of the state, as the journal keeps it: all of it or nothing.
type change struct {
	Files     []*file        `json:"files,omitempty"`
	Business  *business      `json:"business,omitempty"`
	Reply     *reply         `json:"reply,omitempty"`
	Lost      string         `json:"lost,omitempty"` // the id of an upload
	Overrides []override     `json:"overrides,omitempty"`
	Offset    *time.Duration `json:"offset,omitempty"`
	Signer    []byte         `json:"signer,omitempty"` // PKCS #8
}

// file is an upload, or an upload as attached to a business under a new id.
type file struct {
	ID          string    `json:"id"`
	Upload      string    `json:"upload,omitempty"`   // of an attached file: the upload's id, which names the bytes
	Business    string    `json:"business,omitempty"` // of an attached file
	Partner     string    `json:"partner"`
	Category    string    `json:"category"`
	Code        string    `json:"code,omitempty"`
	Extension   string    `json:"extension"`
	ContentType string    `json:"content_type"`
	Size        int64     `json:"size"`
	SHA256      string    `json:"sha256"`
	At          time.Time `json:"at"`
	attachedAs  string
}

// blob is the name of the bytes in the vault.
func (f *file) blob() string {
	if f.Upload != "" {
		return f.Upload
	}
	return f.ID
}

// business is a registered business. The ids of files in Form are those they were attached under.
type business struct {
	ID           string             `json:"id"`
	Partner      string             `json:"partner"`
	PartnerRefID string             `json:"partner_ref_id,omitempty"`
	Form         *doku.BusinessForm `json:"form,omitempty"` // nil for a Lite shell
	Lite         *doku.LiteBusiness `json:"lite,omitempty"`
	Brands       []brand            `json:"brands"`
	Status       string             `json:"status"`
	Reason       string             `json:"reason,omitempty"`
	At           time.Time          `json:"at"`
}

type brand struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	SharedKey string `json:"shared_key"`
}

// reply is the first answer to a Request-Id, to be repeated with 409.
type reply struct {
	Key     string    `json:"key"`
	Of      string    `json:"of"` // path and digest of the request
	Body    []byte    `json:"body"`
	Assumed bool      `json:"assumed,omitempty"`
	At      time.Time `json:"at"`
}

func newState() *state {
	return &state{
		files: map[string]*file{}, businesses: map[string]*business{}, replies: map[string]*reply{},
		overrides: map[doku.Combination]json.RawMessage{},
	}
}

func (st *state) apply(c change) {
	st.changes++
	for _, f := range c.Files {
		st.addFile(f)
	}
	if b := c.Business; b != nil {
		st.addBusiness(b)
	}
	if c.Reply != nil {
		st.replies[c.Reply.Key] = c.Reply
	}
	if c.Lost != "" {
		delete(st.files, c.Lost)
		st.order = slices.DeleteFunc(st.order, func(id string) bool { return id == c.Lost })
	}
	for _, o := range c.Overrides {
		if string(o.Answer) == "null" {
			delete(st.overrides, o.Combination)
		} else {
			st.overrides[o.Combination] = o.Answer
		}
	}
	if c.Offset != nil {
		st.offset = *c.Offset
	}
	if c.Signer != nil {
		if key, err := x509.ParsePKCS8PrivateKey(c.Signer); err == nil {
			st.signer, _ = key.(*rsa.PrivateKey)
		}
	}
}

func (st *state) addFile(f *file) {
	st.note(f.ID)
	st.files[f.ID] = f
	if f.Upload == "" {
		st.order = append(st.order, f.ID)
	} else if origin := st.files[f.Upload]; origin != nil {
		origin.attachedAs = f.ID
	}
}

func (st *state) addBusiness(b *business) {
	if st.businesses[b.ID] == nil {
		st.created = append(st.created, b.ID)
	}
	st.note(b.ID)
	st.businesses[b.ID] = b
	for _, brand := range b.Brands {
		st.note(brand.ID)
		st.businesses[brand.ID] = b
	}
}

// note remembers the millisecond of an id, so that none is given twice, not even when the clock is set back.
func (st *state) note(id string) {
	if ms, err := strconv.ParseInt(id[strings.LastIndexByte(id, '-')+1:], 10, 64); err == nil {
		st.lastID = max(st.lastID, ms)
	}
}

// newID makes an id of DOKU's form, <3 letters>-<4 digits>-<13 digits of milliseconds>.
func (st *state) newID(prefix string, now time.Time) string {
	st.lastID = max(st.lastID+1, now.UnixMilli())
	return fmt.Sprintf("%s-0104-%013d", prefix, st.lastID)
}

func (st *state) overridden() []override {
	var list []override
	for c, a := range st.overrides {
		list = append(list, override{Combination: c, Answer: a})
	}
	return list
}

// compact is the shortest list of changes that leads to this state, without replies that are too old to be asked for.
func (st *state) compact(now time.Time) []change {
	first := change{Offset: &st.offset, Overrides: st.overridden()}
	if st.signer != nil {
		first.Signer, _ = x509.MarshalPKCS8PrivateKey(st.signer)
	}
	list := []change{first}
	for _, id := range st.order {
		list = append(list, change{Files: []*file{st.files[id]}})
	}
	for _, f := range st.files {
		if f.Upload != "" {
			list = append(list, change{Files: []*file{f}})
		}
	}
	for _, id := range st.created {
		list = append(list, change{Business: st.businesses[id]})
	}
	for _, r := range st.replies {
		if r.fresh(now) {
			list = append(list, change{Reply: r})
		}
	}
	return list
}

func (r *reply) fresh(now time.Time) bool { return now.Sub(r.At) < remembered }

const keyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newSharedKey is SK- and 20 characters.
func newSharedKey() string {
	b := make([]byte, 0, 20)
	for len(b) < cap(b) {
		var one [1]byte
		_, _ = rand.Read(one[:])
		if int(one[0]) < 4*len(keyAlphabet) { // no letter likelier than another
			b = append(b, keyAlphabet[int(one[0])%len(keyAlphabet)])
		}
	}
	return "SK-" + string(b)
}
