package dialect

import (
	"errors"
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
	varies   bool // whether the client's Accept chooses
}

// maxVariants bounds the variants of an answer.
const maxVariants = 8

// answer compiles what goes back for one outcome. status is what an absent status
// means; 0: it is needed.
func (r *reader) answer(n *yaml.Node, what string, status int, p *place) *answer {
	if n == nil {
		return nil
	}
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		if nodes = n.Content; len(nodes) < 2 {
			r.fault(n, "one reply needs no list", "%s has %d variants, and may have 2 to %d", what, len(nodes), maxVariants)
		} else if len(nodes) > maxVariants {
			r.fault(n, "put the rest into conditions inside the body", "%s has %d variants, and may have 2 to %d", what, len(nodes), maxVariants)
		}
	}
	a := &answer{node: n}
	for i, item := range nodes[:min(len(nodes), maxVariants)] {
		rp := r.reply(item, what, status, p)
		a.variants = append(a.variants, rp)
		a.stated = a.stated || rp.stated
		a.varies = a.varies || rp.accept != ""
		chosen := memberOf(item, "when") != nil || memberOf(item, "accept") != nil
		switch last := i == len(nodes)-1; {
		case last && chosen && len(nodes) == 1:
			r.fault(item, "leave when and accept out, or write a list of replies", "%s is the only one: nothing can choose it", what)
		case last && chosen:
			r.fault(item, "add one without when and accept", "the last variant of %s is not for the rest", what)
		case !last && !chosen && item.Kind == yaml.MappingNode:
			r.fault(item, "add when or accept, or put it last", "nothing chooses this variant of %s but for being the rest", what)
		}
	}
	return a
}

// lists reports whether a variant writes the issues' templates.
func (a *answer) lists() bool {
	return slices.ContainsFunc(a.variants, func(rp *reply) bool { return rp.lists })
}

// has reports whether a variant has that status.
func (a *answer) has(status int) bool {
	return slices.ContainsFunc(a.variants, func(rp *reply) bool { return rp.status == status })
}

// pick chooses the variant of a request: the first whose when holds, and which the
// client's Accept does not choose, unless the client prefers one before it.
func (a *answer) pick(s *scope) (*reply, error) {
	if len(a.variants) == 1 {
		return a.variants[0], nil
	}
	var offered []*reply
	for _, rp := range a.variants {
		if rp.when != nil {
			holds, err := rp.when.holds(s)
			if err != nil {
				return nil, err
			}
			if !holds {
				continue
			}
		}
		if rp.accept == "" {
			return negotiate(s.call.header, offered, rp), nil
		}
		offered = append(offered, rp)
	}
	return nil, errors.New("no variant is for the rest") // the loader saw to it that there is one
}

// live are the variants that some request can get, with the settings at hand.
func (a *answer) live(d *Dialect) []*reply {
	var all []*reply
	for _, rp := range a.variants {
		is, known := true, rp.when == nil
		if rp.when != nil {
			is, known = rp.when.known(d)
		}
		if known && !is {
			continue
		}
		all = append(all, rp)
		if known && rp.accept == "" {
			break // it takes the rest
		}
	}
	return all
}

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
			if kind = core.Kind(nearest(string(kind), kindNames)); kind == "" || kind == core.Unknown || kind == core.BadSecret || memberOf(n, string(kind)) != nil {
				continue
			}
		}
		at := *p
		at.what, at.issues = "the reply to "+string(kind), kind.IsA(core.InvalidRequest)
		at.in |= ofKind(kind)
		at.about = string(kind)
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
