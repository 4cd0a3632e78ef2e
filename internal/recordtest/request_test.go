package recordtest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Facts are what is known of a request and of whoever made it.
type facts struct {
	sample          sample
	client          sample
	sent            map[string]any // by the field's name, the last part of it, and what it maps to
	missing         []field        // that were left out
	known           map[string]string
	path            string
	lifetime        time.Duration // of the token; 0 where it is not known
	refreshLifetime time.Duration
	began, ended    time.Time
}

// fact is what a placeholder stands for, if that is known before the answer is.
func (f *facts) fact(name string) (any, bool) {
	if value, ok := f.known[name]; ok {
		return value, true
	}
	of, what, _ := strings.Cut(name, ".")
	switch of {
	case "user":
		return f.sample.userFact(what)
	case "tenant":
		return f.sample.tenantFact(what)
	case "otp", "recovery_code":
		return f.sample.factorFact(name)
	case "request":
		value, ok := f.sent[what]
		return value, ok
	case "role":
		return strings.Join(f.sample.account.Roles, ","), what == "name" && len(f.sample.account.Roles) == 1
	case "client_id":
		if value, ok := f.sent[name]; ok {
			return value, true
		}
		return f.sample.identifier, f.sample.key != nil
	case "client_secret":
		return f.client.secret, f.client.secret != ""
	case "device":
		value, ok := f.sent["device"]
		return value, ok
	case "audience", "scope":
		value, ok := f.sent[name]
		return value, ok
	case "issuer", "base_url":
		return issuer, true
	case "new_password":
		return newPassword, true
	}
	return nil, false
}

const newPassword = "another horse, another battery"

// A value is what a field is sent with.
type value struct {
	field field
	value any
}

// values gives every field of a door its value: what the attempt says, a constant,
// what its role wants of the sample, or else a harmless text. A field is left out
// that the attempt gives null, or whose role has nothing to offer.
func (h *harness) values(d *door, f *facts, a attempt, held map[string]string) (all []value, err error) {
	for _, in := range d.fields {
		said, ok := a.Fields[in.name]
		switch {
		case ok && said == nil:
			continue
		case ok:
			if words, isText := said.(string); isText {
				if said, err = expand(words, f, held); err != nil {
					return nil, fmt.Errorf("field %s: %w", in.name, err)
				}
			}
		default:
			if said, ok = h.usual(in, f); !ok {
				continue
			}
		}
		all = append(all, value{in, said})
	}
	return all, nil
}

// usual is what a field is sent with when nothing else is said.
func (h *harness) usual(in field, f *facts) (any, bool) {
	if constant := in.node.get("const"); constant != nil {
		return constant, true
	}
	if enum := in.node.get("enum"); enum != nil {
		return enum.items[0], true
	}
	switch in.mapsTo {
	case "identifier", "username_check", "access_key":
		if strings.EqualFold(in.called()[0], "id") {
			return string(f.sample.account.ID), true
		}
		return f.sample.identifier, true
	case "secret":
		return f.sample.secret, true
	case "client_id", "app_id":
		return f.client.identifier, true
	case "client_secret", "app_key":
		return f.client.secret, true
	case "tenant":
		if strings.HasSuffix(strings.ToLower(in.called()[0]), "id") {
			return string(f.sample.tenant.ID), f.sample.tenant.ID != ""
		}
		return f.sample.tenant.Name, f.sample.tenant.ID != ""
	case "otp":
		return f.sample.factorFact(in.mapsTo)
	case "ttl_seconds":
		return 600, true
	case "remember", "wants_refresh":
		return true, true
	case "recovery_code", "mfa_trust":
		return nil, false
	}
	return "x", true
}

// expand puts what is held or known in the place of placeholders.
func expand(words string, f *facts, held map[string]string) (any, error) {
	find := func(name string) (any, bool) {
		for _, key := range []string{name, name + "_uuid", strings.TrimSuffix(name, "_uuid")} {
			if value, ok := held[key]; ok {
				return value, true
			}
		}
		return f.fact(name)
	}
	if name, _, ok := one(words); ok {
		if value, known := find(name); known {
			return value, nil
		}
	}
	var unknown error
	expanded := placeholder.ReplaceAllStringFunc(words, func(found string) string {
		value, ok := find(placeholder.FindStringSubmatch(found)[1])
		if !ok {
			unknown = fmt.Errorf("nothing is known of %s: give it in the seed", found)
		}
		return fmt.Sprint(value)
	})
	return expanded, unknown
}

// A form is a request before it is written: named values and where they go.
type form struct {
	method, path string
	contentType  string // "" for no body
	values       []value
	folded       bool
	raw          *string // the body as it is
	headers      map[string]string
}

func (w *world) write(f form) (*http.Request, error) {
	query, path := url.Values{}, f.path
	header := http.Header{}
	var username, password string
	basic := false
	var inBody []value
	for _, v := range f.values {
		words := nodeOf(v.value).text
		if scheme := v.field.node.get("scheme").raw(); scheme != "" {
			words = scheme + " " + words
		}
		switch in := v.field.in; {
		case in == "query", in == "query_or_body" && f.contentType == "":
			query.Set(v.field.name, words)
		case in == "header":
			header.Set(v.field.name, words)
		case in == "path":
			path = strings.ReplaceAll(path, "{"+v.field.name+"}", url.PathEscape(words))
		case in == "cookie":
			header.Add("Cookie", v.field.name+"="+words)
		case in == "basic" && v.field.name == "username":
			username, basic = words, true
		case in == "basic":
			password, basic = words, true
		default:
			inBody = append(inBody, v)
		}
	}
	body, contentType, err := writeBody(f, inBody)
	if err != nil {
		return nil, err
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	r, err := http.NewRequest(f.method, w.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = header
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if basic {
		r.SetBasicAuth(username, password)
	}
	for name, value := range f.headers {
		r.Header.Set(name, value)
	}
	return r, nil
}

func writeBody(f form, values []value) (body []byte, contentType string, err error) {
	if f.folded {
		for i := range values {
			values[i].field.name = strings.Map(swapCase, values[i].field.name)
		}
	}
	bare, _, _ := strings.Cut(f.contentType, ";")
	switch {
	case f.raw != nil:
		return []byte(*f.raw), f.contentType, nil
	case f.contentType == "":
		return nil, "", nil
	case bare == "application/x-www-form-urlencoded":
		var pairs []string
		for _, v := range values {
			pairs = append(pairs, url.QueryEscape(v.field.name)+"="+url.QueryEscape(nodeOf(v.value).text))
		}
		return []byte(strings.Join(pairs, "&")), f.contentType, nil
	case bare == "multipart/form-data":
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, v := range values {
			if err := w.WriteField(v.field.name, nodeOf(v.value).text); err != nil {
				return nil, "", err
			}
		}
		err := w.Close()
		return b.Bytes(), w.FormDataContentType(), err
	case strings.HasSuffix(bare, "xml"):
		return xmlBody(values), f.contentType, nil
	case isJSON(bare):
		return nested(values, ".").json(nil), f.contentType, nil
	}
	return nil, "", fmt.Errorf("nobody knows how to write a body of type %q", f.contentType)
}

func swapCase(c rune) rune {
	if unicode.IsUpper(c) {
		return unicode.ToLower(c)
	}
	return unicode.ToUpper(c)
}

// nested makes objects of names with separators in them.
func nested(values []value, separators string) *node {
	root := &node{is: object}
	for _, v := range values {
		at := root
		parts := strings.FieldsFunc(v.field.name, func(c rune) bool { return strings.ContainsRune(separators, c) })
		for i, part := range parts {
			if i == len(parts)-1 {
				at.add(part, nodeOf(v.value))
				continue
			}
			if !slices.Contains(at.names, part) {
				at.add(part, &node{is: object})
			}
			at = at.get(part)
		}
	}
	return root
}

func xmlBody(values []value) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	writeElements(&b, nested(values, "./"))
	return b.Bytes()
}

func writeElements(b *bytes.Buffer, n *node) {
	for i, name := range n.names {
		item := n.items[i]
		switch {
		case strings.HasPrefix(name, "@"):
			continue // stands in the tag
		case name == "#text":
			_ = xml.EscapeText(b, []byte(item.text)) // a buffer takes everything
			continue
		}
		b.WriteString("<" + name)
		for k, inner := range item.names {
			if attribute, ok := strings.CutPrefix(inner, "@"); ok {
				b.WriteString(" " + attribute + `="`)
				_ = xml.EscapeText(b, []byte(item.items[k].text))
				b.WriteString(`"`)
			}
		}
		b.WriteString(">")
		if item.is == object {
			writeElements(b, item)
		} else {
			_ = xml.EscapeText(b, []byte(item.text))
		}
		b.WriteString("</" + name + ">")
	}
}
