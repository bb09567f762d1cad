package onboarding

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

// Register registers a merchant's business at DOKU with the file ids of its documents and remembers where each went.
// Every slot DOKU asks for must be delivered, else fault.Conflict. After an *doku.Error the business may or may not
// exist: calling again with the same request id is safe for as long as DOKU remembers it.
func (s *Service) Register(ctx context.Context, actor models.Actor, id models.MerchantID, requestID string) error {
	d, err := s.Store.Dossier(ctx, id)
	if err != nil {
		return err
	}
	rows, err := s.Store.ChecklistRows(ctx, id)
	if err != nil {
		return err
	}
	if d.Merchant.ProgressState != models.ProgressComplete {
		return fault.New(fault.Conflict, "conflict")
	}
	body, attachments, err := s.registration(d, rows)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	business, err := s.DOKU.RegisterBusiness(ctx, requestID, raw)
	if err != nil {
		return err
	}
	if len(business.Brands) == 0 {
		return fmt.Errorf("onboarding: business %s came without a brand", business.ID)
	}
	brand := business.Brands[0]
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		key := s.Vault.SealString(string(brand.SharedKey), sharedKeySeal(d.Merchant.UID))
		if err := tx.RegisterMerchant(id, business.ID, brand.ID, business.Status, key); err != nil {
			return err
		}
		if err := tx.Attach(attachments); err != nil {
			return err
		}
		return s.recount(tx, id)
	})
}

// registration is the body of Business Registration, field by field, and where each document stands in it.
func (s *Service) registration(d models.Dossier, rows []models.ChecklistRow) (*doku.RegistrationBody, []models.Attachment, error) {
	f, err := s.typed(d)
	if err != nil {
		return nil, nil, err
	}
	m := d.Merchant
	brand := doku.BrandForm{Name: f["brand_name"], Category: orElse(f["brand_category"], "RETAIL"), Description: orElse(m.Description, m.Name),
		TransactionFrequency: f["transaction_frequency"], TransactionQuantity: f["transaction_quantity"]}
	for _, b := range d.Brands {
		for _, social := range b.SocialMedia {
			brand.SocialMedia = append(brand.SocialMedia, doku.SocialMedia{Code: social.Code, Accounts: social.Accounts})
		}
	}
	contact := doku.ContactForm{Name: f["owner_name"], Email: f["owner_email"], Nationality: f["owner_nationality"], Position: f["owner_position"], Primary: true,
		PhoneCallingCode: orElse(f["owner_phone_calling_code"], "62"), PhoneNumber: f["owner_phone_number"]}
	business := doku.BusinessForm{Type: m.BusinessType, LegalEntity: m.LegalEntity, Name: m.Name, Description: m.Description,
		Email: f["email"], PhoneCallingCode: orElse(f["phone_calling_code"], "62"), PhoneNumber: f["phone_number"],
		WebsiteReadiness: orElse(m.WebsiteReadiness, "DONT_HAVE"), MobileAppReadiness: orElse(m.MobileAppReadiness, "DONT_HAVE"),
		Addresses: []doku.AddressForm{{Area: m.AddressArea, Country: orElse(m.AddressCountry, m.Nationality), Name: m.AddressStreet, Primary: true}}}
	if f["bank_account_number"] != "" {
		business.BankAccount = &doku.BankAccount{AccountName: m.BankAccountName, AccountNumber: f["bank_account_number"], BankID: m.BankID, BankName: m.BankName, Country: "ID", Currency: "IDR"}
	}
	var attachments []models.Attachment
	attach := func(document models.DocumentID, format string, args ...any) {
		attachments = append(attachments, models.Attachment{MerchantID: m.ID, DocumentID: document, Place: fmt.Sprintf(format, args...)})
	}
	for _, row := range rows {
		doc := row.Newest()
		if !Asked(row) || doc == nil || doc.State != models.Delivered {
			continue
		}
		switch {
		case row.Category == doku.CategoryPhotoProof:
			attach(doc.ID, "business.brands[0].photo_proofs[%d]", len(brand.PhotoProofs))
			brand.PhotoProofs = append(brand.PhotoProofs, doku.FileRef{ID: doc.FileID})
		case row.Category == doku.CategoryOwnerLiveness && contact.OwnerLiveness == nil:
			attach(doc.ID, "business.contacts[0].owner_liveness")
			contact.OwnerLiveness = &doku.FileRef{ID: doc.FileID}
		case row.Category == doku.CategoryDocument:
			form, err := s.documentForm(m, row, doc)
			if err != nil {
				return nil, nil, err
			}
			if strings.HasPrefix(row.OwnerPath, "business.contact") {
				attach(doc.ID, "business.contacts[0].documents[%d]", len(contact.Documents))
				contact.Documents = append(contact.Documents, form)
			} else {
				attach(doc.ID, "business.documents[%d]", len(business.Documents))
				business.Documents = append(business.Documents, form)
			}
		}
	}
	business.Brands, business.Contacts = []doku.BrandForm{brand}, []doku.ContactForm{contact}
	return &doku.RegistrationBody{Business: business}, attachments, nil
}

func (s *Service) documentForm(m models.Merchant, row models.ChecklistRow, doc *models.Document) (doku.DocumentForm, error) {
	form := doku.DocumentForm{Code: row.Code, Category: row.Category, ID: doc.FileID}
	for _, f := range row.Fields {
		v, err := s.Vault.OpenString(f.Value, fieldSeal(m.UID, row.Slot, f.Code))
		if err != nil {
			return form, err
		}
		form.Forms = append(form.Forms, doku.FormValue{Code: f.Code, Value: v})
	}
	return form, nil
}
