package body

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/chancery-auth/chancery/core"
)

// Limits bound what a body may hold (S50, S51). A zero bound means none of it is
// allowed: start from [DefaultLimits].
type Limits struct {
	Bytes      int64 // of the whole body
	Depth      int   // of nested lists and objects
	Fields     int   // members and items in total, or parts of a form
	FieldBytes int   // of a name, a string, a number
	Once       bool  // whether a form's field may be there but once
}

// DefaultLimits are those of login bodies.
var DefaultLimits = Limits{Bytes: 64 << 10, Depth: 16, Fields: 1000, FieldBytes: 16 << 10}

// A SyntaxError is the cause of a MalformedBody. Its words quote nothing of the body.
type SyntaxError struct {
	Offset int // in bytes, from the body's start
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at offset %d", e.Reason, e.Offset) }

func malformed(offset int, reason string) error {
	return &core.Error{Kind: core.MalformedBody, Err: &SyntaxError{Offset: offset, Reason: reason}}
}

func refuse(kind core.Kind, format string, args ...any) error {
	return &core.Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// ReadAll appends what r holds to buf, which may come from a pool: no [Value] keeps
// it. More than limit bytes is TooLarge, and little beyond them has been read then
// (S50). A body that breaks off is MalformedBody.
func ReadAll(r io.Reader, limit int64, buf []byte) ([]byte, error) {
	start := int64(len(buf))
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		room := min(int64(cap(buf)), start+limit+1)
		n, err := r.Read(buf[len(buf):room])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > start+limit:
			return buf, refuse(core.TooLarge, "body is over %d bytes", limit)
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, brokenOff(err)
		}
	}
}

// brokenOff words an error of the reader beneath, and lets one of ours through.
func brokenOff(err error) error {
	if ours, ok := errors.AsType[*core.Error](err); ok {
		return ours
	}
	return &core.Error{Kind: core.MalformedBody, Err: fmt.Errorf("body broke off: %w", err)}
}

// MediaType reads a Content-Type header: the type in lower case, its parameters, and
// whether there is a type at all. A type whose parameters are malformed is still that
// type, and has none.
func MediaType(header string) (typ string, params map[string]string, ok bool) {
	typ, params, err := mime.ParseMediaType(header)
	if err != nil {
		bare, _, _ := strings.Cut(header, ";")
		typ, params, err = mime.ParseMediaType(bare)
	}
	if err != nil || !strings.Contains(typ, "/") {
		return "", nil, false
	}
	return typ, params, true
}

// IsJSON reports whether typ, as [MediaType] returns it, is application/json or
// application/*+json.
func IsJSON(typ string) bool {
	sub, ok := strings.CutPrefix(typ, "application/")
	return ok && (sub == "json" || strings.HasSuffix(sub, "+json"))
}
