package draft

import (
	"errors"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// readBody takes the body's values for fields.
func (r *Request) readBody(contentType, content string) error {
	typ, _, _ := mime.ParseMediaType(contentType)
	switch {
	case content == "":
		r.Form = None
		return nil
	case looksLikeXML(content) && typ != typeForm || isXML(typ):
		return r.readXML(typ, content)
	case looksLikeJSON(content) || typ == "application/json" || body.IsJSON(typ) || strings.HasSuffix(typ, "+json"):
		return r.readJSON(typ, content)
	case typ == typeForm:
		r.Form = URLForm
		for _, pair := range pairs(content) {
			r.Fields = append(r.Fields, Field{Place: "body", Path: []string{pair[0]}, Value: body.NewString(pair[1])})
		}
		return nil
	}
	return &Problem{fmt.Sprintf("the body is of type %s, which no dialect reads", typ), "a dialect reads JSON, XML and forms: start from a contract like yours, with `chancery dialect show kyc`"}
}

const typeForm = "application/x-www-form-urlencoded"

// looksLikeJSON reports whether a body is JSON whatever its type says: curl names the
// type of a form where it is not told another. What only begins so is a form if it has
// a name and a value.
func looksLikeJSON(content string) bool {
	trimmed := strings.TrimSpace(content)
	if !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") && !strings.HasPrefix(trimmed, `"`) {
		return false
	}
	_, err := body.ParseJSON([]byte(content), limits)
	return err == nil || trimmed[0] == '{' && !strings.Contains(content, "=")
}

func (r *Request) readJSON(typ, content string) error {
	value, err := body.ParseJSON([]byte(content), limits)
	switch {
	case err != nil:
		return &Problem{"the body is no JSON object: " + reason(err), "give the command in single quotes, so that the shell leaves the body alone"}
	case value.Kind() == body.List:
		return &Problem{"the body is a JSON list, and a dialect reads the members of an object",
			"give the object alone, such as {\"username\": …, \"password\": …}, if the API takes it without the brackets too; clients that send a list cannot be served"}
	case value.Kind() != body.Object:
		return &Problem{"the body is a lone JSON " + value.Kind().String() + ", and a dialect reads the members of an object",
			"name what is sent, as in {\"username\": …, \"password\": …}; a login name and a password can also stand in the query, in headers, or behind -u"}
	}
	r.Form, r.Body = JSON, value
	if typ != "application/json" {
		r.MediaType = typ
	}
	r.leaves(nil, value)
	return nil
}

// reason is why a body cannot be read, without the outcome that it would be.
func reason(err error) string {
	if inner := errors.Unwrap(err); inner != nil {
		return inner.Error()
	}
	return err.Error()
}

// leaves adds every value below v that is no object.
func (r *Request) leaves(path []string, v body.Value) {
	for _, m := range v.Members() {
		at := append(slices.Clone(path), m.Name())
		if m.Value().Kind() == body.Object && len(m.Value().Members()) > 0 {
			r.leaves(at, m.Value())
			continue
		}
		r.Fields = append(r.Fields, Field{Place: "body", Path: at, Value: m.Value(), Type: typeOf(m.Value())})
	}
}

func typeOf(v body.Value) string {
	switch v.Kind() {
	case body.Bool:
		return "boolean"
	case body.Number:
		if strings.ContainsAny(v.Number(), ".eE") {
			return "number"
		}
		return "integer"
	case body.List:
		return "list"
	case body.Object:
		return "object"
	case body.Null:
		return "any"
	default:
		return ""
	}
}

func (r *Request) addBasic(name, password string) {
	r.Fields = append(r.Fields,
		Field{Place: "basic", Path: []string{"username"}, Value: body.NewString(name), Role: "identifier", Need: true},
		Field{Place: "basic", Path: []string{"password"}, Value: body.NewString(password), Role: "secret", Need: true})
}

// pairs are the names and values of a query or a form.
func pairs(text string) [][2]string {
	var all [][2]string
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		all = append(all, [2]string{unescape(name), unescape(value)})
	}
	return all
}

// unescape is what a form means, and the text itself where it is none.
func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
