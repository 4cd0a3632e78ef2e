package dialect

import (
	"slices"
	"strings"
)

// A replyDefault is what a family of replies has unless a reply says otherwise.
type replyDefault struct {
	contentType string
	headers     []replyHeader
}

// defaults reads what successes and refusals have in common.
func (r *reader) defaults(s section) {
	n := s.get("defaults")
	if n == nil {
		return
	}
	all := r.section(n, &defaultsShape)
	for _, family := range []struct {
		name string
		in   where
		to   *replyDefault
	}{{"ok", inDone, &r.ofSuccess}, {"errors", inError, &r.ofRefusal}} {
		n := all.get(family.name)
		if n == nil {
			continue
		}
		s := r.named(n, &defaultReplyShape, "defaults."+family.name)
		if t := s.get("type"); t != nil {
			family.to.contentType = r.mediaType(t, "type")
		}
		var shared reply
		r.replyHeaders(s.get("headers"), &shared, &place{what: s.what, in: family.in})
		family.to.headers = shared.headers
	}
}

// defaultOf is what the replies of a place have in common.
func (r *reader) defaultOf(p *place) *replyDefault {
	if p.in&inError != 0 {
		return &r.ofRefusal
	}
	return &r.ofSuccess
}

// inheritType gives a reply the common media type, where that is of the same family
// as the body.
func (r *reader) inheritType(rp *reply, p *place) {
	if t := r.defaultOf(p).contentType; rp.contentType != "" && bodyFamily(t) == bodyFamily(rp.contentType) {
		rp.contentType = t
	}
}

// inherit gives a reply the common headers that it does not have itself.
func (r *reader) inherit(rp *reply, p *place) {
	own := len(rp.headers)
	for _, h := range r.defaultOf(p).headers {
		if !slices.ContainsFunc(rp.headers[:own], func(o replyHeader) bool { return o.name == h.name }) {
			rp.headers = append(rp.headers, h)
		}
	}
}

// bodyFamily is the kind of body that a media type is for.
func bodyFamily(contentType string) BodyForm {
	typ, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	typ = strings.TrimSpace(typ)
	switch {
	case typ == "":
		return BodyEmpty
	case strings.HasSuffix(typ, "/json") || strings.HasSuffix(typ, "+json"):
		return BodyJSON
	case strings.HasSuffix(typ, "/xml") || strings.HasSuffix(typ, "+xml"):
		return BodyXML
	default:
		return BodyText
	}
}
