package dialect

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// An answer is what goes back for one outcome: one reply, or variants of which the
// last is the rest.
type answer struct {
	node     *yaml.Node
	variants []*reply
	stated   bool // whether a variant names an account's or a key's state
}

// answer compiles what goes back for one outcome. status is what an absent status
// means; 0: it is needed.
func (r *reader) answer(n *yaml.Node, what string, status int, p *place) *answer {
	if n == nil {
		return nil
	}
	rp := r.reply(n, what, status, p)
	return &answer{node: n, variants: []*reply{rp}, stated: rp.stated}
}

// lists reports whether a variant writes the issues' templates.
func (a *answer) lists() bool {
	return slices.ContainsFunc(a.variants, func(rp *reply) bool { return rp.lists })
}

// has reports whether a variant has that status.
func (a *answer) has(status int) bool {
	return slices.ContainsFunc(a.variants, func(rp *reply) bool { return rp.status == status })
}

// pick chooses the variant of a request.
func (a *answer) pick(*scope) (*reply, error) { return a.variants[0], nil }

// words reads what the routes' replies share: the file's own replies to refusals.
func (r *reader) words(s section, d *Dialect) {
	d.errors = r.answers(s.need("errors"), &place{in: inError})
	if p := s.get("protected"); p != nil {
		d.protectedErrors = r.answers(r.section(p, &protectedShape).get("errors"), &place{in: inError})
	}
}

// answers compiles the answers to refusals.
func (r *reader) answers(n *yaml.Node, p *place) map[core.Kind]*answer {
	all := map[core.Kind]*answer{}
	for _, m := range r.members(n, "errors") {
		kind := core.Kind(m.name.Value)
		if !slices.Contains(kindNames, string(kind)) {
			r.fault(m.name, didYouMeanShort(string(kind), kindNames), "there is no outcome %q", kind)
			continue
		}
		at := *p
		at.what, at.issues = "the reply to "+string(kind), kind.IsA(core.InvalidRequest)
		at.in |= ofKind(kind)
		at.keys = at.keys || at.in&inKeyState != 0
		all[kind] = r.answer(m.value, at.what, 0, &at)
		r.warnApart(m.name, kind)
	}
	return all
}

// warnApart says what it costs to tell an account's states apart. That an account
// is unknown and that a secret is wrong are never told apart (S1).
func (r *reader) warnApart(n *yaml.Node, kind core.Kind) {
	switch kind {
	case core.Unknown, core.BadSecret:
		r.fault(n, "declare bad_credentials, which words both", "%s cannot have a reply of its own: it would tell which accounts exist", kind)
	case core.Inactive, core.Unverified, core.Locked, core.KeyPending, core.KeyExpired, core.KeyRevoked, core.MustChangeSecret:
		r.warn(n, "leave it out, if the contract allows, and bad_credentials answers", "%s is told apart: who holds a stolen password learns the account's state", kind)
	}
}

// resolve finds the answer to every kind: the kind's own, or that of the nearest
// kind above it. Of several lists the first that knows a kind wins.
func resolve(lists ...map[core.Kind]*answer) map[core.Kind]*answer {
	all := make(map[core.Kind]*answer, len(kindNames))
	for _, kind := range core.Kinds() {
	search:
		for k := kind; k != ""; k = k.Parent() {
			for _, list := range lists {
				if a := list[k]; a != nil {
					all[kind] = a
					break search
				}
			}
		}
	}
	return all
}

// didYouMeanShort is the hint for a name from a list too long to show.
func didYouMeanShort(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "the manual lists them"
}
