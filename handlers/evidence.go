package handlers

import (
	"encoding/hex"
	"io"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

const bundleRows = 50

// showEvidence is the bundles of evidence about a merchant, and how far the one is that is being made.
func (h *handler) showEvidence(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	m, err := h.Reader.Merchant(ctx, id)
	if err != nil {
		return err
	}
	bundles, err := h.Reader.Bundles(ctx, id, bundleRows)
	if err != nil {
		return err
	}
	v := views.EvidencePage{MerchantID: int64(id), Merchant: m.Name}
	for _, b := range bundles {
		row := h.bundleView(b)
		v.Bundles, v.Underway = append(v.Bundles, row), v.Underway || row.Underway()
	}
	if wantsFragment(c) {
		return render(c, http.StatusOK, views.EvidenceList(v))
	}
	if v.Page, err = h.page(c, words.T(ctx, "evidence.title", "merchant", m.Name), "merchants"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Evidence(v))
}

func (h *handler) bundleView(b models.Bundle) views.BundleView {
	v := views.BundleView{ID: int64(b.ID), MerchantID: int64(b.MerchantID), State: string(b.State), Done: b.Done, Total: b.Total, Name: onboarding.EvidenceName(b), Size: b.Size, SHA256: hex.EncodeToString(b.SHA256),
		Language: b.Language, AskedBy: b.Asker, AskedAt: b.AskedAt, MadeAt: at(b.MadeAt), ExpiresAt: at(b.ExpiresAt)}
	if b.Problem != "" {
		v.Problem = &views.Message{Code: b.Problem}
	}
	if fault.Code(onboarding.EvidenceReady(b, h.Now())) == "evidence_expired" {
		v.State = "expired"
	}
	return v
}

func (h *handler) askEvidence(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	_, err = h.Service.AskEvidence(ctx, actor(c), id, words.From(ctx))
	switch {
	case fault.Code(err) == "evidence_underway":
		h.flash(c, "info", "evidence_underway")
	case err != nil:
		return err
	default:
		h.flash(c, "good", "evidence_asked")
	}
	return see(c, views.EvidenceURL(int64(id)))
}

// downloadEvidence sends a bundle as it is stored, and has that be in the trail before its first byte.
func (h *handler) downloadEvidence(c echo.Context) error {
	merchant, err := merchantID(c)
	if err != nil {
		return err
	}
	bundle, err := id[models.BundleID](c, "bundle")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	b, err := h.Reader.Bundle(ctx, bundle)
	if err == nil && b.MerchantID != merchant {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err == nil {
		err = onboarding.EvidenceReady(b, h.Now())
	}
	if err != nil {
		return err
	}
	head := bytesHeader(c, "application/zip")
	head.Set("Content-Disposition", `attachment; filename="`+onboarding.EvidenceName(b)+`"`)
	head.Set("Content-Length", strconv.FormatInt(b.Size, 10))
	head.Set("Accept-Ranges", "none")
	if c.Request().Method == http.MethodHead {
		return c.NoContent(http.StatusOK)
	}
	body, err := h.Service.OpenEvidence(ctx, actor(c), b)
	if err != nil {
		head.Del("Content-Disposition")
		head.Del("Content-Length")
		return err
	}
	defer body.Close()
	c.Response().WriteHeader(http.StatusOK)
	if _, err := io.Copy(c.Response(), body); err != nil {
		h.Log.Warn("evidence broke off", "id", requestID(c), "bundle", b.ID, "error", err)
		panic(http.ErrAbortHandler) // the reader must see that it is not whole
	}
	return nil
}

// evidenceOf leads to the evidence about a merchant, for those who may take it away.
func evidenceOf(c echo.Context, id models.MerchantID) string {
	if !can(c, auth.TakeEvidence) {
		return ""
	}
	return views.EvidenceURL(int64(id))
}
