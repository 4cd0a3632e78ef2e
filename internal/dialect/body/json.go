package body

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/chancery-auth/chancery/core"
)

// ParseJSON reads one JSON text (RFC 8259), before which a UTF-8 byte order mark may
// stand. Of members with the same name the last value wins, at the place of the first.
//
// It refuses with BodyMissing what is empty (blanks are not), with BadEncoding what is not
// UTF-8, with TooLarge, TooManyFields and FieldTooLarge what is over the limits, and
// with MalformedBody, wrapping a [*SyntaxError], all else that is not JSON, NaN and
// Infinity included, or is nested too deep.
func ParseJSON(data []byte, limits Limits) (Value, error) {
	if int64(len(data)) > limits.Bytes {
		return Value{}, refuse(core.TooLarge, "body is over %d bytes", limits.Bytes)
	}
	if !utf8.Valid(data) {
		return Value{}, refuse(core.BadEncoding, "body is not UTF-8")
	}
	if len(data) == 0 {
		return Value{}, refuse(core.BodyMissing, "body is empty")
	}
	text := bytes.TrimPrefix(data, []byte("\ufeff"))
	p := parsers.Get().(*parser)
	defer p.release()
	p.reset(text, limits)
	value, err := p.document()
	if err != nil {
		return Value{}, p.refusal(err, len(data)-len(text))
	}
	return value, nil
}

// A parser walks the tokens: the library's own unmarshalling would merge duplicate
// objects and lose lone surrogates.
type parser struct {
	decoder *jsontext.Decoder
	limits  Limits
	fields  int
}

var parsers = sync.Pool{New: func() any { return &parser{decoder: new(jsontext.Decoder)} }}

// noData lets go of the bytes that were read.
var noData = strings.NewReader("")

func (p *parser) reset(text []byte, limits Limits) {
	p.decoder.Reset(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	p.limits, p.fields = limits, 0
}

func (p *parser) release() {
	p.decoder.Reset(noData)
	parsers.Put(p)
}

func (p *parser) document() (Value, error) {
	value, err := p.value()
	if err != nil {
		return Value{}, err
	}
	end := int(p.decoder.InputOffset())
	if _, err := p.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return Value{}, &SyntaxError{Offset: end, Reason: "more after the end of the value"}
	}
	return value, nil
}

func (p *parser) value() (Value, error) {
	switch p.decoder.PeekKind() {
	case '{':
		return p.container(p.object)
	case '[':
		return p.container(p.list)
	}
	raw, err := p.decoder.ReadValue()
	if err != nil {
		return Value{}, err
	}
	switch raw.Kind() {
	case '"':
		text, err := p.text(raw)
		return Value{kind: String, text: text}, err
	case '0':
		if len(raw) > p.limits.FieldBytes {
			return Value{}, refuse(core.FieldTooLarge, "a number is over %d bytes", p.limits.FieldBytes)
		}
		return Value{kind: Number, text: string(raw)}, nil
	case 't', 'f':
		return Value{kind: Bool, truth: raw.Kind() == 't'}, nil
	default:
		return Value{}, nil
	}
}

// container reads a list or an object by read, between its delimiters.
func (p *parser) container(read func() (Value, error)) (Value, error) {
	if _, err := p.decoder.ReadToken(); err != nil {
		return Value{}, err
	}
	if p.decoder.StackDepth() > p.limits.Depth {
		return Value{}, &SyntaxError{Offset: int(p.decoder.InputOffset()), Reason: "nested too deep"}
	}
	value, err := read()
	if err != nil {
		return Value{}, err
	}
	_, err = p.decoder.ReadToken()
	return value, err
}

func (p *parser) list() (Value, error) {
	list := Value{kind: List}
	for p.more(']') {
		if err := p.count(); err != nil {
			return Value{}, err
		}
		item, err := p.value()
		if err != nil {
			return Value{}, err
		}
		list.items = append(list.items, item)
	}
	return list, nil
}

func (p *parser) object() (Value, error) {
	members := memberSet{}
	for p.more('}') {
		if err := p.count(); err != nil {
			return Value{}, err
		}
		raw, err := p.decoder.ReadValue()
		if err != nil {
			return Value{}, err
		}
		name, err := p.text(raw)
		if err != nil {
			return Value{}, err
		}
		value, err := p.value()
		if err != nil {
			return Value{}, err
		}
		members.put(name, value)
	}
	return Value{kind: Object, members: members.list}, nil
}

// more reports whether another value comes before the end. After a fault it says
// no, and the read of the end reports the fault.
func (p *parser) more(end jsontext.Kind) bool {
	kind := p.decoder.PeekKind()
	return kind != end && kind != jsontext.KindInvalid
}

func (p *parser) count() error {
	if p.fields++; p.fields > p.limits.Fields {
		return refuse(core.TooManyFields, "body has over %d members and items", p.limits.Fields)
	}
	return nil
}

// text decodes a string whose syntax has been checked.
func (p *parser) text(raw jsontext.Value) (string, error) {
	inner := raw[1 : len(raw)-1]
	text := ""
	if bytes.IndexByte(inner, '\\') < 0 {
		if len(inner) > p.limits.FieldBytes {
			return "", p.tooLong()
		}
		return string(inner), nil
	}
	if plain, err := jsontext.AppendUnquote(nil, []byte(raw)); err == nil {
		text = string(plain)
	} else {
		text = unquoteSurrogates(inner)
	}
	if len(text) > p.limits.FieldBytes {
		return "", p.tooLong()
	}
	return text, nil
}

func (p *parser) tooLong() error {
	return refuse(core.FieldTooLarge, "a string is over %d bytes", p.limits.FieldBytes)
}

// refusal makes err one of core's; shift is what was cut off before the text.
func (p *parser) refusal(err error, shift int) error {
	if fault, ok := errors.AsType[*SyntaxError](err); ok {
		return malformed(fault.Offset+shift, fault.Reason)
	}
	if ours, ok := errors.AsType[*core.Error](err); ok {
		return ours
	}
	offset := int(p.decoder.InputOffset())
	if fault, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset, err = int(fault.ByteOffset), fault.Err
	}
	return malformed(offset+shift, syntaxReason(err))
}

// syntaxReason words the library's fault without the byte of the body that it quotes.
func syntaxReason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "unexpected end"
	}
	words := err.Error()
	if rest, ok := strings.CutPrefix(words, "invalid character "); ok {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return "unexpected character"
		}
		return "unexpected character" + rest[len(quoted):]
	}
	if strings.HasPrefix(words, "invalid escape sequence ") {
		return "invalid escape sequence in string"
	}
	if errors.Is(err, jsontext.ErrNonStringName) {
		return words
	}
	return "invalid syntax"
}

// A memberSet keeps members in order, the last value of a name at its first place.
type memberSet struct {
	list  []Member
	index map[string]int // once there are too many to walk
}

const walkable = 16

func (s *memberSet) put(name string, value Value) {
	if i := s.find(name); i >= 0 {
		s.list[i].value = value
		return
	}
	if s.list == nil {
		s.list = make([]Member, 0, 4)
	}
	s.list = append(s.list, Member{name, value})
	if s.index != nil {
		s.index[name] = len(s.list) - 1
	} else if len(s.list) > walkable {
		s.index = make(map[string]int, 4*walkable)
		for i := range s.list {
			s.index[s.list[i].name] = i
		}
	}
}

func (s *memberSet) find(name string) int {
	if s.index != nil {
		if i, ok := s.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range s.list {
		if s.list[i].name == name {
			return i
		}
	}
	return -1
}
