package paper

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// tickEvery is how many turns of loops lie between two ticks: some 0.1 ms.
const tickEvery = 50_000

// Sections of a WebAssembly module.
const (
	sectionImport = 2
	sectionGlobal = 6
	sectionCode   = 10
)

// interruptible puts a countdown at the head of every loop of a WebAssembly module that calls the imported function
// tick, and drops its result, each time it reaches zero. Machine code made of WebAssembly is otherwise out of Go's
// reach: it cannot be ended, and as it cannot be preempted either, a garbage collection that begins meanwhile would
// stop the whole program until the page is drawn. wazero can do the like by itself (WithCloseOnContextDone), by a call
// on every single turn: a page with a photo takes five times as long then.
func interruptible(module []byte, tick string) ([]byte, error) {
	const header = 8
	if len(module) < header {
		return nil, errWasm
	}
	out := append(make([]byte, 0, len(module)+len(module)/4), module[:header]...)
	r := &wasmReader{b: module[header:]}
	var c countdown
	for len(r.b) > 0 && r.err == nil {
		id, body := r.byte(), r.sized()
		in := &wasmReader{b: body}
		switch id {
		case sectionImport:
			c.findTick(in, tick)
		case sectionGlobal:
			body = c.addCounter(in)
		case sectionCode:
			body = c.code(in)
		}
		r.fail(in.err)
		out = append(binary.AppendUvarint(append(out, id), uint64(len(body))), body...)
	}
	return out, r.err
}

var errWasm = errors.New("paper: not the WebAssembly that was expected")

// countdown is what stands at the head of loops, and where its parts are found.
type countdown struct {
	tick    uint64 // index of the imported function
	found   bool
	globals uint64 // imported ones
	steps   []byte
}

// findTick looks through the import section.
func (c *countdown) findTick(in *wasmReader, name string) {
	functions := uint64(0)
	for range in.uint() {
		in.sized() // its module
		field := string(in.sized())
		switch in.byte() {
		case 0: // function
			in.number()
			if field == name {
				c.tick, c.found = functions, true
			}
			functions++
		case 3: // global
			in.skip(2)
			c.globals++
		default:
			in.fail(errWasm)
		}
	}
}

// addCounter adds a variable to the global section, and knows then all that it takes to count down.
func (c *countdown) addCounter(in *wasmReader) []byte {
	n := in.uint()
	out := append(binary.AppendUvarint(nil, n+1), in.b...)
	counter := binary.AppendUvarint(nil, c.globals+n)
	full := []byte{0x41, tickEvery&0x7f | 0x80, tickEvery>>7&0x7f | 0x80, tickEvery >> 14} // i32.const tickEvery
	get, set := append([]byte{0x23}, counter...), append([]byte{0x24}, counter...)
	c.steps = slices.Concat(
		get, []byte{0x41, 0x7f, 0x6a}, set, // counter += -1
		get, []byte{0x45, 0x04, 0x40}, // if counter == 0
		binary.AppendUvarint([]byte{0x10}, c.tick), []byte{0x1a}, // call tick, drop
		full, set, []byte{0x0b}, // counter = tickEvery, end
	)
	return slices.Concat(out, []byte{0x7f, 0x01}, full, []byte{0x0b}) // a mutable i32
}

// code rewrites the function bodies of the code section.
func (c *countdown) code(in *wasmReader) []byte {
	if !c.found || c.steps == nil {
		in.fail(errWasm)
		return nil
	}
	n := in.uint()
	out := binary.AppendUvarint(make([]byte, 0, len(in.b)+len(in.b)/4), n)
	for range n {
		body := c.function(in)
		if in.err != nil {
			break
		}
		out = append(binary.AppendUvarint(out, uint64(len(body))), body...)
	}
	return out
}

func (c *countdown) function(section *wasmReader) []byte {
	body := section.sized()
	in := &wasmReader{b: body}
	for range in.uint() { // groups of locals
		in.uint()
		in.byte()
	}
	var out []byte
	done := 0
	for len(in.b) > 0 && in.err == nil {
		if op := in.byte(); op == 0x03 { // loop
			in.number() // its type
			here := len(body) - len(in.b)
			out = append(append(out, body[done:here]...), c.steps...)
			done = here
		} else {
			in.immediates(op)
		}
	}
	section.fail(in.err)
	return append(out, body[done:]...)
}

// wasmReader reads from b; after a failure there is nothing left to read.
type wasmReader struct {
	b   []byte
	err error
}

// immediates passes over what follows an instruction.
func (r *wasmReader) immediates(op byte) {
	switch {
	case op == 0x02 || op == 0x04, // block, if
		op == 0x0c || op == 0x0d || op == 0x10,                           // br, br_if, call
		op >= 0x20 && op <= 0x26,                                         // locals, globals, tables
		op == 0x3f || op == 0x40 || op == 0x41 || op == 0x42, op == 0xd2: // memory.size, memory.grow, constants, ref.func
		r.number()
	case op == 0x11, op >= 0x28 && op <= 0x3e: // call_indirect, loads and stores
		r.number()
		r.number()
	case op == 0x0e, op == 0x1c: // br_table, select of a type
		for range r.uint() {
			r.number()
		}
		if op == 0x0e {
			r.number()
		}
	case op == 0x43: // f32.const
		r.skip(4)
	case op == 0x44: // f64.const
		r.skip(8)
	case op == 0xfc:
		r.extended()
	case op <= 0x01, op == 0x05, op == 0x0b, op == 0x0f, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xc4: // nothing follows
	default:
		r.fail(fmt.Errorf("%w: instruction %#x", errWasm, op))
	}
}

// extended passes over the rest of the instructions that begin with 0xfc.
func (r *wasmReader) extended() {
	switch op := r.uint(); {
	case op <= 7: // saturating conversions
	case op == 8 || op == 10 || op == 12 || op == 14: // init and copy
		r.number()
		r.number()
	case op <= 17:
		r.number()
	default:
		r.fail(fmt.Errorf("%w: instruction 0xfc %d", errWasm, op))
	}
}

func (r *wasmReader) fail(err error) {
	if r.err == nil && err != nil {
		r.err, r.b = err, nil
	}
}

func (r *wasmReader) skip(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail(errWasm)
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *wasmReader) byte() byte {
	if b := r.skip(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *wasmReader) sized() []byte { return r.skip(r.uint()) }

// number passes over a LEB128 number of any width and sign.
func (r *wasmReader) number() {
	for r.byte() >= 0x80 {
	}
}

func (r *wasmReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail(errWasm)
		return 0
	}
	r.skip(uint64(n))
	return v
}
