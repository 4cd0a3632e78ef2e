package dialect

import (
	"slices"

	"github.com/chancery-auth/chancery/core"
)

// A Shape is a mapping of the language: what it may hold. The loader reads files by
// the shapes, and manual and schema are written from them.
type Shape struct {
	Name, Doc string   // such as "a route", and what it is for
	Members   []Slot   // in the order of the manual
	Own       *Slot    // of mappings whose names the file chooses, such as inputs: what each holds
	Names     []string // what those names may be, where the list is closed
	Pattern   string   // and what they must match, where it is open; "" for any text
}

// A Slot is a member of a Shape and what may stand there. Every single value may
// also be ${setting.NAME}.
type Slot struct {
	Name, Doc string
	Hint      string // what to do where it is missing
	Default   string // what its absence means, in words
	Need      bool   // whether every such mapping has it
	Is        Kind
	Words     []string // of KindWord
	Of        *Shape   // of KindShape
	Item      *Slot    // of KindList; a single value stands for a list of one

	later bool // nothing reads it yet: a file that has it is refused
}

// A Kind is what a member holds; some may hold one of several.
type Kind uint16

// The kinds of values.
const (
	KindText         Kind = 1 << iota // text as it stands
	KindWord                          // one of the slot's words
	KindWhole                         // a whole number
	KindBool                          // true or false
	KindDuration                      // 90s, 15m, 1h30m or 8d
	KindList                          // of the slot's item
	KindShape                         // a mapping of the slot's shape
	KindTemplate                      // a tree with expressions in its leaves
	KindTextTemplate                  // text with expressions in it
	KindExpression                    // ${expression} alone
	KindAny                           // whatever YAML has
)

// Language lists the shapes of dialect files, in the order in which a reader of a
// file meets them.
func Language() []Shape {
	var all []Shape
	seen := map[*Shape]bool{}
	var visit func(*Shape)
	slot := func(s *Slot) {
		for ; s != nil; s = s.Item {
			if s.Is&KindTemplate != 0 {
				visit(&loopShape)
			}
			if s.Of != nil {
				visit(s.Of)
			}
		}
	}
	visit = func(s *Shape) {
		if seen[s] {
			return
		}
		seen[s] = true
		all = append(all, *s)
		for i := range s.Members {
			slot(&s.Members[i])
		}
		slot(s.Own)
	}
	visit(&dialectShape)
	return all
}

// slot is the member of that name, or nil.
func (s *Shape) slot(name string) *Slot {
	i := slices.IndexFunc(s.Members, func(m Slot) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Members[i]
}

// known are the names of the members that are read.
func (s *Shape) known() []string {
	names := make([]string, 0, len(s.Members))
	for i := range s.Members {
		if !s.Members[i].later {
			names = append(names, s.Members[i].Name)
		}
	}
	return names
}

// kindNames are the outcomes that a file can word; requestKindNames those of them
// that a request of the wrong form has.
var (
	kindNames        = namesOf(func(core.Kind) bool { return true })
	requestKindNames = namesOf(func(k core.Kind) bool { return k.IsA(core.InvalidRequest) })
	issueNames       = slices.Concat(ruleNames, requestKindNames)
)

func namesOf(has func(core.Kind) bool) []string {
	var names []string
	for _, kind := range core.Kinds() {
		if has(kind) {
			names = append(names, string(kind))
		}
	}
	return names
}

var docSlot = Slot{Name: "doc", Doc: "what people are told about it; blank lines part paragraphs", Is: KindText}

// dialectShape is the whole file.
var dialectShape = Shape{
	Name: "a dialect", Doc: "The file: one wire contract.",
	Members: []Slot{
		{Name: "dialect", Doc: "the contract's name: lower-case letters, digits and hyphens, at most 63", Hint: "begin the file with: dialect: NAME", Need: true, Is: KindText},
		{Name: "title", Doc: "its readable name", Default: "the name", Is: KindText},
		{Name: "about", Doc: "what people are told about it; blank lines part paragraphs", Is: KindText},
		{Name: "subject", Doc: "who signs in: accounts by password, access keys, or both in the order of trying", Default: "account", Is: KindList, Item: &subjectSlot},
		{Name: "settings", Doc: "what an operator may choose, with the defaults", Is: KindShape, Of: &settingsShape},
		{Name: "credentials", Doc: "the form of access keys and their secrets", Is: KindShape, Of: &credentialsShape},
		{Name: "admit", Doc: "who may sign in though the rule says no", Is: KindList, Item: &Slot{Is: KindWord, Words: []string{"unverified"}}},
		{Name: "validation", Doc: "how a request of the wrong form is told what is wrong", Is: KindShape, Of: &validationShape},
		{Name: "trailing_slash", Doc: "what a slash too many or too few at a path's end does", Default: "strict", Is: KindWord, Words: []string{"strict", "redirect", "accept"}},
		{Name: "unknown_inputs", Doc: "what a body's member does that no input reads", Default: "ignore", Is: KindWord, Words: []string{"ignore", "refuse"}},
		namesSlot,
		{Name: "tokens", Doc: "the tokens that the dialect issues", Is: KindShape, Of: &tokensShape},
		{Name: "carriers", Doc: "where requests bring their token, in the order of trying", Default: "Authorization: Bearer", Is: KindList, Item: &Slot{Is: KindShape, Of: &carrierShape}},
		{Name: "tickets", Doc: "how long one-time tickets live", Is: KindShape, Of: &ticketsShape},
		{Name: "mails", Doc: "the words of mails", Is: KindShape, Of: &mailsShape},
		messagesSlot,
		defaultsSlot,
		{Name: "routes", Doc: "what is served, and where; at most 50", Hint: "a dialect serves at least one route", Need: true, Is: KindList, Item: &Slot{Is: KindShape, Of: &routeShape}},
		{Name: "issues", Doc: "how each broken rule is told", Is: KindShape, Of: &issuesShape},
		{Name: "errors", Doc: "the reply to each outcome that is not a success", Hint: "errors words every outcome that is not a success", Need: true, Is: KindShape, Of: &errorsShape},
		{Name: "protected", Doc: "replies for the resources behind the server alone", Is: KindShape, Of: &protectedShape},
		{Name: "samples", Doc: "the identities that the examples speak of", Is: KindShape, Of: &samplesShape},
		{Name: "examples", Doc: "requests and the replies that they must get", Is: KindList, Item: &Slot{Is: KindShape, Of: &exampleShape}},
	},
}

var subjectSlot = Slot{Is: KindWord, Words: []string{string(core.SubjectAccount), string(core.SubjectKey)}}

var settingsShape = Shape{
	Name: "settings", Doc: "What an operator may choose: text, a number or a boolean each.",
	Own: &Slot{Doc: "the default, whose type the choice has too; ${base_url} or ${issuer} alone is where the server is", Is: KindAny}, Pattern: settingPattern.String(),
}

var credentialsShape = Shape{
	Name: "credentials", Doc: "The form of access keys that are made for the dialect.",
	Members: []Slot{
		{Name: "key", Doc: "the identifier: hexN, base64_N, base64url_N or base62_N with N bytes, at least 8", Is: KindText},
		{Name: "secret", Doc: "the secret, likewise, at least 32 bytes", Is: KindText},
	},
}

var validationShape = Shape{
	Name: "validation", Doc: "Which issues of a request are told, and in which order.",
	Members: []Slot{
		{Name: "report", Doc: "all issues, or the first", Default: "all", Is: KindWord, Words: []string{"all", "first"}},
		{Name: "order", Doc: "the inputs' order, or absent inputs before all else", Default: "input", Is: KindWord, Words: []string{"input", "rule"}},
	},
}
