package onboarding

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"berkas/internal/fault"
	"berkas/models"
)

// CreateMerchant stores a merchant and asks DOKU what it needs, for which it waits five seconds at most: the merchant is
// there whatever DOKU does. Without confirmed, merchants that look the same stop it with fault.Conflict
// possible_duplicate; LookAlikes tells which. fault.Invalid names the fields that were refused.
func (s *Service) CreateMerchant(ctx context.Context, actor models.Actor, form MerchantForm, confirmed bool) (models.MerchantID, error) {
	clean, err := form.read()
	if err != nil {
		return 0, err
	}
	if clean["responsible"] == "" && actor.Role == models.RoleStaff {
		clean["responsible"] = strconv.FormatInt(int64(actor.Person), 10)
	}
	if err := s.responsible(ctx, clean["responsible"]); err != nil {
		return 0, err
	}
	d, keys, err := s.dossier(models.Dossier{Merchant: models.Merchant{UID: newUID()}}, clean)
	if err != nil {
		return 0, err
	}
	if !confirmed {
		if err := s.unique(ctx, d.Merchant, keys); err != nil {
			return 0, err
		}
	}
	ready := false
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		c, err := s.placeInCombination(ctx, tx, &d)
		if err != nil {
			return err
		}
		ready = c.SetID != nil
		if err := tx.CreateMerchant(&d, keys); err != nil {
			return err
		}
		return s.follow(tx, d.Merchant.ID, c)
	})
	if err != nil {
		return 0, err
	}
	if !ready {
		s.awaitRequirements(ctx, d.Merchant.CombinationID)
	}
	return d.Merchant.ID, nil
}

// placeInCombination finds the checklist's combination for a merchant and has it read when it never was.
func (s *Service) placeInCombination(ctx context.Context, tx *models.Tx, d *models.Dossier) (models.Combination, error) {
	m := &d.Merchant
	c, err := tx.EnsureCombination(models.Combination{BusinessType: m.BusinessType, LegalEntity: m.LegalEntity, BusinessLine: m.BusinessLine, Nationality: m.Nationality})
	if err != nil {
		return c, err
	}
	m.CombinationID = c.ID
	if m.ProgressState == "" {
		m.ProgressState, m.NextActor = models.ProgressPending, models.NextDOKU
	}
	if c.SetID == nil {
		err = s.Queue.ReadRequirements(ctx, tx, c.ID)
	}
	return c, err
}

// awaitRequirements gives DOKU a moment to say what it needs. Whatever happens, the queued job goes on asking.
func (s *Service) awaitRequirements(ctx context.Context, id models.CombinationID) {
	ctx, cancel := within(ctx, requirementsWait)
	defer cancel()
	if err := s.ReadRequirements(ctx, id); err != nil {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "the checklist comes later", slog.Int64("combination", int64(id)), slog.String("why", problemOf(err)))
	}
}

// EditMerchant stores what was typed anew: what the form does not hold stays as it was. A changed combination brings the
// checklist of the new one; documents stay. A form with "seen", as Typed gave it, changes only what was changed in it;
// what somebody else changed meanwhile too is fault.Conflict merchant_changed, which names those fields and has the
// "seen" to save again with.
func (s *Service) EditMerchant(ctx context.Context, actor models.Actor, id models.MerchantID, form MerchantForm) error {
	before, err := s.Store.Dossier(ctx, id)
	if err != nil {
		return err
	}
	if before.Merchant.ArchivedAt != nil {
		return fault.New(fault.Conflict, "merchant_archived")
	}
	was, err := s.typed(before)
	if err != nil {
		return err
	}
	whole := maps.Clone(was)
	maps.Copy(whole, form)
	clean, err := whole.read()
	if err != nil {
		return err
	}
	for _, secret := range secretFields { // an empty post keeps what only its mask was shown of
		if clean[secret] == "" {
			clean[secret] = was[secret]
		}
	}
	if before.Merchant.Locked {
		for _, fixed := range []string{"business_type", "legal_entity", "business_line", "nationality"} {
			clean[fixed] = was[fixed]
		}
	}
	if err := s.merge(form["seen"], was, clean); err != nil {
		return err
	}
	changed := differences(was, clean)
	if len(changed) == 0 {
		return nil
	}
	if slices.Contains(changed, "responsible") { // whoever is it may stay it
		if err := s.responsible(ctx, clean["responsible"]); err != nil {
			return err
		}
	}
	d, keys, err := s.dossier(before, clean)
	if err != nil {
		return err
	}
	ready := true
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		c, err := s.placeInCombination(ctx, tx, &d)
		if err != nil {
			return err
		}
		if err := tx.EditMerchant(&d, keys, changed); err != nil {
			return err
		}
		if err := s.reopenChanged(tx, id); err != nil {
			return err
		}
		if c.ID == before.Merchant.CombinationID {
			return s.recount(tx, id)
		}
		if ready = c.SetID != nil; !ready {
			if err := tx.LeaveSet(id); err != nil {
				return err
			}
		}
		return s.follow(tx, id, c)
	})
	if err == nil && !ready {
		s.awaitRequirements(ctx, d.Merchant.CombinationID)
	}
	return err
}

// merge takes over into clean what others stored since the form was opened and this person did not touch.
func (s *Service) merge(seen string, was, clean MerchantForm) error {
	if len(seen) != markSize*len(merchantRules) { // nothing is known of what was seen
		return nil
	}
	var both []fault.Field
	next := ""
	for i, r := range merchantRules {
		saw, now := seen[i*markSize:(i+1)*markSize], s.mark(r.name, was[r.name])
		switch {
		case saw == now || clean[r.name] == was[r.name]:
		case s.mark(r.name, clean[r.name]) == saw:
			clean[r.name] = was[r.name]
		default:
			both = append(both, fault.Field{Name: r.name, Code: "changed_meanwhile", Params: shownValue(r.name, was[r.name])})
			saw = now
		}
		next += saw
	}
	if len(both) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Conflict, Code: "merchant_changed", Fields: both, Params: fault.Pairs("seen", next)}
}

// shownValue is what may be said of a value that somebody else stored: nothing where it is a number or a key.
func shownValue(name, value string) fault.Params {
	if value == "" || name == "responsible" || slices.Contains(secretFields, name) {
		return nil
	}
	return fault.Pairs("value", value)
}

const markSize = 8

// mark stands for a field's value in a form, and tells nothing of it.
func (s *Service) mark(name, value string) string {
	return hex.EncodeToString(s.Vault.Hash("form:"+name, value)[:markSize/2])
}

func (s *Service) seen(f MerchantForm) (marks string) {
	for _, r := range merchantRules {
		marks += s.mark(r.name, f[r.name])
	}
	return marks
}

// responsible refuses, as the form's field, a person whom no merchant can be given to. "" is nobody.
func (s *Service) responsible(ctx context.Context, id string) error {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil
	}
	known, err := s.Store.IsColleague(ctx, models.PersonID(n))
	if err == nil && !known {
		err = fault.Refused([]fault.Field{{Name: "responsible", Code: "unknown_choice"}})
	}
	return err
}

func differences(was, now MerchantForm) (names []string) {
	for _, r := range merchantRules {
		if was[r.name] != now[r.name] {
			names = append(names, r.name)
		}
	}
	return names
}

// ArchiveMerchant takes a merchant out of the lists; nothing is deleted. fault.Conflict registration_underway while DOKU has
// not said what came of a submission.
func (s *Service) ArchiveMerchant(ctx context.Context, actor models.Actor, id models.MerchantID) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := tx.LockMerchant(id)
		if err != nil {
			return err
		}
		if m.Locked && m.Registration != models.Registered {
			return fault.New(fault.Conflict, "registration_underway")
		}
		return tx.ArchiveMerchant(id)
	})
}

// RestoreMerchant brings an archived merchant back.
func (s *Service) RestoreMerchant(ctx context.Context, actor models.Actor, id models.MerchantID) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.RestoreMerchant(id) })
}

// MarkSample marks a merchant as made for the demonstration. It is no event of the merchant's own.
func (s *Service) MarkSample(ctx context.Context, actor models.Actor, id models.MerchantID) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.Audit(models.MerchantEdited, models.Ref{Kind: "merchant", ID: int64(id)}, "fields", []string{"sample"})
		return tx.SetSample(id)
	})
}

// Viewed records that a person was shown a merchant's page.
func (s *Service) Viewed(ctx context.Context, actor models.Actor, id models.MerchantID) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.ViewedMerchant(id)
		return nil
	})
}

// KeepMerchantOrder remembers how a person likes merchants sorted.
func (s *Service) KeepMerchantOrder(ctx context.Context, id models.PersonID, o models.MerchantOrder) error {
	return s.Store.Keep().KeepMerchantOrder(ctx, id, o)
}

// dossier applies a clean form to a dossier and makes the keyed hashes that go with it.
func (s *Service) dossier(d models.Dossier, f MerchantForm) (models.Dossier, []models.MerchantKey, error) {
	m := &d.Merchant
	m.Name, m.NameNormal = f["name"], NormalName(f["name"])
	m.BusinessType, m.LegalEntity, m.BusinessLine, m.Nationality = f["business_type"], f["legal_entity"], f["business_line"], f["nationality"]
	m.Description, m.Notes, m.NIB = f["description"], f["notes"], f["nib"]
	m.WebsiteReadiness, m.MobileAppReadiness = f["website_readiness"], f["mobile_app_readiness"]
	m.AddressStreet, m.AddressArea, m.AddressCountry = f["address_street"], f["address_area"], f["address_country"]
	m.BankID, m.BankName, m.BankAccountName = f["bank_id"], f["bank_name"], f["bank_account_name"]
	m.ResponsibleID, m.DueOn = nil, nil
	if id, err := strconv.ParseInt(f["responsible"], 10, 64); err == nil && id > 0 {
		person := models.PersonID(id)
		m.ResponsibleID = &person
	}
	if t, err := time.Parse(time.DateOnly, f["due_on"]); err == nil {
		m.DueOn = &t
	}
	m.Private = sealJSON(s, private{Email: f["email"], PhoneCallingCode: f["phone_calling_code"], PhoneNumber: f["phone_number"],
		NPWP: f["npwp"], BankAccountNumber: f["bank_account_number"]}, merchantSeal(m.UID))
	d.Contacts = []models.Contact{{Name: f["owner_name"], Position: orElse(f["owner_position"], "OWNER"), Nationality: orElse(f["owner_nationality"], m.Nationality), IsPrimary: true,
		Private: sealJSON(s, contactPrivate{Email: f["owner_email"], PhoneCallingCode: f["owner_phone_calling_code"], PhoneNumber: f["owner_phone_number"],
			BirthDate: f["owner_birth_date"], Gender: f["owner_gender"]}, contactSeal(m.UID))}}
	brand := models.Brand{Name: orElse(f["brand_name"], m.Name), Description: m.Description, Category: f["brand_category"],
		TransactionFrequency: f["transaction_frequency"], TransactionQuantity: f["transaction_quantity"], SocialMedia: []models.SocialMedia{}}
	if f["instagram"] != "" {
		brand.SocialMedia = append(brand.SocialMedia, models.SocialMedia{Code: "INSTAGRAM", Accounts: []string{f["instagram"]}})
	}
	d.Brands = []models.Brand{brand}
	return d, s.keys(f), nil
}

func (s *Service) keys(f MerchantForm) (keys []models.MerchantKey) {
	for _, k := range []struct{ source, kind, value string }{
		{"business", "email", strings.ToLower(f["email"])}, {"owner", "email", strings.ToLower(f["owner_email"])},
		{"business", "phone", wholePhone(f["phone_calling_code"], f["phone_number"])}, {"owner", "phone", wholePhone(f["owner_phone_calling_code"], f["owner_phone_number"])},
		{"business", "npwp", f["npwp"]},
	} {
		if k.value != "" {
			keys = append(keys, models.MerchantKey{Source: k.source, Kind: k.kind, Hash: s.Vault.Hash(k.kind, k.value)})
		}
	}
	return keys
}

func wholePhone(code, number string) string {
	if number == "" {
		return ""
	}
	return orElse(code, "62") + number
}

// secretFields are shown masked to everyone, in the form too.
var secretFields = []string{"npwp", "bank_account_number"}

// Typed is what was typed of a merchant, as its form shows it: numbers that are shown to nobody come masked under their
// name with "_masked". "seen" stands for all values as they are now: EditMerchant tells by it what was changed meanwhile.
func (s *Service) Typed(ctx context.Context, id models.MerchantID) (MerchantForm, error) {
	d, err := s.Store.Dossier(ctx, id)
	if err != nil {
		return nil, err
	}
	f, err := s.typed(d)
	if err != nil {
		return nil, err
	}
	f["seen"] = s.seen(f)
	for _, secret := range secretFields {
		f[secret+"_masked"] = Mask(f[secret])
		delete(f, secret)
	}
	return f, nil
}

// typed is the form of a dossier with everything in clear.
func (s *Service) typed(d models.Dossier) (MerchantForm, error) {
	m := d.Merchant
	p, err := openJSON[private](s, m.Private, merchantSeal(m.UID))
	if err != nil {
		return nil, err
	}
	f := MerchantForm{"name": m.Name, "business_type": m.BusinessType, "legal_entity": m.LegalEntity, "business_line": m.BusinessLine, "nationality": m.Nationality,
		"description": m.Description, "notes": m.Notes, "nib": m.NIB, "website_readiness": m.WebsiteReadiness, "mobile_app_readiness": m.MobileAppReadiness,
		"address_street": m.AddressStreet, "address_area": m.AddressArea, "address_country": m.AddressCountry,
		"bank_id": m.BankID, "bank_name": m.BankName, "bank_account_name": m.BankAccountName,
		"email": p.Email, "phone_calling_code": p.PhoneCallingCode, "phone_number": p.PhoneNumber, "npwp": p.NPWP, "bank_account_number": p.BankAccountNumber}
	if m.ResponsibleID != nil {
		f["responsible"] = strconv.FormatInt(int64(*m.ResponsibleID), 10)
	}
	if m.DueOn != nil {
		f["due_on"] = m.DueOn.Format(time.DateOnly)
	}
	for _, c := range d.Contacts[:min(1, len(d.Contacts))] {
		cp, err := openJSON[contactPrivate](s, c.Private, contactSeal(m.UID))
		if err != nil {
			return nil, err
		}
		f["owner_name"], f["owner_position"], f["owner_nationality"] = c.Name, c.Position, c.Nationality
		f["owner_email"], f["owner_phone_calling_code"], f["owner_phone_number"] = cp.Email, cp.PhoneCallingCode, cp.PhoneNumber
		f["owner_birth_date"], f["owner_gender"] = cp.BirthDate, cp.Gender
	}
	for _, b := range d.Brands[:min(1, len(d.Brands))] {
		f["brand_name"], f["brand_category"] = b.Name, b.Category
		f["transaction_frequency"], f["transaction_quantity"] = b.TransactionFrequency, b.TransactionQuantity
		for _, social := range b.SocialMedia {
			if social.Code == "INSTAGRAM" && len(social.Accounts) > 0 {
				f["instagram"] = social.Accounts[0]
			}
		}
	}
	return f, nil
}

// Shown is what a merchant's page may show of what was typed: personal numbers and addresses masked.
func (s *Service) Shown(d models.Dossier) (MerchantForm, error) {
	f, err := s.typed(d)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"npwp", "bank_account_number", "phone_number", "owner_phone_number"} {
		f[name] = Mask(f[name])
	}
	for _, name := range []string{"email", "owner_email"} {
		f[name] = maskEmail(f[name])
	}
	if f["owner_birth_date"] != "" {
		f["owner_birth_date"] = "••••-••-••"
	}
	return f, nil
}

// LookAlikes are merchants that share a name, phone or e-mail with what is typed; at most ten.
func (s *Service) LookAlikes(ctx context.Context, form MerchantForm) ([]models.LookAlike, error) {
	clean, err := form.read()
	if err != nil {
		return nil, err
	}
	return s.lookAlikes(ctx, models.Merchant{NameNormal: NormalName(clean["name"])}, s.keys(clean))
}

func (s *Service) lookAlikes(ctx context.Context, m models.Merchant, keys []models.MerchantKey) ([]models.LookAlike, error) {
	var hashes [][]byte
	for _, k := range keys {
		if k.Kind == "phone" || k.Kind == "email" {
			hashes = append(hashes, k.Hash)
		}
	}
	return s.Store.LookAlikes(ctx, m.ID, m.NameNormal, hashes)
}

func (s *Service) unique(ctx context.Context, m models.Merchant, keys []models.MerchantKey) error {
	same, err := s.lookAlikes(ctx, m, keys)
	if err == nil && len(same) > 0 {
		err = fault.New(fault.Conflict, "possible_duplicate")
	}
	return err
}

// NormalName is a name as it is compared and searched: no case, no accents, no punctuation, single spaces.
func NormalName(name string) string {
	plain, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn))), name)
	if err != nil {
		plain = name
	}
	return strings.Join(strings.FieldsFunc(strings.ToLower(plain), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// newUID is a random UUID, version 4. Sealed columns are bound to it before the row has an id.
func newUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
