package paper

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/emscripten"
)

//go:embed pdfium/pdfium.wasm.gz
var pdfiumWasm []byte

const (
	// idle is how long pdfium stays in memory without a PDF. It takes 20 MB, and 50 ms to come back.
	idle = time.Minute

	// wasmBase is what pdfium's memory is before it has read anything.
	wasmBase = 19 << 20
	wasmPage = 64 << 10
)

// pdfium is the PDF library, compiled to WebAssembly and from that to machine code. Each document gets an instance of
// its own, which is thrown away with everything the document did to it: making one takes 2 ms. One at a time.
type pdfium struct {
	options Options
	turn    chan struct{} // held by whoever uses the fields below

	prepared bool // Options.Compile has run
	engine   *engine
	retire   *time.Timer
	closed   bool
}

func newPDFium(o Options) *pdfium {
	return &pdfium{options: o, turn: make(chan struct{}, 1)}
}

// Compile fills cacheDir with what pdfium compiles to on this machine, unless it is there already.
func Compile(ctx context.Context, cacheDir string) error {
	e, err := newEngine(ctx, cacheDir, 96<<20)
	if err != nil {
		return err
	}
	return e.close(ctx)
}

func (p *pdfium) lock(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pdfium) unlock() { <-p.turn }

func (p *pdfium) warm(ctx context.Context) error {
	if err := p.lock(ctx); err != nil {
		return err
	}
	defer p.unlock()
	return p.start(ctx)
}

// start makes the engine ready; the caller holds the turn.
func (p *pdfium) start(ctx context.Context) error {
	switch {
	case p.closed:
		return errors.New("paper: the inspector is closed")
	case p.engine != nil:
		p.retire.Reset(idle)
		return nil
	}
	if p.options.Compile != nil && !p.prepared {
		if err := p.options.Compile(ctx); err != nil {
			return fmt.Errorf("paper: compiling pdfium: %w", err)
		}
		p.prepared = true
	}
	// Not under ctx: what is compiled serves others too.
	e, err := newEngine(context.WithoutCancel(ctx), p.options.CacheDir, p.options.Memory)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // the compiler's garbage: 15 MB from the cache, 100 MB without
	p.engine = e
	p.retire = time.AfterFunc(idle, p.rest)
	return nil
}

// rest lets go of an engine that nobody used for a while.
func (p *pdfium) rest() {
	select {
	case p.turn <- struct{}{}:
		defer p.unlock()
		p.stop()
	default: // in use; the next start sets the timer again
	}
}

func (p *pdfium) stop() error {
	if p.engine == nil {
		return nil
	}
	p.retire.Stop()
	e := p.engine
	p.engine = nil
	return e.close(context.Background())
}

func (p *pdfium) close() error {
	p.turn <- struct{}{}
	defer p.unlock()
	p.closed = true
	return p.stop()
}

// engine is compiled pdfium, without any memory of its own.
type engine struct {
	cache   wazero.CompilationCache
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

func newEngine(ctx context.Context, cacheDir string, limit int64) (*engine, error) {
	e := new(engine)
	if err := e.open(ctx, cacheDir, limit); err != nil {
		return nil, errors.Join(err, e.close(ctx))
	}
	return e, nil
}

func (e *engine) open(ctx context.Context, cacheDir string, limit int64) (err error) {
	if e.cache, err = newCache(cacheDir); err != nil {
		return err
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCompilationCache(e.cache).
		WithMemoryLimitPages(uint32(limit/wasmPage)))
	wasm, err := inflate(pdfiumWasm)
	if err != nil {
		return err
	}
	if wasm, err = interruptible(wasm, tick); err != nil {
		return err
	}
	if e.module, err = e.runtime.CompileModule(ctx, wasm); err != nil {
		return err
	}
	return e.provide(ctx)
}

func newCache(dir string) (wazero.CompilationCache, error) {
	if dir == "" {
		return wazero.NewCompilationCache(), nil
	}
	return wazero.NewCompilationCacheWithDir(dir)
}

func inflate(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func (e *engine) close(ctx context.Context) error {
	var errs []error
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close(ctx))
	}
	if e.cache != nil {
		errs = append(errs, e.cache.Close(ctx))
	}
	return errors.Join(errs...)
}

// provide gives pdfium the functions it imports. Its jumps out of deep calls are wazero's business, and it may grow its
// memory; to everything else (files, clocks, environment) the answer is that there is no such thing.
func (e *engine) provide(ctx context.Context) error {
	jumps, err := emscripten.NewFunctionExporterForModule(e.module)
	if err != nil {
		return err
	}
	env := e.runtime.NewHostModuleBuilder("env")
	wasi := e.runtime.NewHostModuleBuilder("wasi_snapshot_preview1")
	for _, f := range e.module.ImportedFunctions() {
		module, name, _ := f.Import()
		host, answer := env, noSuchThing(-enosys, len(f.ResultTypes()))
		switch {
		case module == "wasi_snapshot_preview1":
			host, answer = wasi, noSuchThing(enosys, len(f.ResultTypes()))
		case name == "emscripten_resize_heap":
			answer = growMemory
		case name == tick:
			answer = stopWhenDone
		case name == "_abort_js":
			answer = abort
		case strings.HasPrefix(name, "invoke_"):
			continue
		}
		host.NewFunctionBuilder().WithGoModuleFunction(answer, f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	jumps.ExportFunctions(env)
	if _, err := wasi.Instantiate(ctx); err != nil {
		return err
	}
	_, err = env.Instantiate(ctx)
	return err
}

const enosys = 52 // as WASI counts; emscripten's system calls answer it negative

func noSuchThing(errno int32, results int) api.GoModuleFunc {
	return func(_ context.Context, _ api.Module, stack []uint64) {
		if results > 0 {
			stack[0] = api.EncodeI32(errno)
		}
	}
}

func growMemory(_ context.Context, m api.Module, stack []uint64) {
	want, have := uint32(stack[0]), m.Memory().Size()
	stack[0] = 1
	if want > have {
		if _, ok := m.Memory().Grow((want - have + wasmPage - 1) / wasmPage); !ok {
			stack[0] = 0
		}
	}
}

// tick is the function that pdfium calls now and then (see interruptible). It asks for the time, of which there is none.
const tick = "emscripten_date_now"

func stopWhenDone(ctx context.Context, _ api.Module, stack []uint64) {
	if err := ctx.Err(); err != nil {
		panic(err)
	}
	stack[0] = 0
}

var errAborted = errors.New("pdfium gave up")

func abort(context.Context, api.Module, []uint64) { panic(errAborted) }

// instance is pdfium with its memory, for one document.
type instance struct {
	ctx    context.Context
	module api.Module
	err    error // the first failure; every later call does nothing
}

// run makes an instance within r and hands it to use. What it returns is how the instance ended: nil, or a trap, which
// it runs into soon after the end of ctx. The memory is gone when run returns.
func (e *engine) run(ctx context.Context, r *room, use func(*instance)) error {
	ctx = experimental.WithMemoryAllocator(ctx, r)
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("__wasm_call_ctors")
	module, err := e.runtime.InstantiateModule(ctx, e.module, config)
	if err != nil {
		r.Free()
		return err
	}
	defer module.Close(ctx)
	i := &instance{ctx: ctx, module: module}
	i.call("FPDF_InitLibrary")
	if i.err == nil {
		use(i)
	}
	return i.err
}

// call calls an exported function; after a failure it answers 0.
func (i *instance) call(name string, args ...uint64) uint64 {
	if i.err != nil {
		return 0
	}
	results, err := i.module.ExportedFunction(name).Call(i.ctx, args...)
	if err != nil {
		i.fail(fmt.Errorf("%s: %w", name, err))
		return 0
	}
	if len(results) == 0 {
		return 0
	}
	return results[0]
}

func (i *instance) callInt(name string, args ...uint64) int { return int(int32(i.call(name, args...))) }

func (i *instance) callFloat(name string, args ...uint64) float64 {
	return float64(api.DecodeF32(i.call(name, args...)))
}

// view is part of the instance's memory, valid until it grows or ends.
func (i *instance) view(at, n uint64) []byte {
	if i.err != nil {
		return nil
	}
	b, ok := i.module.Memory().Read(uint32(at), uint32(n))
	if !ok {
		i.fail(errors.New("pdfium pointed outside of its memory"))
	}
	return b
}

// alloc is malloc, failing where there is no room.
func (i *instance) alloc(n uint64) uint64 {
	at := i.call("malloc", n)
	if at == 0 {
		i.fail(errNoRoom)
	}
	return at
}

// fail ends the use of the instance.
func (i *instance) fail(err error) {
	if i.err == nil {
		i.err = err
	}
}

var errNoRoom = errors.New("no room in pdfium's memory")
