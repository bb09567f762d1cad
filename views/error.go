package views

import (
	"context"
	"strconv"

	"berkas/internal/words"
)

func (v ErrorPage) title(ctx context.Context) string {
	if key := "error.title." + strconv.Itoa(v.Status); words.Has(key) {
		return say(ctx, key)
	}
	return say(ctx, "error.title.other")
}

func (v ErrorPage) back() string {
	if v.Back != "" {
		return v.Back
	}
	return HomeURL()
}

func (v ErrorPage) backText(ctx context.Context) string {
	if v.Retry && v.Page == nil {
		return say(ctx, "app.try_again")
	}
	return say(ctx, "error.back")
}
