// Package body reads foreign bytes into an ordered tree of values: JSON, URL-encoded
// forms, multipart forms and XML, each within [Limits].
//
// It knows no dialect and no rule. What is wrong with a body is a core.Error whose
// kind internal/dialect words; which members are wanted, and of which type, is
// internal/dialect's as well. Start at [ParseJSON], [ParseForm], [ParseMultipart] and
// [ParseXML].
package body

import (
	"strings"
	"unicode/utf8"
)

// A Kind is what a [Value] is.
type Kind uint8

// The kinds. The zero Value is Null.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Object
)

func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "list", "object"}[k]
}

// A Value is one node of what was read. It shares no memory with the bytes that it
// was read from, is never changed, and may be read by many at once.
type Value struct {
	kind    Kind
	truth   bool
	text    string // a string's text, lone surrogates as three bytes each (WTF-8); a number as it was written
	items   []Value
	members []Member
}

// A Member is a named value of an object.
type Member struct {
	name  string // as text of Value
	value Value
}

// Name returns the member's name; see [Value.Text] for lone surrogates.
func (m Member) Name() string { return wellFormed(m.name) }

// Value returns the member's value.
func (m Member) Value() Value { return m.value }

// NewString returns a string. Bytes that are not UTF-8 become U+FFFD.
func NewString(text string) Value { return Value{kind: String, text: replaceInvalid(text)} }

// Kind says what v is.
func (v Value) Kind() Kind { return v.kind }

// Bool returns a boolean's value, and false for all else.
func (v Value) Bool() bool { return v.truth }

// Text returns a string's text, always UTF-8, and "" for all else. A lone surrogate
// reads as U+FFFD: ask [Value.LoneSurrogate] before the text is taken for what was sent.
func (v Value) Text() string {
	if v.kind != String {
		return ""
	}
	return wellFormed(v.text)
}

// LoneSurrogate reports whether v is a string with half of a surrogate pair, which
// no Unicode text holds: a validator treats such a value as not a string.
func (v Value) LoneSurrogate() bool { return v.kind == String && !utf8.ValidString(v.text) }

// Number returns a number as it was written, and "" for all else.
func (v Value) Number() string {
	if v.kind != Number {
		return ""
	}
	return v.text
}

// Items returns a list's values, not to be changed, and nil for all else.
func (v Value) Items() []Value { return v.items }

// Members returns an object's members in their order, not to be changed, and nil
// for all else. No two have the same name.
func (v Value) Members() []Member { return v.members }

// Member returns the member of that name, matched byte for byte (S52), and whether
// v is an object that has one.
func (v Value) Member(name string) (Value, bool) {
	for i := range v.members {
		if v.members[i].name == name {
			return v.members[i].value, true
		}
	}
	return Value{}, false
}

// MemberFold is Member for contracts that match names without regard to the case of
// ASCII letters. An exact match goes first, then the last that folds to name.
func (v Value) MemberFold(name string) (Value, bool) {
	if value, ok := v.Member(name); ok {
		return value, true
	}
	for i := len(v.members) - 1; i >= 0; i-- {
		if EqualFold(v.members[i].name, name) {
			return v.members[i].value, true
		}
	}
	return Value{}, false
}

// Index reads a name that stands for an item of a list: 0 to 99.
func Index(name string) (i int, ok bool) {
	if len(name) == 0 || len(name) > 2 || len(name) == 2 && name[0] == '0' {
		return 0, false
	}
	for _, digit := range []byte(name) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		i = 10*i + int(digit-'0')
	}
	return i, true
}

// item returns the item of a list that a name stands for.
func (v Value) item(name string) (Value, bool) {
	i, ok := Index(name)
	if !ok || i >= len(v.items) {
		return Value{}, false
	}
	return v.items[i], true
}

// At follows names from v on: members of objects, and items of lists by [Index]. It
// reports whether all of them are there. An empty path is v itself.
func (v Value) At(path []string) (Value, bool) { return v.follow(path, Value.Member) }

// AtFold is At for contracts that match names by [Value.MemberFold].
func (v Value) AtFold(path []string) (Value, bool) { return v.follow(path, Value.MemberFold) }

func (v Value) follow(path []string, member func(Value, string) (Value, bool)) (Value, bool) {
	for _, name := range path {
		step := member
		if v.kind == List {
			step = Value.item
		}
		var ok bool
		if v, ok = step(v, name); !ok {
			return Value{}, false
		}
	}
	return v, true
}

// Equal reports whether v and w have the same kinds, texts and order throughout.
// Numbers are equal if they are echoed alike: 1E2 equals 100.0 and not 100.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind || v.truth != w.truth || len(v.items) != len(w.items) || len(v.members) != len(w.members) {
		return false
	}
	if v.kind == Number {
		return string(appendNumber(nil, v.text)) == string(appendNumber(nil, w.text))
	}
	for i := range v.items {
		if !v.items[i].Equal(w.items[i]) {
			return false
		}
	}
	for i := range v.members {
		if v.members[i].name != w.members[i].name || !v.members[i].value.Equal(w.members[i].value) {
			return false
		}
	}
	return v.text == w.text
}

// EqualFold reports whether two names are the same but for the case of ASCII letters.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// wellFormed shows each lone surrogate as one U+FFFD.
func wellFormed(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if _, ok := surrogateAt(text, i); ok {
			b.WriteRune(utf8.RuneError)
			i += surrogateLen
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		b.WriteRune(r)
		i += size
	}
	return b.String()
}

// replaceInvalid puts one U+FFFD in place of each maximal part of an ill-formed
// sequence, as browsers and Python's errors="replace" do (Unicode, section 3.9).
func replaceInvalid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 8)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			for i+size < len(text) && !utf8.FullRuneInString(text[i:i+size+1]) {
				size++
			}
		}
		b.WriteRune(r)
		i += size
	}
	return b.String()
}
