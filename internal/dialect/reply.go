package dialect

import (
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A reply is what goes back to the client, compiled.
type reply struct {
	node        *yaml.Node
	when        *condition // of a variant: nil where it is not asked
	accept      string     // of a variant: the media type that the client must prefer; "" where it need not
	status      int
	headers     []replyHeader
	cookies     []replyCookie
	contentType string  // "" for none
	json        node    // nil unless the body is JSON
	xml         xmlNode // nil unless it is XML
	text        textTemplate
	lists       bool   // whether it writes the issues' templates
	about       string // what people are told about it
	stated      bool   // whether it names an account's or a key's state
	speaks      bool   // whether it names a message
}

type replyHeader struct {
	name  string
	value textTemplate
}

// ownHeaders are the headers that a file does not set, and who does.
var ownHeaders = map[string]string{
	"Connection": "the server sets it", "Keep-Alive": "the server sets it", "Proxy-Connection": "the server sets it",
	"Transfer-Encoding": "the server sets it", "Te": "the server sets it", "Trailer": "the server sets it", "Upgrade": "the server sets it",
	"Content-Length": "the server sets it", "Date": "the server sets it",
	"Content-Type":  "write it as type",
	"Cache-Control": "every reply has no-store", "X-Content-Type-Options": "every reply has nosniff",
	"Retry-After": "it goes with the statuses 429 and 503", "Allow": "it goes with the status 405",
}

// reply compiles a response. status is what an absent status means; 0: it is needed.
func (r *reader) reply(n *yaml.Node, what string, status int, p *place) *reply {
	if n == nil {
		return nil
	}
	s := r.named(n, &replyShape, what)
	rp := &reply{node: n, about: s.doc(), status: status}
	if code := s.get("status"); code != nil {
		rp.status = r.integer(code, "status", 200, 599)
	} else if status == 0 {
		s.need("status")
	}
	listed, stated, spoken := r.listed, r.stated, r.spoken
	r.listed, r.stated, r.spoken = false, false, false
	if w := s.get("when"); w != nil {
		rp.when = r.condition(w, "when", p)
	}
	r.replyHeaders(s.get("headers"), rp, p)
	r.replyCookies(s.get("cookies"), rp, p)
	r.replyBody(s, rp, p)
	r.inherit(rp, p)
	rp.lists, rp.stated, rp.speaks = r.listed, r.stated, r.spoken
	r.listed, r.stated, r.spoken = listed || r.listed, stated || r.stated, spoken
	return rp
}

func (r *reader) replyBody(s section, rp *reply, p *place) {
	var bodies []string
	for _, name := range []string{"json", "xml", "text", "empty"} {
		if s.get(name) != nil {
			bodies = append(bodies, name)
		}
	}
	bodiless := rp.status == http.StatusNoContent || rp.status == http.StatusNotModified
	if s.node.Kind == yaml.MappingNode && len(bodies) != 1 && !(bodiless && len(bodies) == 0) {
		r.fault(s.node, "write json, xml, text, or empty: true", "%s needs exactly one body, and has %d", s.what, len(bodies))
	}
	if n := s.get("json"); n != nil {
		rp.json, rp.contentType = r.template(n, p), typeJSON
	}
	if n := s.get("xml"); n != nil {
		rp.xml, rp.contentType = r.xmlBody(n, r.boolean(s.get("declaration"), "declaration", true), p), typeXML
	} else if n := s.get("declaration"); n != nil {
		r.fault(n, "leave it out", "a body that is no XML has no declaration")
	}
	if n := s.get("text"); n != nil {
		rp.text, rp.contentType = r.textTemplate(n, "text", p), typeText
	}
	if n := s.get("empty"); n != nil && !r.boolean(n, "empty", true) {
		r.fault(n, "leave it out", "empty is true or not there")
	}
	bodied := rp.contentType != ""
	if bodiless && bodied {
		r.fault(s.node, "write empty: true", "status %d has no body", rp.status)
	}
	if n := s.get("accept"); n != nil {
		if rp.accept = r.mediaType(n, "accept"); bodied {
			rp.contentType = rp.accept
		}
	}
	n := s.get("type")
	switch {
	case n == nil:
		if rp.accept == "" {
			r.inheritType(rp, p)
		}
	case !bodied:
		r.fault(n, "leave it out, or write a body", "a reply without a body has no type")
	default:
		rp.contentType = r.mediaType(n, "type")
	}
}

// The media types of bodies that say no other.
const (
	typeJSON = "application/json"
	typeXML  = "application/xml"
	typeText = "text/plain"
)

// mediaType reads a media type as it goes into a header.
func (r *reader) mediaType(n *yaml.Node, what string) string {
	text := r.text(n, what)
	if _, _, err := mime.ParseMediaType(text); text != "" && (err != nil || !strings.Contains(text, "/") || !plainText(text)) {
		r.fault(n, "such as application/json; charset=utf-8", "%q is no media type", text)
	}
	return text
}

// maxHeaders bounds the headers of a reply, and its cookies.
const maxHeaders = 64

func (r *reader) replyHeaders(n *yaml.Node, rp *reply, p *place) {
	var seen []string
	for _, m := range r.members(n, "headers") {
		if len(seen) == maxHeaders {
			r.fault(m.name, "leave out what clients do not read", "a reply has no more than %d headers", maxHeaders)
			return
		}
		name := m.name.Value
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !headerName.MatchString(name):
			r.fault(m.name, "such as X-Api-Key", "%q cannot name a header", name)
			continue
		case ownHeaders[canonical] != "":
			r.fault(m.name, ownHeaders[canonical], "a file does not set the header %s", name)
			continue
		case slices.Contains(seen, canonical):
			r.fault(m.name, "give its values as a list", "the header %s is here twice", name)
			continue
		}
		seen = append(seen, canonical)
		for _, item := range r.items(m.value, "header "+name) {
			t := r.textTemplate(item, "header "+name, p)
			for _, segment := range t {
				if !plainText(segment.literal) {
					r.fault(item, "write it on one line", "header %s holds a line break or another control character", name)
				}
			}
			rp.headers = append(rp.headers, replyHeader{canonical, t})
			switch canonical {
			case "Set-Cookie":
				r.warnCookie(item, t)
				if t.asked() {
					r.fault(item, "write it as cookies, which keep it inside of the value", "the header Set-Cookie holds what clients send: it could set attributes, too")
				}
			case "Location":
				if t.asked() && !ownPlace.MatchString(t.beginning()) {
					r.warn(item, "begin it with an address of your own, such as ${setting.frontend_url}/", "whoever makes a link chooses where the reply leads: an open redirect")
				}
			}
		}
	}
}

// ownPlace is the beginning of an address whose host is settled.
var ownPlace = regexp.MustCompile(`^(?:https?://[^/?#\\]+/|/[^/\\])`)

// asked reports whether a text holds texts that requests send, which may be anything.
func (t textTemplate) asked() bool {
	return slices.ContainsFunc(t, func(s textSegment) bool {
		return s.leaf != nil && s.leaf.asked && !slices.Contains([]factType{integerType, numberType, booleanType}, s.leaf.typ)
	})
}

// beginning is what a text begins with, whatever is asked.
func (t textTemplate) beginning() string {
	if len(t) == 0 || t[0].leaf != nil {
		return ""
	}
	return t[0].literal
}

// plainText reports whether text can stand in a header.
func plainText(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
