package page

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// A Sample is a program that makes a call, in one language.
type Sample struct {
	Language string // as people name it
	File     string // as a file could be named
	Code     string
}

// A language is one in which samples are written.
type language struct {
	name, file string
	words      words
}

var languages = []language{
	{"curl", "call.sh", words{"null", "true", "false", ": ", "  "}},
	{"Python", "call.py", words{"None", "True", "False", ": ", "    "}},
	{"JavaScript", "call.mjs", words{"null", "true", "false", ": ", "  "}},
	{"Go", "call.go", words{"null", "true", "false", ": ", "\t"}},
	{"Ruby", "call.rb", words{"nil", "true", "false", " => ", "  "}},
}

//go:embed samples/*.tmpl
var sampleFiles embed.FS

var sampleTemplates = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, l := range languages {
		functions := template.FuncMap{
			"literal": literal, "ruby": rubyLiteral, "shell": shellWord, "lower": strings.ToLower, "title": titleCase, "hasPrefix": strings.HasPrefix,
			"value": func(text []byte, indent int) (string, error) { return l.words.value(text, indent) },
			"json":  indented, "access": access, "accessRuby": accessRuby, "accessGo": accessGo, "basic": basic, "raw": rawGo,
			"sed": sed, "plainName": plainName.MatchString,
		}
		name := l.file + ".tmpl"
		all[l.name] = template.Must(template.New(name).Funcs(functions).ParseFS(sampleFiles, "samples/"+name))
	}
	return all
}()

// A program is what a sample does: get a token, where Login is given, and make a call.
type program struct {
	Title string
	Token string // the token to use, where the program gets none itself; "" for none
	Login *step
	Call  step
}

// A step is one request of a program.
type step struct {
	dialect.Request
	URL     string
	Headers []header
	Cookies []header
	Find    find   // where its reply has the token
	Assign  string // what Go writes to assign its request
}

// OwnType reports whether Headers has the Content-Type.
func (s step) OwnType() bool {
	return slices.ContainsFunc(s.Headers, func(h header) bool { return h.Name == "Content-Type" })
}

// Imports are the packages that the program needs in Go.
func (p program) Imports() []string {
	all := []string{"fmt", "io", "log", "net/http"}
	steps := []*step{&p.Call}
	if p.Login != nil {
		steps = append(steps, p.Login)
		if p.Login.Find.In == "json" {
			all = append(all, "encoding/json")
		}
		if p.Login.Find.In == "xml" {
			all = append(all, "regexp")
		}
		if p.Login.Find.Before != "" {
			all = append(all, "strings")
		}
	}
	for _, s := range steps {
		switch s.Form {
		case dialect.BodyForms:
			all = append(all, "net/url", "strings")
		case dialect.BodyJSON, dialect.BodyXML:
			all = append(all, "strings")
		case dialect.BodyMultipart:
			all = append(all, "bytes", "mime/multipart")
		default:
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A header is a name, and a text that may end in the token.
type header struct {
	Name, Value string
	Token       bool
}

// find says where a reply has something.
type find struct {
	In            string // json, xml, text, header or cookie
	Path          []string
	Name          string
	Before, After string // what stands around it
}

// marker stands for the token while a request is composed.
const marker = "\x00token\x00"

// newStep makes a step of a composed request; what holds the marker is told as token.
func newStep(r dialect.Request, base string) step {
	s := step{Request: r, URL: base + r.Target()}
	for _, h := range r.Header {
		s.Headers = append(s.Headers, newHeader(h))
	}
	for _, c := range r.Cookie {
		s.Cookies = append(s.Cookies, newHeader(c))
	}
	if r.Form == dialect.BodyXML || r.Form == dialect.BodyJSON && r.Type != "application/json" {
		s.Headers = append(s.Headers, header{Name: "Content-Type", Value: r.Type})
	}
	return s
}

func newHeader(p dialect.Pair) header {
	value, found := strings.CutSuffix(p.Value, marker)
	return header{p.Name, value, found}
}

// QueryToken reports whether the token stands in the URL.
func (s step) QueryToken() bool { return strings.Contains(s.URL, escapedMarker) }

const escapedMarker = "%00token%00"

// Base is the URL without the token that ends it.
func (s step) Base() string { return strings.TrimSuffix(s.URL, escapedMarker) }

// findToken finds where a reply has the token.
func findToken(r dialect.ReplyInfo) (find, bool) {
	if path, s, ok := r.Schema.Find(tokenFact); ok && s.After == "" {
		switch {
		case r.Body == dialect.BodyJSON:
			return find{In: "json", Path: path, Before: s.Before}, true
		case r.Body == dialect.BodyText:
			return find{In: "text", Before: s.Before}, true
		case r.Body == dialect.BodyXML && !strings.HasPrefix(last(path), "@") && last(path) != "#text":
			return find{In: "xml", Name: last(path), Before: s.Before}, true
		}
	}
	for _, c := range r.Cookies {
		if c.Schema.Fact == tokenFact && c.Schema.After == "" {
			return find{In: "cookie", Name: c.Name, Before: c.Schema.Before}, true
		}
	}
	for _, h := range r.Headers {
		s := h.Schema
		name, before, isCookie := strings.Cut(s.Before, "=")
		switch {
		case s.Fact != tokenFact:
		case h.Name == "Set-Cookie" && isCookie:
			return find{In: "cookie", Name: name, Before: before}, true
		case h.Name != "Set-Cookie" && s.After == "":
			return find{In: "header", Name: h.Name, Before: s.Before}, true
		}
	}
	return find{}, false
}

const tokenFact = "token.value"

// samples writes a program in every language.
func (p program) samples() ([]Sample, error) {
	all := make([]Sample, 0, len(languages))
	for _, l := range languages {
		var b strings.Builder
		if err := sampleTemplates[l.name].Execute(&b, p); err != nil {
			return nil, fmt.Errorf("sample in %s: %w", l.name, err)
		}
		all = append(all, Sample{l.name, l.file, strings.TrimSpace(b.String()) + "\n"})
	}
	return all, nil
}
