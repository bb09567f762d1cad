package main

import "testing"

func measurePages(b *testing.B, t *table)   {}
func measureBrowser(b *testing.B, t *table) {}
