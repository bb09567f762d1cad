package views

import "context"

type themeKey struct{}

// WithTheme says which theme pages made from ctx are drawn in: light, dark, or "" for the system's.
func WithTheme(ctx context.Context, theme string) context.Context {
	return context.WithValue(ctx, themeKey{}, theme)
}

func theme(ctx context.Context) string {
	chosen, _ := ctx.Value(themeKey{}).(string)
	return chosen
}

// colorSchemes is the theme as browsers name it, for the canvas they draw before the style sheet is there.
func colorSchemes(ctx context.Context) string {
	if chosen := theme(ctx); chosen != "" {
		return chosen
	}
	return "light dark"
}
