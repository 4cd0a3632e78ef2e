package dialect

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// A doing is what a route does, and what it asks of core beside its inputs.
type doing struct {
	operation operation
	policy    string // the token that it issues; "" for none
	as        []core.SubjectKind
	of        []string   // the tokens that it takes; none for all
	caller    CallerKind // who asks about another's token; "" where nobody does
	judgement

	clientOptional bool // a request may come from no client
	endOld         bool // extend ends the token at hand
	same           bool // extend gives the token at hand another end
	ignoreFactor   bool // accounts are not asked for their second factor
	newcomer       newcomer
	outcome        core.Kind // of fixed
}

// routeDo reads what the route does, and checks that its inputs have the names
// that the operation knows.
func (r *reader) routeDo(n *yaml.Node, rt *route, d *Dialect) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode { // do: whoami
		n = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: "operation", Line: n.Line, Column: n.Column}, n}}
	}
	s := r.section(n, &doShape)
	name := s.need("operation")
	if name == nil {
		return
	}
	op, ok := findOperation(s.word("operation"))
	if !ok {
		return
	}
	rt.operation = op
	r.has(name, op.name, d)
	r.doMembers(s, &op)
	r.routeAs(s.get("as"), rt, d)
	r.routeIssue(s, rt, d)
	r.routeOf(s.get("of"), rt, d)
	r.roles(rt)
	r.routeCaller(s, rt)
	r.extension(s, rt, d)
	rt.ignoreFactor = s.word("second_factor") == "ignore"
	if outcome := s.get("outcome"); outcome != nil {
		if rt.outcome = core.Kind(r.text(outcome, "outcome")); rt.outcome != "" && !slices.Contains(kindNames, string(rt.outcome)) {
			r.fault(outcome, didYouMeanShort(string(rt.outcome), kindNames), "there is no outcome %q", rt.outcome)
			rt.outcome = ""
		}
	}
	r.judgement(s, rt, d)
	r.newcomer(s, rt, d)
}

// has refuses operations for which the dialect has no tokens.
func (r *reader) has(n *yaml.Node, op Operation, d *Dialect) {
	some := func(has func(core.Policy) bool) bool {
		for _, p := range d.policies {
			if has(p) {
				return true
			}
		}
		return false
	}
	switch {
	case op == Refresh && !some(func(p core.Policy) bool { return p.Refresh != nil }):
		r.fault(n, "give a token one, such as refresh: {lifetime: 14d}", "no token has a refresh token beside it")
	case op == KeySet && !some(func(p core.Policy) bool {
		return p.Format == core.FormatJWT && !strings.HasPrefix(p.Keys.Algorithm, "HS")
	}):
		r.fault(n, "sign a token by ES256, EdDSA or RS256, or leave the route out", "no token has a key that is public")
	}
}

// goesOn reports whether a policy's sessions may go on beyond a token.
func goesOn(p core.Policy) bool { return p.Session == 0 || p.Session > max(p.Lifetime, p.MostLifetime) }

// doMembers refuses members that the operation has no use for.
func (r *reader) doMembers(s section, op *operation) {
	for _, m := range r.members(s.node, s.what) {
		name := m.name.Value
		if s.get(name) == nil || name == "operation" || slices.Contains(op.members, name) {
			continue
		}
		if name == "issue" {
			r.fault(m.value, "leave it out", "%s issues no token", op.name)
		} else {
			r.fault(m.name, "it belongs to "+strings.Join(takers(name), ", "), "%s has no member %s", op.name, name)
		}
		delete(s.values, name)
	}
}

// routeAs reads whom a route takes.
func (r *reader) routeAs(n *yaml.Node, rt *route, d *Dialect) {
	rt.as = d.subject
	if name := rt.operation.name; name == Resume || name == Register {
		rt.as = []core.SubjectKind{core.SubjectAccount}
	}
	if n == nil {
		return
	}
	rt.as = r.subject(n, "as")
	for _, kind := range rt.as {
		if !slices.Contains(d.subject, kind) {
			r.fault(n, "name it in the file's subject too", "%s is not among the dialect's subjects", kind)
		}
	}
}

func (r *reader) routeIssue(s section, rt *route, d *Dialect) {
	issue := s.get("issue")
	switch {
	case issue == nil && rt.operation.mints == mintsByPolicy:
		r.fault(s.node, "such as do: {operation: authenticate, issue: access}", "%s does not say which token it issues", rt.operation.name)
		return
	case issue == nil:
		return
	}
	if rt.operation.mints == mintsIfNamed {
		rt.operation.reply = inToken
	}
	rt.policy = r.word(issue, "issue", d.policyNames...)
}

// bearerName is no role: the token comes by the carriers. It is taken for one.
const bearerName = "bearer"

// roles checks that a route's inputs have the names that its operation knows.
func (r *reader) roles(rt *route) {
	op := &rt.operation
	has := func(role string) bool { return rt.byName[role] != nil }
	var needed []string // one role each, or several of which one will do
	if len(op.oneOf) > 0 && !slices.ContainsFunc(op.oneOf, has) {
		needed = append(needed, strings.Join(op.oneOf, " or "))
	}
	for _, role := range op.need {
		if !has(role) {
			needed = append(needed, role)
		}
	}
	for _, role := range needed {
		r.fault(rt.node, "declare it under inputs, with from saying where it is read", "%s needs an input named %s", op.name, role)
	}
	rt.roles = make(map[string]*input, len(rt.inputs))
	for _, in := range rt.inputs {
		if op.takes(in.name) {
			rt.roles[in.name], in.taken = in, true
		}
		switch {
		case op.takes(in.name) && in.typ != "string":
			r.fault(in.node, "leave type out, or give the input another name", "input %s must be of type string", in.name)
		case !op.takes(in.name) && slices.Contains(secretRoles, in.name):
			r.fault(in.node, "give it another name", "%s takes no input named %s", op.name, in.name)
		case in.name == bearerName && op.bearer && !slices.ContainsFunc(in.sources, func(s source) bool { return r.bringsToken(&s) != "" }):
			r.fault(in.node, "name a header, a cookie or the query in carriers, or give the input another name", "an input named bearer brings no token: %s takes that of the carriers, which no body is", op.name)
		}
	}
	r.toldApart(rt)
	if op.name == Authenticate {
		r.keyRoles(rt)
	}
}

// toldApart refuses roles that would make no secret of one: what is an identifier, a
// client or a name is kept and logged. Parts that take picks are told apart by it.
func (r *reader) toldApart(rt *route) {
	for _, in := range rt.inputs {
		for _, secret := range rt.inputs {
			if !in.taken || !secret.taken || slices.Contains(secretRoles, in.name) || !slices.Contains(secretRoles, secret.name) {
				continue
			}
			if src := in.reads(secret); src != nil {
				r.fault(in.node, "read the one or the other elsewhere, or a part of it each, by take", "input %s reads %s, as the secret %s does, and would be kept and logged", in.name, src.text(), secret.name)
			}
		}
	}
}

// reads is a source whose whole value, or the same part of it, another input has too; or nil.
func (in *input) reads(other *input) *source {
	if in.part != nil && (other.part == nil || in.part.String() != other.part.String()) {
		return nil // a part of it alone
	}
	for i := range in.sources {
		src := &in.sources[i]
		if slices.ContainsFunc(other.sources, func(s source) bool { return s.text() == src.text() }) {
			return src
		}
	}
	return nil
}

// keyRoles checks the inputs of a route that takes access keys.
func (r *reader) keyRoles(rt *route) {
	if !slices.Contains(rt.as, core.SubjectKey) {
		return
	}
	if rt.roles[roleIdentifier] == nil && rt.roles[roleAccountID] != nil {
		r.fault(rt.roles[roleAccountID].node, "declare an input named identifier, or take accounts alone", "an access key has no account_id to sign in with")
	}
	if len(rt.as) > 1 {
		return
	}
	for _, role := range []string{roleAccountID, roleOTP, roleRecoveryCode, roleClient} {
		if in := rt.roles[role]; in != nil {
			r.warn(in.node, "leave it out, or take accounts too", "%s does nothing where access keys alone sign in", role)
		}
	}
}

// routeCaller reads who asks: a client beside the rest, or a caller about another's token.
func (r *reader) routeCaller(s section, rt *route) {
	op := rt.operation.name
	client, secret := rt.roles[roleClient], rt.roles[roleClientSecret]
	switch {
	case client != nil && secret == nil:
		r.fault(client.node, "declare it under inputs, with from saying where it is read", "a client needs an input named client_secret too")
	case secret != nil && client == nil:
		r.fault(secret.node, "declare it under inputs, with from saying where it is read", "a client_secret needs an input named client too")
	}
	if n := s.get("client"); n != nil {
		rt.clientOptional = s.word("client") == "optional"
		if client == nil {
			r.fault(n, "leave it out", "no input is named client")
		}
	}
	if op != Introspect && op != Revoke {
		return
	}
	if rt.roles[roleToken] == nil { // the bearer's own
		if n := s.get("caller"); n != nil {
			r.fault(n, "leave it out, or declare an input named token", "who ends a token of their own is nobody else")
		}
		r.uselessClient(rt, "a bearer ends a token of their own")
		return
	}
	rt.caller = CallerBearer
	if n := s.get("caller"); n != nil {
		rt.caller = CallerKind(s.word("caller"))
	}
	switch {
	case rt.caller == CallerClient && client == nil:
		r.fault(s.get("caller"), "declare inputs named client and client_secret", "nothing says how clients are known")
	case rt.caller == CallerNone && op == Introspect:
		r.fault(s.get("caller"), "one of bearer, client", "introspect tells nobody about tokens who does not say who they are")
	case rt.caller != CallerClient:
		r.uselessClient(rt, "the caller is "+string(rt.caller))
	}
}

func (r *reader) uselessClient(rt *route, why string) {
	if in := rt.roles[roleClient]; in != nil {
		r.fault(in.node, "write caller: client, or leave it out", "an input named client does nothing: %s", why)
	}
}

// secondFactors finds out whether the dialect asks for second factors: with all its
// sign-ins, or with none.
func (r *reader) secondFactors(d *Dialect) {
	var asks, ignores, resumes *route
	for _, rt := range d.served() {
		switch {
		case rt.operation.name == Resume:
			resumes = rt
		case rt.operation.name != Authenticate || !slices.Contains(rt.as, core.SubjectAccount):
		case rt.ignoreFactor:
			ignores = rt
			r.warn(rt.node, "leave second_factor out, if the contract allows", "accounts sign in by their password alone, though they have a second factor")
		default:
			asks = rt
		}
	}
	d.asksFactor = asks != nil
	switch {
	case ignores != nil && asks != nil:
		r.fault(ignores.node, "write it there too, or nowhere", "second_factor is ignore here, and not so on line %d", asks.node.Line)
	case resumes != nil && asks == nil:
		r.fault(resumes.node, "add a route that authenticates accounts, or leave this one out", "resume has nothing to go on with: no route asks for a second factor")
	}
}

// bearer reports whether requests bring a token of their own.
func (rt *route) bearer() bool {
	return rt.operation.bearer && (rt.caller == "" || rt.caller == CallerBearer)
}

// outcomes are what a call can end in, beside what every call can and the troubles
// of its body and inputs.
func (rt *route) outcomes() []core.Kind {
	asks := !rt.ignoreFactor && slices.Contains(rt.as, core.SubjectAccount) // for a second factor
	reads := rt.roles[roleOTP] != nil || rt.roles[roleRecoveryCode] != nil
	all := slices.DeleteFunc(slices.Clone(rt.operation.outcomes), func(kind core.Kind) bool {
		return kind == core.MFARequired && !asks || kind == core.BadOTP && !(asks && reads)
	})
	if rt.bearer() {
		all = append(all, bearerOutcomes...)
	}
	if rt.roles[roleClient] != nil {
		all = append(all, core.BadClient)
	}
	if rt.allow != nil {
		all = append(all, rt.otherwise)
	}
	if len(rt.with) > 0 {
		all = append(all, core.FieldTooLarge)
	}
	if rt.outcome != "" {
		all = append(all, rt.outcome)
	}
	return all
}
