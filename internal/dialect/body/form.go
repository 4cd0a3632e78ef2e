package body

import (
	"bytes"

	"github.com/chancery-auth/chancery/core"
)

// ParseForm reads an application/x-www-form-urlencoded body as the WHATWG URL
// standard does: a plus sign is a blank, a percent sign without two hexadecimal
// digits stands for itself, only "&" separates, bytes that are not UTF-8 become
// U+FFFD, and a field without "=" has the empty value. Of fields with the same name
// the last wins, at the place of the first. The result is an object of strings.
//
// No content is malformed, but for a field that is repeated where the limits say that
// there is but one; it refuses with TooLarge, TooManyFields and FieldTooLarge what is
// over the limits. Repeated fields count each.
func ParseForm(data []byte, limits Limits) (Value, error) {
	if int64(len(data)) > limits.Bytes {
		return Value{}, refuse(core.TooLarge, "body is over %d bytes", limits.Bytes)
	}
	fields := memberSet{}
	count := 0
	for len(data) > 0 {
		var pair []byte
		pair, data, _ = bytes.Cut(data, []byte("&"))
		if len(pair) == 0 {
			continue
		}
		if count++; count > limits.Fields {
			return Value{}, refuse(core.TooManyFields, "form has over %d fields", limits.Fields)
		}
		rawName, rawValue, _ := bytes.Cut(pair, []byte("="))
		name, value := unescapeField(rawName), unescapeField(rawValue)
		if len(name) > limits.FieldBytes || len(value) > limits.FieldBytes {
			return Value{}, refuse(core.FieldTooLarge, "a form field is over %d bytes", limits.FieldBytes)
		}
		if err := fields.putField(replaceInvalid(name), NewString(value), limits); err != nil {
			return Value{}, err
		}
	}
	return Value{kind: Object, members: fields.list}, nil
}

// putField puts a field of a form.
func (s *memberSet) putField(name string, value Value, limits Limits) error {
	if limits.Once && s.find(name) >= 0 {
		return refuse(core.MalformedBody, "a form field is there twice")
	}
	s.put(name, value)
	return nil
}

// UnescapeForm reads a text that was encoded as a form's names and values are.
func UnescapeForm(text string) string { return unescapeField([]byte(text)) }

func unescapeField(raw []byte) string {
	if bytes.IndexByte(raw, '%') < 0 && bytes.IndexByte(raw, '+') < 0 {
		return string(raw)
	}
	text := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(raw) && hexValue(raw[i+1]) < 16 && hexValue(raw[i+2]) < 16:
			c = hexValue(raw[i+1])<<4 | hexValue(raw[i+2])
			i += 2
		}
		text = append(text, c)
	}
	return string(text)
}

// hexValue returns a hexadecimal digit's value, or 255.
func hexValue(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
