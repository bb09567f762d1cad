package views

import (
	"context"
	"time"

	"berkas/internal/words"
)

func flashTone(kind string) string {
	switch kind {
	case "good", "bad":
		return kind
	}
	return "info"
}

func navIcon(key string) string {
	switch key {
	case "home":
		return "desk"
	case "merchants":
		return "store"
	case "review":
		return "eye"
	case "insights":
		return "chart"
	case "audit":
		return "history"
	case "people", "me":
		return "people"
	case "health":
		return "pulse"
	case "settings":
		return "sliders"
	}
	return "file"
}

func dokuText(ctx context.Context, d DOKUView) string {
	switch d.State {
	case "fine":
		if d.Latency > 0 {
			if d.Latency < 100*time.Millisecond {
				return say(ctx, "doku.fine", "latency", span(ctx, d.Latency))
			}
			return say(ctx, "doku.fine", "latency", d.Latency)
		}
		return say(ctx, "doku.fine")
	case "down":
		if !d.Since.IsZero() {
			return say(ctx, "doku.down", "since", words.Moment(ctx, d.Since))
		}
		return say(ctx, "doku.down")
	}
	return say(ctx, "doku.unknown")
}
