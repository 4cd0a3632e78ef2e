package body

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/chancery-auth/chancery/core"
)

// Names of what an element holds beside its children.
const (
	xmlAttribute = "@" // before an attribute's name
	xmlText      = "#text"
)

// ParseXML reads one XML document (XML 1.0) in UTF-8, before which a byte order mark
// may stand. The result is an object whose one member is the root. An element is its
// text; one with attributes or children is an object: of its attributes as @name, its
// children in their order, those of one name as a list, and its text as #text, unless
// that is nothing but blanks between children. Names are those without a prefix;
// comments and declarations of namespaces are passed over.
//
// There are no entities but those that XML itself defines. It refuses with BodyMissing
// what is empty, with BadEncoding what is not UTF-8 or says so, with TooLarge,
// TooManyFields and FieldTooLarge what is over the limits, and with MalformedBody,
// wrapping a [*SyntaxError], all else that is not well-formed, has a document type,
// other processing instructions than the declaration or one attribute twice, or is
// nested too deep.
func ParseXML(data []byte, limits Limits) (Value, error) {
	switch {
	case int64(len(data)) > limits.Bytes:
		return Value{}, refuse(core.TooLarge, "body is over %d bytes", limits.Bytes)
	case !utf8.Valid(data):
		return Value{}, refuse(core.BadEncoding, "body is not UTF-8")
	case len(data) == 0:
		return Value{}, refuse(core.BodyMissing, "body is empty")
	}
	text := bytes.TrimPrefix(data, []byte("\ufeff"))
	p := xmlParser{decoder: xml.NewDecoder(bytes.NewReader(text)), limits: limits, shift: len(data) - len(text)}
	p.decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) {
		return nil, refuse(core.BadEncoding, "body says that it is not UTF-8")
	}
	return p.document()
}

// An xmlParser walks the tokens. The library checks that they are nested as they
// should be; what they mean together is made here.
type xmlParser struct {
	decoder *xml.Decoder
	limits  Limits
	shift   int // what was cut off before the text
	fields  int
	open    []element // the outermost first
	root    *Value
	rootTag string
}

// An element is one whose end has not been read.
type element struct {
	name     string
	members  memberSet
	children bool
	text     []byte
}

func (p *xmlParser) document() (Value, error) {
	for {
		at := p.decoder.InputOffset()
		token, err := p.decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && p.root != nil && len(p.open) == 0:
			return Value{kind: Object, members: []Member{{p.rootTag, *p.root}}}, nil
		case err != nil:
			return Value{}, p.refusal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			err = p.start(token)
		case xml.EndElement:
			p.end()
		case xml.CharData:
			err = p.data(token)
		case xml.Directive:
			err = p.fault("a document type is not taken")
		case xml.ProcInst:
			if token.Target != "xml" || at != 0 {
				err = p.fault("a processing instruction is not taken")
			}
		}
		if err != nil {
			return Value{}, err
		}
	}
}

func (p *xmlParser) start(token xml.StartElement) error {
	switch {
	case p.root != nil:
		return p.fault("more after the end of the root")
	case len(p.open) == p.limits.Depth:
		return p.fault("nested too deep")
	case len(token.Name.Local) > p.limits.FieldBytes:
		return p.tooLong()
	}
	if len(p.open) > 0 {
		p.open[len(p.open)-1].children = true
	}
	e := element{name: token.Name.Local}
	err := p.count()
	for _, a := range token.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		name := xmlAttribute + a.Name.Local
		switch {
		case err != nil:
		case len(a.Name.Local) > p.limits.FieldBytes || len(a.Value) > p.limits.FieldBytes:
			err = p.tooLong()
		case e.members.find(name) >= 0:
			err = p.fault("an attribute is here twice")
		default:
			err = p.count()
			e.members.put(name, NewString(a.Value))
		}
	}
	p.open = append(p.open, e)
	return err
}

// end closes the innermost element; the library has seen that it is the one.
func (p *xmlParser) end() {
	e := &p.open[len(p.open)-1]
	value, name := e.value(), e.name
	p.open = p.open[:len(p.open)-1]
	if len(p.open) == 0 {
		p.root, p.rootTag = &value, name
		return
	}
	p.open[len(p.open)-1].members.append(name, value)
}

// append puts a value at the end of those of its name.
func (s *memberSet) append(name string, value Value) {
	i := s.find(name)
	switch {
	case i < 0:
		s.put(name, value)
	case s.list[i].value.kind == List:
		s.list[i].value.items = append(s.list[i].value.items, value)
	default:
		s.list[i].value = Value{kind: List, items: []Value{s.list[i].value, value}}
	}
}

func (e *element) value() Value {
	text := string(e.text)
	if len(e.members.list) == 0 {
		return NewString(text)
	}
	if text != "" && (!e.children || strings.Trim(text, " \t\r\n") != "") {
		e.members.put(xmlText, NewString(text))
	}
	return Value{kind: Object, members: e.members.list}
}

func (p *xmlParser) data(text []byte) error {
	if len(p.open) == 0 {
		if len(bytes.Trim(text, " \t\r\n")) > 0 {
			return p.fault("text outside of the root")
		}
		return nil
	}
	e := &p.open[len(p.open)-1]
	if len(e.text)+len(text) > p.limits.FieldBytes {
		return p.tooLong()
	}
	e.text = append(e.text, text...)
	return nil
}

func (p *xmlParser) count() error {
	if p.fields++; p.fields > p.limits.Fields {
		return refuse(core.TooManyFields, "body has over %d elements and attributes", p.limits.Fields)
	}
	return nil
}

func (p *xmlParser) tooLong() error {
	return refuse(core.FieldTooLarge, "an element's text, an attribute or a name is over %d bytes", p.limits.FieldBytes)
}

func (p *xmlParser) fault(reason string) error {
	return malformed(int(p.decoder.InputOffset())+p.shift, reason)
}

// refusal makes the library's error one of core's, without its words: they quote the body.
func (p *xmlParser) refusal(err error) error {
	if ours, ok := errors.AsType[*core.Error](err); ok {
		return ours
	}
	if fault, ok := errors.AsType[*xml.SyntaxError](err); errors.Is(err, io.EOF) || ok && fault.Msg == "unexpected EOF" {
		return p.fault("unexpected end")
	}
	return p.fault("not well-formed XML")
}

// ListOf is a list of one value.
func ListOf(v Value) Value { return Value{kind: List, items: []Value{v}} }
