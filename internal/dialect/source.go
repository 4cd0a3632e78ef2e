package dialect

import (
	"net/http"
	"slices"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// holdsTexts reports whether the body's members are texts.
func (c *Call) holdsTexts() bool {
	return c.form == formURL || c.form == formMultipart || c.form == formXML
}

// A requestSource reads what stands outside the body.
type requestSource struct {
	call  *Call
	r     *http.Request
	query *body.Value
}

// textual reports whether a source holds texts alone.
func (q *requestSource) textual(s source) bool { return s.place != "body" || q.call.holdsTexts() }

// asList makes a list of one of an element of XML that could have been repeated.
func (q *requestSource) asList(s source, v body.Value) body.Value {
	if s.place == "body" && q.call.form == formXML && v.Kind() != body.List {
		return body.ListOf(v)
	}
	return v
}

// read returns what a source holds, and how many values it has: more than one
// where there should be one is never a value.
func (q *requestSource) read(s source) (v body.Value, count int) {
	switch s.place {
	case "body":
		at := q.call.body.At
		if q.call.dialect.foldNames {
			at = q.call.body.AtFold
		}
		v, ok := at(s.path)
		if !ok && q.call.form == formXML {
			v, ok = at(withoutFirst(s.path))
		}
		return v, one(ok)
	case "query":
		if q.query == nil {
			parsed, err := body.ParseForm([]byte(q.r.URL.RawQuery), q.call.dialect.limits)
			if err != nil {
				parsed = body.Value{}
			}
			q.query = &parsed
		}
		v, ok := q.query.Member(s.name)
		return v, one(ok)
	case "header":
		return text(q.r.Header[s.name])
	case "path":
		value, ok := q.call.held[s.name]
		return body.NewString(value), one(ok)
	case "cookie":
		var values []string
		for _, cookie := range q.r.CookiesNamed(s.name) {
			values = append(values, cookie.Value)
		}
		return text(values)
	case "basic":
		return q.basic(s.name)
	case "bearer":
		token, err := q.call.dialect.Bearer(q.r)
		return body.NewString(token.Reveal()), one(err == nil)
	}
	return body.Value{}, 0
}

// withoutFirst is a path for XML where what could have been repeated is there once: its
// first is itself. No element is named 0.
func withoutFirst(path []string) []string {
	return slices.DeleteFunc(slices.Clone(path), func(name string) bool { return name == "0" })
}

func (q *requestSource) basic(part string) (body.Value, int) {
	if len(q.r.Header["Authorization"]) != 1 {
		return body.Value{}, len(q.r.Header["Authorization"])
	}
	username, password, ok := q.r.BasicAuth()
	if part == "password" {
		username = password
	}
	return body.NewString(username), one(ok)
}

func text(values []string) (body.Value, int) {
	if len(values) == 0 {
		return body.Value{}, 0
	}
	return body.NewString(values[0]), len(values)
}

func one(ok bool) int {
	if ok {
		return 1
	}
	return 0
}
