package doku

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
)

// Bounds of any answer that is read as a tree.
const (
	maxDepth = 32
	maxNodes = 50_000
	maxKey   = 128 // longer names are no names of DOKU's; their members are ignored
)

var errTree = errors.New("not a JSON text of reasonable size")

type kind byte

const (
	isNull kind = iota
	isBool
	isNumber
	isText
	isArray
	isObject
)

// node is one value of a JSON text. Answers are read as trees because DOKU's shapes are only partly known: the order of
// members is kept, and a member of an unexpected type is simply not there. All methods take a nil node.
type node struct {
	kind kind
	text string // of a text, number or boolean
	keys []string
	kids []*node // members of an object, in step with keys, or items of an array
}

// parseTree reads a whole JSON text. A repeated member's last value counts.
func parseTree(raw []byte) (*node, error) {
	if !json.Valid(raw) {
		return nil, errTree
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	budget := maxNodes
	return readNode(dec, 0, &budget)
}

func readNode(dec *json.Decoder, depth int, budget *int) (*node, error) {
	if *budget--; *budget < 0 || depth > maxDepth {
		return nil, errTree
	}
	token, err := dec.Token()
	if err != nil {
		return nil, errTree
	}
	switch t := token.(type) {
	case json.Delim:
		return readMembers(dec, t == '{', depth, budget)
	case string:
		return &node{kind: isText, text: t}, nil
	case json.Number:
		return &node{kind: isNumber, text: t.String()}, nil
	case bool:
		return &node{kind: isBool, text: strconv.FormatBool(t)}, nil
	}
	return &node{}, nil
}

func readMembers(dec *json.Decoder, object bool, depth int, budget *int) (*node, error) {
	n := &node{kind: isArray}
	if object {
		n.kind = isObject
	}
	at := map[string]int{}
	for dec.More() {
		var key string
		if object {
			token, err := dec.Token()
			if err != nil {
				return nil, errTree
			}
			key, _ = token.(string)
		}
		kid, err := readNode(dec, depth+1, budget)
		if err != nil {
			return nil, err
		}
		if i, again := at[key]; object && again {
			n.kids[i] = kid
			continue
		}
		if object {
			at[key] = len(n.kids)
			n.keys = append(n.keys, key)
		}
		n.kids = append(n.kids, kid)
	}
	_, err := dec.Token()
	return n, err
}

// get follows names down from an object; nil when one of them is not there.
func (n *node) get(names ...string) *node {
	for _, name := range names {
		n = n.member(name)
	}
	return n
}

func (n *node) member(name string) *node {
	if n == nil || n.kind != isObject {
		return nil
	}
	for i, key := range n.keys {
		if key == name {
			return n.kids[i]
		}
	}
	return nil
}

func (n *node) items() []*node {
	if n == nil || n.kind != isArray {
		return nil
	}
	return n.kids
}

func (n *node) is(k kind) bool { return n != nil && n.kind == k }

// str is a text's value; "" for anything else.
func (n *node) str() string {
	if !n.is(isText) {
		return ""
	}
	return n.text
}

// value is an enumeration's value: DOKU writes it as a text in requests and as {code, name} in answers.
func (n *node) value() string {
	if n.is(isObject) {
		return n.get("code").str()
	}
	return n.str()
}

// sentence is a text, or the first of a list of texts.
func (n *node) sentence() string {
	if items := n.items(); len(items) > 0 {
		return items[0].str()
	}
	return n.str()
}

// integer is a number's whole part, also of a number written as a text; 0 when there is none or it does not fit.
func (n *node) integer() int64 {
	if !n.is(isNumber) && !n.is(isText) {
		return 0
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(n.text), 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<53 {
		return 0
	}
	return int64(f)
}

func (n *node) truth() bool {
	return (n.is(isBool) || n.is(isText)) && strings.EqualFold(n.text, "true")
}

// place is where a node stands: its names from the root, an index being a name like "[0]".
type place []string

func (p place) String() string {
	var b strings.Builder
	for i, name := range p {
		if i > 0 && !strings.HasPrefix(name, "[") {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

// key is the last name that is no index.
func (p place) key() string {
	if p = p.trim(); len(p) == 0 {
		return ""
	}
	return p[len(p)-1]
}

// owner is the place without its last name and that name's index.
func (p place) owner() place {
	if p = p.trim(); len(p) == 0 {
		return p
	}
	return p[:len(p)-1]
}

func (p place) indexed() bool { return len(p.trim()) < len(p) }

func (p place) trim() place {
	for len(p) > 0 && strings.HasPrefix(p[len(p)-1], "[") {
		p = p[:len(p)-1]
	}
	return p
}

// walk visits every object in document order and goes below those for which visit returns true.
func (n *node) walk(at place, visit func(place, *node) bool) {
	if n == nil || n.kind == isObject && !visit(at, n) {
		return
	}
	for i, kid := range n.kids {
		name := "[" + strconv.Itoa(i) + "]"
		if n.kind == isObject {
			name = n.keys[i]
		}
		if len(name) <= maxKey {
			kid.walk(append(at[:len(at):len(at)], name), visit)
		}
	}
}
