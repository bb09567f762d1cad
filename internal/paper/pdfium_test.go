package paper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// The one binary in the tree is the one that was published.
func TestPDFiumIsUnaltered(t *testing.T) {
	t.Parallel()
	wasm, err := inflate(pdfiumWasm)
	if err != nil {
		t.Fatal(err)
	}
	const published = "71aec412a303a0405baee21c3d6d3f30ad2033dc02444130fe476be3976e2d09"
	if sum := fmt.Sprintf("%x", sha256.Sum256(wasm)); sum != published {
		t.Errorf("its SHA-256 is %s", sum)
	}
	for name, says := range map[string]string{
		"README.md":             published,
		"LICENSE.pdfium":        "Copyright 2014 The PDFium Authors",
		"LICENSE.hyzyla-pdfium": "Permission is hereby granted",
		"LICENSE.third-party":   "FreeType",
	} {
		text, err := os.ReadFile("pdfium/" + name)
		if err != nil || !strings.Contains(string(text), says) {
			t.Errorf("%s does not say %q: %v", name, says, err)
		}
	}
}

// endless is a module whose function "run" loops forever:
//
//	(module (import "env" "tick" (func (result f64))) (global i32 (i32.const 7))
//	  (func (export "run") (loop br 0)))
var endless = slices.Concat(
	[]byte{0, 'a', 's', 'm', 1, 0, 0, 0},
	[]byte{1, 8, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7c},
	[]byte{2, 12, 1, 3, 'e', 'n', 'v', 4, 't', 'i', 'c', 'k', 0, 1},
	[]byte{3, 2, 1, 0},
	[]byte{6, 6, 1, 0x7f, 0, 0x41, 7, 0x0b},
	[]byte{7, 7, 1, 3, 'r', 'u', 'n', 0, 1},
	[]byte{10, 9, 1, 7, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b},
)

func TestInterruptible(t *testing.T) {
	t.Parallel()
	wasm, err := interruptible(endless, "tick")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	machine := wazero.NewRuntime(t.Context())
	defer machine.Close(t.Context())
	ticking := func(ctx context.Context) float64 {
		stopWhenDone(ctx, nil, make([]uint64, 1))
		return 0
	}
	if _, err := machine.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(ticking).Export("tick").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	module, err := machine.Instantiate(ctx, wasm)
	if err != nil {
		t.Fatal(err)
	}
	go runtime.GC() // it would wait for the loop for ever
	if _, err := module.ExportedFunction("run").Call(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the endless loop ended with %v", err)
	}
}

func TestForeignWasmIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := interruptible(endless, "tock"); !errors.Is(err, errWasm) {
		t.Errorf("without a tick: %v", err)
	}
	for n := len(endless) - 10; n < len(endless); n++ {
		if _, err := interruptible(endless[:n], "tick"); !errors.Is(err, errWasm) {
			t.Errorf("%d of %d bytes: %v", n, len(endless), err)
		}
	}
	unknown := bytes.Clone(endless)
	unknown[len(unknown)-4] = 0xfe // an instruction of threads
	if _, err := interruptible(unknown, "tick"); !errors.Is(err, errWasm) {
		t.Errorf("an unknown instruction: %v", err)
	}
}

func TestInspectorRestsAndComesBack(t *testing.T) {
	t.Parallel()
	base := inspector(t)
	i, err := NewInspector(base.pdfium.options)
	if err != nil {
		t.Fatal(err)
	}
	compiled := 0
	i.pdfium.options.Compile = func(ctx context.Context) error {
		compiled++
		return Compile(ctx, i.pdfium.options.CacheDir)
	}
	for range 2 {
		if err := i.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		i.pdfium.rest()
		if i.pdfium.engine != nil {
			t.Error("does not rest")
		}
	}
	if compiled != 1 {
		t.Errorf("compiled %d times", compiled)
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if err := i.Warm(t.Context()); err == nil {
		t.Error("works although it is closed")
	}
}
