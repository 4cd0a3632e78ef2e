package dialect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// replyLimits bound what is read of a reply.
var replyLimits = body.Limits{Bytes: 1 << 20, Depth: 64, Fields: 10_000, FieldBytes: 1 << 20}

// SignIn signs in as a sample by the first route that takes it, with its second
// factor where it has one, and returns the bearer token.
func (t *Trial) SignIn(ctx context.Context, sample string) (string, error) {
	values, kind, err := t.Dialect.signInValues(sample)
	if err != nil {
		return "", err
	}
	var failed error
	for i, rt := range t.Dialect.routes {
		if rt.operation.name != Authenticate || rt.disabled || !slices.Contains(rt.as, kind) {
			continue
		}
		reply, err := t.call(ctx, i, sample, values)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if token, ok := rt.ok.read(&reply, "token.value"); ok {
			return token, nil
		}
		if token, ok := t.resume(ctx, rt, &reply, sample); ok {
			return token, nil
		}
		failed = errors.Join(failed, fmt.Errorf("%s answered %d and no token", rt.name(), reply.status))
	}
	if failed == nil {
		failed = fmt.Errorf("no route takes it by a password or secret")
	}
	return "", failed
}

// resume goes on with a sign-in that waits for its second factor.
func (t *Trial) resume(ctx context.Context, login *route, reply *response, sample string) (string, bool) {
	challenge, ok := login.replies[core.MFARequired].read(reply, "challenge.value")
	if !ok {
		return "", false
	}
	for i, rt := range t.Dialect.routes {
		if rt.operation.name != Resume || rt.disabled {
			continue
		}
		if reply, err := t.call(ctx, i, sample, map[string]string{roleChallenge: challenge}); err == nil {
			if token, ok := rt.ok.read(&reply, "token.value"); ok {
				return token, true
			}
		}
	}
	return "", false
}

// call sends a call of a route. Inputs that values does not have are as in samples.
func (t *Trial) call(ctx context.Context, index int, sample string, values map[string]string) (response, error) {
	rt, all := t.Dialect.routes[index], t.Dialect.SampleValues(index)
	for _, role := range append(slices.Clone(secretRoles), tenantRoles...) {
		delete(all, role)
	}
	for name, value := range values {
		if rt.roles[name] != nil {
			all[name] = value
		}
	}
	if a, ok := t.Dialect.samples.account(sample); ok && rt.roles[roleOTP] != nil && a.TOTP.Reveal() != "" {
		code, err := t.code(sample)
		if err != nil {
			return response{}, err
		}
		all[roleOTP] = code
	}
	if rt.roles[roleClient] != nil {
		t.Dialect.clientValues(all)
	}
	call, err := t.Dialect.Compose(index, all)
	if err != nil {
		return response{}, err
	}
	r, err := call.HTTP(ctx, t.BaseURL)
	if err != nil {
		return response{}, err
	}
	return t.do(r)
}

// signInValues are a sample's inputs by their roles.
func (d *Dialect) signInValues(sample string) (values map[string]string, kind core.SubjectKind, err error) {
	owner := core.Account{}
	values = map[string]string{}
	if a, ok := d.samples.account(sample); ok {
		kind, owner = core.SubjectAccount, a.Account
		values[roleIdentifier], values[roleAccountID], values[roleSecret] = owner.Login, string(owner.ID), a.Password.Reveal()
	}
	for _, k := range d.samples.Keys {
		if k.Sample != sample {
			continue
		}
		kind = core.SubjectKey
		values[roleIdentifier], values[roleSecret] = k.Key.Identifier, k.Secret.Reveal()
		for _, a := range d.samples.Accounts {
			if a.Account.ID == k.Key.Account {
				owner = a.Account
			}
		}
	}
	if kind == "" {
		return nil, "", fmt.Errorf("dialect %s declares no sample %q", d.name, sample)
	}
	for _, tenant := range d.samples.Tenants {
		if tenant.Tenant.ID == owner.Tenant {
			values[roleTenant], values[roleTenantName] = string(tenant.Tenant.ID), tenant.Tenant.Name
		}
	}
	return values, kind, nil
}

// clientValues names a client that can sign in: the one that values have, or the first.
func (d *Dialect) clientValues(values map[string]string) {
	for _, named := range []bool{true, false} {
		for _, k := range d.samples.Keys {
			if k.Key.Usable(probeTime) == nil && (!named || k.Key.Identifier == values[roleClient]) {
				values[roleClient], values[roleClientSecret] = k.Key.Identifier, k.Secret.Reveal()
				return
			}
		}
	}
}

// read finds in a reply what stands for a fact in one of the answer's variants.
func (a *answer) read(reply *response, fact string) (string, bool) {
	if a == nil {
		return "", false
	}
	for _, rp := range a.variants {
		if rp.status != reply.status {
			continue
		}
		if value, ok := rp.read(reply, fact); ok {
			return value, true
		}
	}
	return "", false
}

// read finds what stands for a fact: in a header, a cookie, or the body.
func (rp *reply) read(reply *response, fact string) (string, bool) {
	for _, h := range rp.headers {
		if pattern := h.value.pattern(fact); pattern != nil {
			for _, value := range reply.header.Values(h.name) {
				if m := pattern.FindStringSubmatch(value); m != nil {
					return m[1], true
				}
			}
		}
	}
	for i := range rp.cookies {
		if pattern := rp.cookies[i].value.pattern(fact); pattern != nil {
			if value, ok := reply.find("cookie " + rp.cookies[i].name); ok {
				if m := pattern.FindStringSubmatch(value); m != nil {
					return m[1], true
				}
			}
		}
	}
	return rp.readBody(reply, fact)
}

func (rp *reply) readBody(reply *response, fact string) (string, bool) {
	if rp.json == nil && rp.xml == nil {
		if pattern := rp.text.pattern(fact); pattern != nil {
			if m := pattern.FindStringSubmatch(string(reply.body)); m != nil {
				return m[1], true
			}
		}
		return "", false
	}
	form := "json"
	if rp.xml != nil {
		form = "xml"
	}
	path, n := pathTo(memberOf(rp.node, form), fact)
	if n == nil {
		return "", false
	}
	tree, err := reply.tree()
	if rp.xml != nil {
		tree, err = body.ParseXML(reply.body, replyLimits)
		for i, name := range path { // which are local there
			path[i] = name[strings.LastIndexByte(name, ':')+1:]
		}
	}
	if err != nil {
		return "", false
	}
	at, ok := tree.At(path)
	if !ok {
		return "", false
	}
	parts, _ := new(reader).split(n)
	t := make(textTemplate, len(parts))
	for i, part := range parts {
		t[i].literal = part.text
		if part.expression {
			t[i] = textSegment{leaf: &leaf{fact: strings.TrimSpace(part.text)}}
		}
	}
	if m := t.pattern(fact).FindStringSubmatch(at.Text()); m != nil {
		return m[1], true
	}
	return "", false
}

// pathTo finds the leaf of a tree that is a fact, or a text with it, and the names
// that lead there.
func pathTo(n *yaml.Node, fact string) ([]string, *yaml.Node) {
	switch {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, _ := optionalName(strings.TrimPrefix(n.Content[i].Value, "$"))
			if rest, leaf := pathTo(n.Content[i+1], fact); leaf != nil {
				if name == textWord {
					return rest, leaf // an element that has nothing else is its text
				}
				return append([]string{name}, rest...), leaf
			}
		}
	case n.Kind == yaml.ScalarNode && strings.Contains(strings.ReplaceAll(n.Value, " ", ""), "${"+fact+"}"):
		return nil, n
	}
	return nil, nil
}

// pattern matches what the text makes, the fact's value apart; nil where the text
// does not hold it.
func (t textTemplate) pattern(fact string) *regexp.Regexp {
	if !t.names(fact) {
		return nil
	}
	var b strings.Builder
	for i := range t {
		switch l := t[i].leaf; {
		case l == nil:
			b.WriteString(regexp.QuoteMeta(t[i].literal))
		case l.fact == fact:
			b.WriteString(`([!-~]+)`)
		default:
			b.WriteString(`[\s\S]*?`)
		}
	}
	return regexp.MustCompile(`^` + b.String() + `$`)
}

// ticketOf is the ticket in the link of a mail of a purpose.
func (d *Dialect) ticketOf(purpose core.Purpose, link string) (string, bool) {
	m := d.mails[purpose]
	if m == nil {
		return "", false
	}
	found := m.link.pattern("ticket.value").FindStringSubmatch(link)
	if found == nil {
		return "", false
	}
	return found[1], true
}

// find reads what an example saves: a JSON pointer into the body, a header, a
// cookie, or the whole body.
func (r *response) find(what string) (string, bool) {
	where, name, _ := strings.Cut(what, " ")
	switch {
	case what == "":
		return string(r.body), len(r.body) > 0
	case where == "header":
		return r.header.Get(name), r.header.Get(name) != ""
	case where == "cookie":
		for _, c := range (&http.Response{Header: r.header}).Cookies() {
			if c.Name == name {
				return c.Value, true
			}
		}
		return "", false
	}
	tree, err := r.tree()
	if err != nil {
		return "", false
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, name := range strings.Split(what, "/")[1:] {
		if tree, err = child(tree, unescape.Replace(name)); err != nil {
			return "", false
		}
	}
	switch tree.Kind() {
	case body.String:
		return tree.Text(), tree.Text() != ""
	case body.Number:
		return tree.Number(), true
	default:
		return "", false
	}
}

// tree is the body as a tree.
func (r *response) tree() (body.Value, error) { return body.ParseJSON(r.body, replyLimits) }

// child is a member of an object, or an item of a list by its index.
func child(v body.Value, name string) (body.Value, error) {
	if member, ok := v.Member(name); ok {
		return member, nil
	}
	for i, item := range v.Items() {
		if fmt.Sprint(i) == name {
			return item, nil
		}
	}
	return v, errors.New("there is no " + name)
}
