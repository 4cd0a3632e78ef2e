package draft

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// privileges are parts of names by which contracts tell what somebody may do.
var privileges = []string{
	"admin", "role", "scope", "permission", "privilege", "superuser", "staff", "access", "polic", "group", "entitle", "right", "authorit", "capabilit", "grants", "claims",
}

// constant is a value of a reply, or of a claim, that is written as it was answered: for
// one who asked, and so for everybody until somebody has looked at it.
func constant(name string, v body.Value) guess {
	made := same(value(v), value(v))
	if says := whoElse(name, v); says != "" {
		remark(made.template, says)
	}
	return made
}

const question = "the same for everybody?"

// whoElse asks whether a constant is the same for everybody; where it tells what
// somebody may do, it proposes what tells it of each account.
func whoElse(name string, v body.Value) string {
	f := folded(name)
	empty := v.Kind() == body.Null || v.Kind() == body.String && v.Text() == "" || v.Kind() == body.List && len(v.Items()) == 0
	switch {
	case f == "tokentype":
		return ""
	case !empty && hasAny(f, privileges...) && !strings.Contains(f, "token"):
		return question + " " + proposal(name, v)
	}
	return question
}

// proposal is an expression that tells a privilege of the account that signs in.
func proposal(name string, v body.Value) string {
	word := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(snake(name)), "_"), "_")
	switch role := strings.TrimPrefix(strings.TrimPrefix(word, "is_"), "has_"); {
	case v.Kind() == body.Bool:
		return "By the account's roles it is \"${'" + role + "' in account.roles}\""
	case v.Kind() == body.List:
		return "By the account's roles it is ${account.roles}"
	case strings.Contains(word, "role"):
		return "By the account's roles it is \"${" + firstRole + "}\""
	case attributeName.MatchString(word) && !slices.Contains(notInCEL, word):
		return "As an attribute of the account it is ${account.attributes." + word + "}"
	}
	return "An attribute of the account tells it of each: ${account.attributes.NAME}"
}

// constants writes a list of nothing but constants, with one question for all of them.
func constants(name string, v body.Value, template *yaml.Node) {
	for _, item := range v.Items() {
		if item.Kind() == body.Object || item.Kind() == body.List {
			return
		}
	}
	for _, n := range template.Content {
		if !strings.HasPrefix(n.LineComment, "# "+question) {
			return // something in it is known, or another guess
		}
	}
	for _, n := range template.Content {
		n.LineComment = ""
	}
	remark(template, whoElse(name, v))
}
