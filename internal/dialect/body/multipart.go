package body

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"mime/multipart"

	"github.com/chancery-auth/chancery/core"
)

// ParseMultipart reads a multipart/form-data body (RFC 7578) whose boundary the media
// type names. Parts with a file name are passed over. Values are taken as they are, in
// UTF-8, whatever charset or transfer encoding a part claims; bytes that are not UTF-8
// become U+FFFD. Repeated fields are as in [ParseForm], and an empty body has none.
//
// It refuses with BoundaryMissing, with TooLarge, TooManyFields and FieldTooLarge what
// is over the limits, files included in the count, and with MalformedBody all else.
func ParseMultipart(r io.Reader, boundary string, limits Limits) (Value, error) {
	if boundary == "" {
		return Value{}, refuse(core.BoundaryMissing, "the media type names no boundary")
	}
	source := bufio.NewReader(&cappedReader{r: r, left: limits.Bytes, limit: limits.Bytes})
	if _, err := source.Peek(1); err == io.EOF {
		return Value{kind: Object}, nil
	}
	parts := multipart.NewReader(source, boundary)
	fields := memberSet{}
	for count := 1; ; count++ {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return Value{kind: Object, members: fields.list}, nil
		}
		if err != nil {
			return Value{}, unreadable(err)
		}
		if count > limits.Fields {
			return Value{}, refuse(core.TooManyFields, "form has over %d fields", limits.Fields)
		}
		if err := readPart(part, limits, &fields); err != nil {
			return Value{}, err
		}
	}
}

func readPart(part *multipart.Part, limits Limits, fields *memberSet) error {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return refuse(core.MalformedBody, "a part's Content-Disposition cannot be read")
	}
	name, named := params["name"]
	if !named {
		return refuse(core.MalformedBody, "a part has no name")
	}
	if _, file := params["filename"]; file {
		if _, err := io.Copy(io.Discard, part); err != nil {
			return unreadable(err)
		}
		return nil
	}
	value, err := io.ReadAll(io.LimitReader(part, int64(limits.FieldBytes)+1))
	if err != nil {
		return unreadable(err)
	}
	if len(name) > limits.FieldBytes || len(value) > limits.FieldBytes {
		return refuse(core.FieldTooLarge, "a form field is over %d bytes", limits.FieldBytes)
	}
	return fields.putField(replaceInvalid(name), NewString(string(value)), limits)
}

// unreadable lets an error of ours through. The library's are left out, as they quote the body.
func unreadable(err error) error {
	if ours, ok := errors.AsType[*core.Error](err); ok {
		return ours
	}
	return refuse(core.MalformedBody, "multipart body is malformed or breaks off")
}

// A cappedReader fails with TooLarge at the first byte over its limit.
type cappedReader struct {
	r           io.Reader
	left, limit int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if int64(n) > c.left {
		return 0, refuse(core.TooLarge, "body is over %d bytes", c.limit)
	}
	c.left -= int64(n)
	return n, err
}
