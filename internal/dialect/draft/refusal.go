package draft

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// An outcome is one that every file must word, and how it is worded unless the API
// has shown otherwise.
type outcome struct {
	name     string
	status   int
	sentence string
}

var outcomes = []outcome{
	{"invalid_request", 400, "The request is not valid"},
	{"bad_credentials", 401, "The credentials are wrong"},
	{"unauthorized", 401, "The token is missing or does not hold"},
	{"not_found", 404, "There is nothing here"},
	{"method_not_allowed", 405, "The method is not allowed here"},
	{"rate_limited", 429, "Too many attempts: wait ${limit.retry_after} seconds"},
	{"unavailable", 503, "Try again later"},
	{"internal", 500, "Something went wrong"},
}

// defaultRefusal is what the API is taken to answer where nobody knows.
func defaultRefusal() *Reply {
	v, err := body.ParseJSON([]byte(`{"error": "bad_credentials", "message": "The credentials are wrong"}`), limits)
	if err != nil { // the text above is JSON
		panic(err)
	}
	return &Reply{Status: http.StatusUnauthorized, JSON: &v}
}

// A worder words one outcome in the manner of the refusal that is known.
type worder struct {
	outcome
	like   *Reply
	own    bool // whether the outcome is the one that is known: its texts stay
	worded bool // whether the sentence has found its place
}

// word writes the reply to an outcome, and what an example expects of it.
func (d *Draft) word(o outcome) guess {
	w := &worder{outcome: o, like: d.Refusal, own: o.name == "bad_credentials"}
	if w.own && d.Refusal.Status != 0 {
		w.status = d.Refusal.Status
	}
	template, expected := mapping().add("status", plain(strconv.Itoa(w.status))), mapping().add("status", plain(strconv.Itoa(w.status)))
	for _, h := range d.Refusal.Headers {
		if h.Name == "Www-Authenticate" && (w.own || o.name == "unauthorized") {
			template.add("headers", flat(mapping().add("WWW-Authenticate", literal(h.Value))))
		}
	}
	switch like := d.Refusal; {
	case like.JSON != nil:
		w.worded = w.own || w.findSentence(*like.JSON) == ""
		made := w.value("", *like.JSON)
		template.add("json", made.template)
		expected.add("json", made.expected)
	case like.Text == "":
		template.add("empty", plain("true"))
		expected.add("empty", plain("true"))
	default:
		sentence := guess{text(o.sentence), text(o.sentence)}
		if w.own {
			sentence = guess{literal(like.Text), literal(like.Text)}
		}
		template.add("text", sentence.template)
		expected.add("text", sentence.expected)
	}
	return guess{template.Node, expected.Node}
}

var sentenceNames = []string{"message", "msg", "errormessage", "errordescription", "detail", "description", "reason", "text", "title", "error", "errors"}

// findSentence is the name of the member that tells people what is wrong.
func (w *worder) findSentence(v body.Value) string {
	best := len(sentenceNames)
	var look func(v body.Value)
	look = func(v body.Value) {
		for _, m := range v.Members() {
			if at := slices.Index(sentenceNames, folded(m.Name())); at >= 0 && at < best && m.Value().Kind() == body.String {
				best = at
			}
			look(m.Value())
		}
		for _, item := range v.Items() {
			look(item)
		}
	}
	look(v)
	if best == len(sentenceNames) {
		return ""
	}
	return sentenceNames[best]
}

func (w *worder) value(name string, v body.Value) guess {
	switch v.Kind() {
	case body.Object:
		template, expected := mapping(), mapping()
		for _, m := range v.Members() {
			made := w.value(m.Name(), m.Value())
			template.add(memberName(m.Name()), made.template)
			expected.add(m.Name(), made.expected)
		}
		return guess{template.Node, expected.Node}
	case body.List:
		template, expected := list(), list()
		for _, item := range v.Items() {
			made := w.value(name, item)
			template.Content, expected.Content = append(template.Content, made.template), append(expected.Content, made.expected)
		}
		return guess{template, expected}
	case body.String:
		return w.text(folded(name), v.Text())
	case body.Number:
		switch n := number(v); {
		case n == float64(w.like.Status):
			return same(plain(strconv.Itoa(w.status)), plain(strconv.Itoa(w.status)))
		case n >= 1e12 && n < 1e14:
			return guess{text("${epoch_ms(now)}"), text("<integer>")}
		case n >= 1e9 && n < 1e11:
			return guess{text("${epoch(now)}"), text("<integer>")}
		}
		return same(value(v), value(v))
	default:
		return same(value(v), value(v))
	}
}

func (w *worder) text(name, is string) guess {
	digits := isoText.FindStringSubmatch(is)
	switch {
	case digits != nil && digits[1] != "":
		return fact("iso_full(now, "+strconv.Itoa(min(len(digits[1]), 9))+")", "<iso>")
	case digits != nil:
		return fact("iso(now, 0)", "<iso>")
	case accountFacts[name] == "request.id" || uuidText.MatchString(is):
		return fact("request.id", "<text>")
	case name == "path" && strings.HasPrefix(is, "/"):
		return fact("request.path", "<text>")
	case w.own && is == sampleWord && slices.Contains(sentenceNames, name):
		return same(text(w.sentence), text(w.sentence))
	case w.own:
		return same(literal(is), literal(is))
	case is == strconv.Itoa(w.like.Status):
		return same(text(strconv.Itoa(w.status)), text(strconv.Itoa(w.status)))
	case is == http.StatusText(w.like.Status):
		return same(text(http.StatusText(w.status)), text(http.StatusText(w.status)))
	case !w.worded && name == w.findSentence(*w.like.JSON) && !w.isCode(name, is):
		w.worded = true
		return guess{text(w.sentence), text(w.sentence)}
	case w.isCode(name, is):
		code := inCaseOf(is, w.name)
		return same(text(code), text(code))
	}
	return same(literal(is), literal(is))
}

var codeNames = []string{"code", "error", "errorcode", "type", "errortype", "name", "key", "status"}

// isCode reports whether a text names what is wrong for programs.
func (w *worder) isCode(name, is string) bool {
	return slices.Contains(codeNames, name) && codeText.MatchString(is) && !strings.EqualFold(is, "error") && !strings.EqualFold(is, "fail") && !strings.EqualFold(is, "failed")
}

var (
	codeText  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*([_.-][A-Za-z0-9]+)*$`)
	upperText = regexp.MustCompile(`^[A-Z0-9_.-]+$`)
)

// inCaseOf writes the name of an outcome as another code is written.
func inCaseOf(like, name string) string {
	words := strings.Split(name, "_")
	switch {
	case upperText.MatchString(like):
		return strings.ToUpper(strings.Join(words, separatorOf(like)))
	case strings.ContainsAny(like, "_-.") || like == strings.ToLower(like):
		return strings.Join(words, separatorOf(like))
	}
	for i, word := range words {
		if i > 0 || like[0] >= 'A' && like[0] <= 'Z' {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

func separatorOf(like string) string {
	if i := strings.IndexAny(like, "_-."); i >= 0 {
		return like[i : i+1]
	}
	return "_"
}

// replies writes the section of errors.
func (d *Draft) replies() *yaml.Node {
	errors := mapping()
	for _, o := range outcomes {
		made := d.word(o).template
		if d.compact() {
			made = flat(tree{made})
		}
		errors.add(o.name, made)
	}
	return errors.Node
}
