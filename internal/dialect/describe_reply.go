package dialect

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// outcomes groups kinds by the answer that words them. declared holds the file's
// answers, those first that win.
func (x *describer) outcomes(call *Call, kinds []core.Kind, replies map[core.Kind]*answer, declared ...map[core.Kind]*answer) []OutcomeInfo {
	var all []OutcomeInfo
	if call == nil {
		call = &Call{dialect: x.d, RequestID: sampleRequestID, method: "GET", path: "/", replies: replies, issueTemplates: x.d.fileIssueTemplates}
	}
	for _, kind := range core.Kinds() { // in the order of the manual
		a := replies[kind]
		if a == nil || !slices.Contains(kinds, kind) {
			continue
		}
		name, own := declaredAs(a, declared)
		if i := slices.IndexFunc(all, func(o OutcomeInfo) bool { return o.Kind == name && o.Own == own }); i >= 0 {
			all[i].Kinds = append(all[i].Kinds, kind)
			continue
		}
		all = append(all, OutcomeInfo{Kind: name, Own: own, Kinds: []core.Kind{kind}})
	}
	for i := range all {
		o := &all[i]
		o.Shown = o.Kinds[0]
		if slices.Contains(o.Kinds, core.MissingField) {
			o.Shown = core.MissingField // of many wrong requests the one that people send
		}
		s := x.d.refusalScope(call, o.Shown)
		o.Replies = x.replies(replies[o.Shown], s)
		s.release()
		o.Advice = o.advice(call.route)
	}
	return all
}

// declaredAs finds the kind under which the file words an answer; own when it
// stands in the first of several lists, which is the route's.
func declaredAs(a *answer, lists []map[core.Kind]*answer) (kind core.Kind, own bool) {
	for i, list := range lists {
		for _, kind := range core.Kinds() {
			if list[kind] == a {
				return kind, i == 0 && len(lists) > 1
			}
		}
	}
	return "", false
}

func (x *describer) replies(a *answer, s *scope) []ReplyInfo {
	live := a.live(x.d)
	all := make([]ReplyInfo, len(live))
	for i, rp := range live {
		all[i] = x.reply(rp, s)
	}
	return all
}

func (x *describer) reply(rp *reply, s *scope) ReplyInfo {
	info := ReplyInfo{
		Doc: rp.about, When: x.chosenBy(rp), Status: rp.status, Type: rp.contentType, Body: rp.form(),
		Line: rp.node.Line, Source: x.source(rp, s),
	}
	for i := range rp.headers {
		info.Headers = append(info.Headers, HeaderInfo{rp.headers[i].name, x.template(rp.headers[i].value)})
	}
	for i := range rp.cookies {
		info.Cookies = append(info.Cookies, x.cookie(&rp.cookies[i], s))
	}
	switch info.Body {
	case BodyXML:
		info.Schema = x.schema(memberOf(rp.node, "xml"))
	case BodyJSON:
		info.Schema = x.schema(memberOf(rp.node, "json"))
	case BodyText:
		info.Schema = x.template(rp.text)
	default:
		return info
	}
	if content, err := rp.render(nil, s); err == nil {
		info.Example = content
	}
	return info
}

// source tells where the file words a reply: the place of the reply, and of the words
// for the issue that it tells.
func (x *describer) source(rp *reply, s *scope) string {
	text := position(rp.node)
	if s.issue != nil && s.call.route != nil {
		if n := x.d.issueNode(s.call.route, s.issue.rule, s.issue.kind); n != nil {
			text += " " + position(n)
		}
	}
	return text
}

func position(n *yaml.Node) string { return strconv.Itoa(n.Line) + ":" + strconv.Itoa(n.Column) }

// chosenBy tells in words when a variant is chosen; "" for the rest, and where no
// words would do.
func (x *describer) chosenBy(rp *reply) string {
	var words []string
	if rp.when != nil {
		text := rp.when.words(x.inputs)
		if _, known := rp.when.known(x.d); !known && text != "" {
			words = append(words, text)
		}
	}
	if rp.accept != "" {
		words = append(words, "Accept prefers "+rp.accept)
	}
	return strings.Join(words, " and ")
}

// cookie tells a cookie, its value as a header would have it.
func (x *describer) cookie(c *replyCookie, s *scope) CookieInfo {
	info := CookieInfo{Name: c.name, Ends: c.maxAge < 0, Schema: x.template(c.value)}
	life, err := c.life(s)
	if err != nil {
		life = c.maxAge
	}
	_, info.Attributes, _ = strings.Cut(c.with("", life).String(), "; ")
	return info
}

// form is what the reply's body is.
func (rp *reply) form() BodyForm {
	switch {
	case rp.json != nil:
		return BodyJSON
	case rp.xml != nil:
		return BodyXML
	case rp.contentType != "":
		return BodyText
	default:
		return BodyEmpty
	}
}
