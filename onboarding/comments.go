package onboarding

import (
	"context"
	"unicode/utf8"

	"berkas/internal/fault"
	"berkas/models"
)

// MaxComment is how long a comment may be, in characters.
const MaxComment = 2000

// Comment keeps what a colleague writes about a merchant, for colleagues only.
func (s *Service) Comment(ctx context.Context, actor models.Actor, id models.MerchantID, text string) error {
	switch text = manyLines(text); {
	case text == "":
		return fault.New(fault.Invalid, "comment_required")
	case utf8.RuneCountInString(text) > MaxComment:
		return fault.New(fault.Invalid, "too_long", "max", MaxComment)
	}
	if _, err := s.Store.Merchant(ctx, id); err != nil {
		return err
	}
	v := models.Comment{UID: newUID(), MerchantID: id}
	v.Body = s.Vault.SealString(text, bodySeal("comments", v.UID))
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.AddComment(&v) })
}

// Written is a comment with its text opened.
type Written struct {
	models.Comment
	Text string
}

// Comments on a merchant, newest first.
func (s *Service) Comments(ctx context.Context, id models.MerchantID) ([]Written, error) {
	rows, err := s.Store.Comments(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.OpenComments(rows)
}

// OpenComments opens their texts.
func (s *Service) OpenComments(rows []models.Comment) (list []Written, err error) {
	for _, v := range rows {
		text, err := s.Vault.OpenString(v.Body, bodySeal("comments", v.UID))
		if err != nil {
			return nil, err
		}
		list = append(list, Written{v, text})
	}
	return list, nil
}
