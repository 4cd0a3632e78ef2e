package page

import (
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
)

type reference struct {
	ID, Status, Title string
	rank              int
}

// A failure is a reply to a refusal, with the calls that it can answer.
type failure struct {
	ID, Status, Title string
	dialect.Advice
	answer
	Where  []string
	status int
	rank   int
}

// fail adds a refusal to the page, once, and refers to it.
func (v *view) fail(o dialect.OutcomeInfo, where string) []reference {
	var all []reference
	for _, r := range o.Replies {
		f := failure{Title: kindTitle(o.Kind), Advice: o.Advice, answer: newAnswer(r), status: r.Status, rank: dialect.Rank(o.Kind)}
		f.Status, f.Members = strconv.Itoa(r.Status), nil
		i := slices.IndexFunc(v.Failures, func(g failure) bool {
			return g.Title == f.Title && g.status == f.status && g.Cause == f.Cause && (g.source == f.source || g.answer.same(&f.answer))
		})
		if i < 0 {
			i = len(v.Failures)
			f.ID = v.id("failure_" + string(o.Kind))
			v.Failures = append(v.Failures, f)
		}
		if !slices.Contains(v.Failures[i].Where, where) {
			v.Failures[i].Where = append(v.Failures[i].Where, where)
		}
		all = append(all, reference{v.Failures[i].ID, f.Status, f.Title, f.rank})
	}
	return all
}

// summary tells in one sentence what the contract is for.
func summary(info dialect.Description) string {
	var with []string
	for _, subject := range info.Subject {
		with = append(with, subjectWords[subject])
	}
	text := "Sign in with " + strings.Join(with, ", or with ") + ", and get a token"
	if len(info.Tokens) == 0 {
		return text + "."
	}
	t := info.Tokens[0]
	if t.Lifetime == 0 {
		return text + " that stays good until it is ended."
	}
	return text + " that is good for " + spell(t.Lifetime) + "."
}

var subjectWords = map[core.SubjectKind]string{
	core.SubjectAccount: "a login name and a password", core.SubjectKey: "an access key and its secret",
}

// kindTitle is an outcome's name for people.
func kindTitle(kind core.Kind) string {
	words := strings.ReplaceAll(string(kind), "_", " ")
	switch kind {
	case "":
		return ""
	case core.MFARequired:
		words = "second factor required"
	case core.BadOTP:
		words = "bad one-time code"
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// ReplyView is the failure's reply, for the template, which tells beside it what it is about.
func (f failure) ReplyView() answer {
	shown := f.answer
	shown.About = nil
	return shown
}
