package dialect

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// sampleScope has every fact that a reply to the route can name.
func (d *Dialect) sampleScope(call *Call, rt *route) *scope {
	s := newScope(d, call)
	s.now, s.retryAfter, s.limit = probeTime, 30, 5
	kinds := []core.SubjectKind{core.SubjectAccount, core.SubjectKey}
	if rt != nil {
		kinds = rt.as[:min(1, len(rt.as))]
	}
	policy := d.samplePolicy(rt)
	account, key := d.sampleIdentity(kinds)
	grant := d.sampleGrant(policy, account, key)
	s.fill(&grant)
	s.tokenValue, s.keySet = d.sampleToken(policy, grant), json.RawMessage(`{"keys":[]}`)
	s.presented = s.tokenValue
	if policy.Refresh != nil {
		s.refresh = &core.RefreshToken{Value: sampleOpaque(policy.Refresh.Opaque, reversed, grant), IssuedAt: probeTime, ExpiresAt: probeTime.Add(policy.Refresh.Lifetime)}
	}
	s.challenge = &core.Challenge{Value: core.NewSecret(reversed(sampleRandom)), ExpiresAt: probeTime.Add(5 * time.Minute)}
	s.caller = &core.Identity{Account: account, Key: key}
	return s
}

// samplePolicy is the policy of the tokens that a route deals with, nil for any: the
// one that it issues by, or that of a session which it can go on with.
func (d *Dialect) samplePolicy(rt *route) core.Policy {
	fits := func(core.Policy) bool { return true }
	switch {
	case rt == nil:
	case rt.policy != "":
		return d.policies[rt.policy]
	case rt.operation.name == Refresh:
		fits = func(p core.Policy) bool { return p.Refresh != nil }
	case rt.operation.name == Extend:
		fits = goesOn
	}
	var first *core.Policy
	for _, name := range d.policyNames {
		p := d.policies[name]
		switch {
		case !fits(p):
		case rt != nil && d.sharesCookie(rt, name):
			return p
		case first == nil:
			first = &p
		}
	}
	if first == nil {
		return core.Policy{Lifetime: time.Hour}
	}
	return *first
}

// sharesCookie reports whether a route sets or ends a cookie that sign-ins by the
// policy set.
func (d *Dialect) sharesCookie(rt *route, policy string) bool {
	own := rt.ok.cookies()
	return slices.ContainsFunc(d.routes, func(other *route) bool {
		return other.policy == policy && slices.ContainsFunc(other.ok.cookies(), func(name string) bool { return slices.Contains(own, name) })
	})
}

// cookies are the names of the cookies that an answer, nil for none, sets or ends.
func (a *answer) cookies() []string {
	var names []string
	if a == nil {
		return nil
	}
	for _, rp := range a.variants {
		for i := range rp.cookies {
			names = append(names, rp.cookies[i].name)
		}
	}
	return names
}

func (d *Dialect) sampleGrant(policy core.Policy, account core.Account, key *core.AccessKey) core.Grant {
	g := core.Grant{
		Issuer: d.issuer, Account: account, Key: key, Policy: policy.Name, Methods: []string{"password"},
		TokenID: sampleTokenID, IssuedAt: probeTime,
	}
	if key != nil {
		g.Methods = []string{"key"}
	}
	if !policy.Endless {
		g.ExpiresAt = probeTime.Add(policy.Lifetime)
	}
	for i := range d.samples.Tenants {
		if t := d.samples.Tenants[i].Tenant; t.ID == account.Tenant {
			g.Tenant = &t
		}
	}
	if policy.Tracked {
		g.Session = &core.Session{ID: "0198b2a4-7c1d-7e3f-8a5b-6c9d0e1f2a3b", CreatedAt: probeTime}
		if policy.Session > 0 {
			g.Session.ExpiresAt = probeTime.Add(policy.Session)
		}
	}
	return g
}

// sampleToken is a token as one of the policy looks, but for what is in it.
func (d *Dialect) sampleToken(policy core.Policy, g core.Grant) core.Secret {
	if policy.Format == core.FormatOpaque {
		return sampleOpaque(policy.Opaque, func(text string) string { return text }, g)
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + policy.Keys.Algorithm + `"}`))
	return core.NewSecret(header + ".e30.c2lnbmF0dXJl")
}

// sampleOpaque is an opaque token as it looks, its random part written in some order.
func sampleOpaque(o core.Opaque, order func(string) string, g core.Grant) core.Secret {
	random := order(sampleRandom)
	switch _, width, _ := o.Size(); {
	case o.Form == "uuid":
		random = "7d9f0f3c-2b1a-4c5e-8f60-1a2b3c4d5e6f"
	case strings.HasPrefix(o.Form, "hex"):
		random = strings.Repeat(order(sampleTokenID), width/len(sampleTokenID)+1)[:width]
	case width > 0:
		random = strings.Repeat(random, width/len(random)+1)[:width]
	}
	if o.Value != nil {
		if value, err := o.Value(core.NewSecret(random), g); err == nil {
			return value
		}
	}
	return core.NewSecret(random)
}

func reversed(text string) string {
	runes := []rune(text)
	slices.Reverse(runes)
	return string(runes)
}

// refusalScope has every fact that the reply to a refusal of kind can name.
func (d *Dialect) refusalScope(call *Call, kind core.Kind) *scope {
	if kind == core.WrongContentType {
		of := *call
		of.mediaType = "text/csv"
		call = &of
	}
	s := d.sampleScope(call, call.route)
	if call.route == nil {
		return s
	}
	if s.issues = call.route.sampleIssues(d, kind); len(s.issues) > 0 {
		s.issue = &s.issues[0]
	}
	return s
}

// sampleIssues are the issues of a request that is refused with kind.
func (rt *route) sampleIssues(d *Dialect, kind core.Kind) []issue {
	if !kind.IsA(core.InvalidRequest) {
		return nil
	}
	for _, in := range rt.inputs {
		if found := in.sampleIssue(rt, kind); found != nil {
			return []issue{*found}
		}
	}
	i := issue{rule: string(kind), kind: kind, target: wholeBody}
	switch kind {
	case core.BodyType:
		i.expected, i.sent, i.value = "object", true, body.NewString("text")
	case core.MalformedBody, core.BadEncoding:
		offset := 12
		i.offset, i.reason = &offset, "Expecting value"
	case core.InvalidField:
		i.rule, i.target = ruleUnknownInput, newTarget("body", []string{"more"}, "")
	}
	return []issue{i}
}

// sampleIssue is the first rule of the input whose breach is of kind, broken by
// what the input's placeholder or made-up value would be.
func (in *input) sampleIssue(rt *route, kind core.Kind) *issue {
	of := func(rule string) bool { return in.kind(rule) == kind }
	if in.required.ever() && of(ruleRequired) {
		i := in.issue(ruleRequired, body.Value{}, false)
		return &i
	}
	if in.name == roleNewSecret && kind == core.PasswordRefused {
		i := in.issue(ruleRefused, body.NewString(Placeholders[roleNewSecret]), true)
		i.kind = core.PasswordRefused
		if refused, ok := errors.AsType[*core.Error](core.CheckPassword(core.NewSecret("x"))); ok {
			i.reason = refused.Reason
		}
		return &i
	}
	for k := range in.rules {
		if of(in.rules[k].name) {
			i := in.rules[k].issue(in, body.NewString("x"))
			return &i
		}
	}
	if rt.mayMistype(in) && of(ruleType) {
		v, _ := body.ParseJSON([]byte("1"), body.DefaultLimits)
		i := in.issue(ruleType, v, true)
		return &i
	}
	return nil
}
