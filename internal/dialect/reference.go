package dialect

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// What an example may refer to that is known only when it is run.
const (
	savedReference = "saved" // saved.NAME: what an example before it kept of its reply
	totpReference  = "totp"  // totp.SAMPLE: the code of the sample's second factor
	mailReference  = "mail"  // mail.PURPOSE.SAMPLE or mail.PURPOSE.ADDRESS: the ticket of the newest mail there
)

// A savedName is what an example saves, for those that run with the same settings.
type savedName struct {
	name     string
	settings map[string]any
}

// exampleSettings reads what the operator has chosen for one example; until the
// next one the file's settings are those.
func (r *reader) exampleSettings(n *yaml.Node) map[string]any {
	if n == nil {
		return nil
	}
	chosen := map[string]any{}
	r.settings = maps.Clone(r.settings)
	for _, m := range r.members(n, "settings") {
		name := m.name.Value
		s, known := r.settings[name]
		if !known {
			r.fault(m.name, didYouMean(name, r.settings.names()), "there is no setting %q", name)
			continue
		}
		value, ok := scalarValue(m.value)
		if ok {
			value, ok = likeDefault(s.value, value)
		}
		if !ok {
			r.fault(m.value, "give a value of that kind", "setting %s is %s", name, s.kind())
			continue
		}
		chosen[name], r.settings[name] = value, setting{value}
	}
	return chosen
}

// SettingSets lists what operators have chosen for the file's examples, each choice
// once: a server with these settings can run the examples that have them.
func (d *Dialect) SettingSets() []map[string]any {
	var all []map[string]any
	for _, e := range d.examples {
		if !slices.ContainsFunc(all, func(set map[string]any) bool { return maps.Equal(set, e.Settings) }) {
			all = append(all, e.Settings)
		}
	}
	return all
}

// exampleText reads a text of an example. What is known only when it is run stays
// in it, as ${saved.NAME}.
func (r *reader) exampleText(n *yaml.Node, what string, e *Example) string {
	text := r.letters(n, what)
	if _, ok := settingName(n); ok || !strings.Contains(text, "${") {
		return text
	}
	return r.referring(n, e)
}

// exampleField reads a form's field, whose value may be no text.
func (r *reader) exampleField(n *yaml.Node, e *Example) string {
	switch v := r.scalar(n, "a field"); {
	case v == nil:
		return ""
	case v != n || !strings.Contains(n.Value, "${"):
		return v.Value
	}
	return r.referring(n, e)
}

// exampleJSON reads a tree of an example.
func (r *reader) exampleJSON(n *yaml.Node, e *Example) []byte {
	return r.treeJSON(nil, n, func(n *yaml.Node) *yaml.Node {
		if n.Tag != "!!str" || !strings.Contains(n.Value, "${") {
			return n
		}
		if _, ok := settingName(n); ok {
			if v := r.scalar(n, "the value"); v != nil {
				return v
			}
			return n
		}
		filled := *n
		filled.Value = r.referring(n, e)
		return &filled
	})
}

// referring reads a text with references in it.
func (r *reader) referring(n *yaml.Node, e *Example) string {
	parts, _ := r.split(n)
	var b strings.Builder
	for _, part := range parts {
		if !part.expression {
			b.WriteString(part.text)
			continue
		}
		name := strings.TrimSpace(part.text)
		if value, ok := r.knownNow(name); ok {
			b.WriteString(value)
			continue
		}
		b.WriteString("${" + name + "}")
		if problem, hint := r.reference(name, e); problem != "" {
			r.faultAt(n, part.offset, hint, "%s", problem)
		} else if !slices.Contains(e.references, name) {
			e.references = append(e.references, name)
		}
	}
	return b.String()
}

// knownNow is the value of what is the same in each run.
func (r *reader) knownNow(name string) (string, bool) {
	switch name {
	case "base_url":
		return r.dialect.baseURL, true
	case "issuer":
		return r.dialect.issuer, true
	}
	s, ok := r.settings[strings.TrimPrefix(name, "setting.")]
	return s.text(), ok && strings.HasPrefix(name, "setting.")
}

// reference checks that there will be something to fill in.
func (r *reader) reference(name string, e *Example) (problem, hint string) {
	kind, rest, _ := strings.Cut(name, ".")
	samples := &r.dialect.samples
	switch kind {
	case savedReference:
		var known []string
		for _, s := range r.saved {
			if maps.Equal(s.settings, e.Settings) {
				known = append(known, s.name)
			}
		}
		if !slices.Contains(known, rest) {
			return "no example before this one saves " + rest, cmp.Or(didYouMean(rest, known), "add save to what one before it expects, with the same settings")
		}
	case totpReference:
		var known []string
		for _, a := range samples.Accounts {
			if a.TOTP.Reveal() != "" {
				known = append(known, a.Sample)
			}
		}
		if !slices.Contains(known, rest) {
			return "there is no sample " + rest + " with a second factor", didYouMean(rest, known)
		}
	case mailReference:
		purpose, to, _ := strings.Cut(rest, ".")
		var known []string
		for _, a := range samples.Accounts {
			known = append(known, a.Sample)
		}
		switch {
		case r.dialect.mails[core.Purpose(purpose)] == nil:
			return "the file has no mail " + purpose, "such as ${mail.recovery.SAMPLE}, or ${mail.verification.new@example.com}"
		case !slices.Contains(known, to) && !strings.Contains(to, "@"):
			return "there is no sample account " + to, cmp.Or(didYouMean(to, known), "an address stands as it is, as in ${mail.verification.new@example.com}")
		}
	default:
		return "there is no " + name + " in examples", "known are saved.NAME, totp.SAMPLE, mail.recovery.SAMPLE, mail.verification.SAMPLE, either of them with an ADDRESS, setting.NAME, base_url and issuer; write $${ for ${ itself"
	}
	return "", ""
}

// fill is the example with values in the places of its references.
func (e *Example) fill(value func(reference string) (string, error)) (Example, error) {
	filled := *e
	filled.Header = e.Header.Clone()
	for _, name := range e.references {
		text, err := value(name)
		if err != nil {
			return filled, err
		}
		filled.put("${"+name+"}", text)
	}
	return filled, nil
}

// sampled is the example with made-up values in the places of its references, for
// manuals: what they stand for is known only when the example is run.
func (e *Example) sampled() Example {
	filled, _ := e.fill(func(reference string) (string, error) { // which fails no more than its argument
		kind, name, _ := strings.Cut(reference, ".")
		switch text, known := Placeholders[name]; {
		case kind == totpReference:
			return sampleCode, nil
		case kind == mailReference:
			return Placeholders[roleTicket], nil
		case known && name != roleToken:
			return text, nil
		}
		return "your-" + strings.ReplaceAll(strings.TrimRight(name, "_0123456789"), "_", "-"), nil
	})
	return filled
}

// put writes a value in the place of a reference, as each place writes texts.
func (e *Example) put(reference, value string) {
	path, query, has := strings.Cut(e.Path, "?")
	e.Path = strings.ReplaceAll(path, reference, url.PathEscape(value))
	if has {
		e.Path += "?" + strings.ReplaceAll(query, reference, url.QueryEscape(value))
	}
	for _, values := range e.Header {
		for i := range values {
			values[i] = strings.ReplaceAll(values[i], reference, value)
		}
	}
	in, text := reference, value
	switch e.form {
	case "json":
		text = string(appendInside(nil, value))
	case "form":
		in, text = url.QueryEscape(reference), url.QueryEscape(value)
	case "xml":
		text = string(appendEscaped(nil, value))
	}
	e.Body = []byte(strings.ReplaceAll(string(e.Body), in, text))
	if e.ReplyJSON != nil {
		e.ReplyJSON = []byte(strings.ReplaceAll(string(e.ReplyJSON), reference, string(appendInside(nil, value))))
	}
	if e.ReplyText != nil {
		shown := value
		if e.replyXML {
			shown = string(appendEscaped(nil, value))
		}
		text := strings.ReplaceAll(*e.ReplyText, reference, shown)
		e.ReplyText = &text
	}
	headers := maps.Clone(e.ReplyHeader)
	for name, want := range headers {
		headers[name] = slices.Clone(want)
		for i := range want {
			headers[name][i] = strings.ReplaceAll(want[i], reference, value)
		}
	}
	e.ReplyHeader = headers
}
