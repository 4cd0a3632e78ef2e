package dialect

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/language"
)

// Bounds of a file's messages.
const (
	maxLanguages = 20
	maxMessages  = 200
)

// maxLanguageText bounds what is looked at of a request's wish, in bytes.
const maxLanguageText = 1 << 10

// messageFact is what begins the facts of messages.
const messageFact = "message"

// messages are a contract's texts in its languages.
type messages struct {
	names    []string // of the languages, as the file writes them; the first is the default
	matcher  language.Matcher
	sources  []source
	announce bool
	varies   []string // the headers that choose, where replies tell
	inIssues bool     // whether issues' templates name messages
	texts    map[string]*message
}

// A message is one text in each language.
type message struct {
	node  *yaml.Node
	texts []*yaml.Node // by the languages' order
	named bool
}

func (r *reader) messages(n *yaml.Node) *messages {
	if n == nil {
		return nil
	}
	s := r.section(n, &messagesShape)
	m := &messages{texts: map[string]*message{}, announce: r.boolean(s.get("announce"), "announce", false)}
	r.languages(s.need("languages"), m)
	r.languageSources(s.get("from"), m)
	for i, member := range r.members(s.need("texts"), "texts") {
		name := member.name.Value
		switch {
		case !inputName.MatchString(name):
			r.fault(member.name, "use lower-case letters, digits and underscores", "%q cannot name a message", name)
		case i == maxMessages:
			r.fault(member.name, "leave out what no reply says", "there are more than %d messages", maxMessages)
			return m
		default:
			m.texts[name] = r.message(member, m)
		}
	}
	return m
}

func (r *reader) languages(n *yaml.Node, m *messages) {
	var tags []language.Tag
	for i, item := range r.items(n, "languages") {
		name := r.text(item, "a language")
		tag, err := language.Parse(name)
		switch {
		case name == "":
		case err != nil:
			r.fault(item, "such as en, pt-BR or zh-Hant", "%q is no language", name)
		case slices.Contains(m.names, name):
			r.fault(item, "remove one of the two", "the language %s is here twice", name)
		case i == maxLanguages:
			r.fault(item, "leave out what no client asks for", "there are more than %d languages", maxLanguages)
		default:
			m.names, tags = append(m.names, name), append(tags, tag)
		}
	}
	m.matcher = language.NewMatcher(tags)
}

// languageSources reads where requests name their language: places that are known
// however the rest of the request fails.
func (r *reader) languageSources(n *yaml.Node, m *messages) {
	if n == nil {
		m.sources = []source{{place: "header", name: "Accept-Language"}}
	}
	for _, item := range r.items(n, "from") {
		src, ok := r.source(item, r.text(item, "from"))
		switch {
		case !ok:
		case !slices.Contains([]string{"query", "header", "cookie"}, src.place):
			r.fault(item, "read it from query, header or cookie", "the language must be known before the body and the route are")
		default:
			m.sources = append(m.sources, src)
		}
	}
	for _, src := range m.sources {
		switch src.place {
		case "header":
			m.varies = append(m.varies, src.name)
		case "cookie":
			m.varies = append(m.varies, "Cookie")
		}
	}
}

func (r *reader) message(member member, m *messages) *message {
	made := &message{node: member.name, texts: make([]*yaml.Node, len(m.names))}
	for _, t := range r.members(member.value, "message "+member.name.Value) {
		i := slices.Index(m.names, t.name.Value)
		if i < 0 {
			r.fault(t.name, didYouMean(t.name.Value, m.names), "%q is none of the languages", t.name.Value)
			continue
		}
		made.texts[i] = t.value
	}
	for i, text := range made.texts {
		if text == nil && member.value.Kind == yaml.MappingNode {
			r.fault(member.name, "add "+m.names[i]+": …", "the message %s lacks the language %s", member.name.Value, m.names[i])
		}
	}
	return made
}

// messageNames are the names of the file's messages.
func (r *reader) messageNames() []string {
	if r.dialect.messages == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(r.dialect.messages.texts))
}

// resolveMessage compiles a message where it is named: what it may name itself
// depends on the place.
func (p *place) resolveMessage(r *reader, name, rest string) (v *variable, problem, hint string) {
	m := r.dialect.messages
	switch {
	case m == nil:
		return nil, name + " is not known: the file has no messages", "add messages: {languages: [en], texts: {" + rest + ": {en: …}}}"
	case m.texts[rest] == nil:
		return nil, fmt.Sprintf("there is no message %q", rest), didYouMean(rest, r.messageNames())
	case p.inMessage:
		return nil, "a message cannot name another", "write its text out"
	case p.in&(inReply|inError|inIssue) == 0:
		return nil, name + " is not known in " + p.what, "it is known in " + (inReply | inError | inIssue).String()
	}
	said := m.texts[rest]
	said.named, r.spoken = true, true
	at := *p
	at.inMessage = true
	texts := make([]textTemplate, len(said.texts))
	for i, n := range said.texts {
		texts[i] = r.textTemplate(n, "message "+rest, &at)
	}
	get := func(s *scope) (any, error) {
		text, err := texts[s.languageIndex()].append(nil, s)
		return string(text), err
	}
	return &variable{name: name, typ: textType, may: get, get: func(s *scope) any {
		text, err := get(s)
		if err != nil {
			return err // which expressions cannot use
		}
		return text
	}}, "", ""
}

// unnamedMessages warns of messages that nothing names. What is left spoken by then
// no reply says by itself, but issues' templates.
func (r *reader) unnamedMessages(d *Dialect) {
	if d.messages != nil {
		d.messages.inIssues = r.spoken
	}
	for _, name := range r.messageNames() {
		if m := d.messages.texts[name]; !m.named {
			r.warn(m.node, "write ${message."+name+"}, or leave it out", "nothing says the message %s", name)
		}
	}
}

// languageIndex is the language of the request, among those of the messages.
func (s *scope) languageIndex() int {
	if s.language == 0 {
		s.language = 1 + s.dialect.messages.choose(s.call)
	}
	return s.language - 1
}

// languageName is the fact request.language.
func (s *scope) languageName() any {
	if s.dialect.messages == nil {
		return nil
	}
	return s.dialect.messages.names[s.languageIndex()]
}

// choose finds the language that the request wants, by the first of the places that
// names one of ours; otherwise it is the default.
func (m *messages) choose(c *Call) int {
	if c == nil || len(m.names) < 2 {
		return 0
	}
	src := requestSource{call: c, r: &http.Request{Header: c.header, URL: &url.URL{RawQuery: c.query}}}
	for _, s := range m.sources {
		v, count := src.read(s)
		if count != 1 || len(v.Text()) > maxLanguageText {
			continue
		}
		wanted, _, err := language.ParseAcceptLanguage(v.Text())
		if err != nil || len(wanted) == 0 {
			continue
		}
		if _, i, sure := m.matcher.Match(wanted...); sure != language.No {
			return i
		}
	}
	return 0
}

// announced adds the headers that tell of a reply's language.
func (m *messages) announced(h http.Header, rp *reply, s *scope) {
	if !m.announce || !rp.speaks && !(rp.lists && m.inIssues) {
		return
	}
	h["Content-Language"] = []string{m.names[s.languageIndex()]}
	h["Vary"] = append(h["Vary"], m.varies...)
}
