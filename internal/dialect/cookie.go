package dialect

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A replyCookie is a cookie that a reply sets.
type replyCookie struct {
	name, path, domain string
	httpOnly, secure   bool
	sameSite           http.SameSite
	value              textTemplate
	maxAge             int   // seconds; 0: as long as the browser lives; -1: it is taken away
	age                *leaf // maxAge where the request decides it
}

// with is the cookie with a value and a life.
func (c *replyCookie) with(value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // the contract says which attributes it has, and the loader what it costs
		Name: c.name, Value: value, Path: c.path, Domain: c.domain, MaxAge: maxAge,
		HttpOnly: c.httpOnly, Secure: c.secure, SameSite: c.sameSite,
	}
}

func (r *reader) replyCookies(n *yaml.Node, rp *reply, p *place) {
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "such as cookies: [{name: session, value: ${token.value}, http_only: true}]", "cookies must be a list, not %s", kindName(n))
		return
	}
	for i, item := range n.Content {
		if i == maxHeaders {
			r.fault(item, "put what belongs together into one cookie", "a reply sets no more than %d cookies", maxHeaders)
			return
		}
		rp.cookies = append(rp.cookies, r.cookie(item, p))
	}
}

var sameSites = map[string]http.SameSite{"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode}

func (r *reader) cookie(n *yaml.Node, p *place) replyCookie {
	s := r.section(n, &cookieShape)
	c := replyCookie{
		httpOnly: r.boolean(s.get("http_only"), "http_only", false),
		secure:   r.boolean(s.get("secure"), "secure", false),
		sameSite: sameSites[s.word("same_site")],
	}
	for _, text := range []struct {
		member string
		to     *string
	}{{"name", &c.name}, {"path", &c.path}, {"domain", &c.domain}} {
		if m := s.get(text.member); m != nil {
			*text.to = r.text(m, text.member)
		}
	}
	if name := s.need("name"); name != nil && c.name != "" && !headerName.MatchString(c.name) {
		r.fault(name, "use letters, digits, full stops, hyphens and underscores", "%q cannot name a cookie", c.name)
		return c
	}
	if end := s.get("end"); end != nil && r.boolean(end, "end", false) {
		c.maxAge = -1
		for _, member := range []string{"value", "max_age"} {
			if m := s.get(member); m != nil {
				r.fault(m, "leave it out", "a cookie that is taken away has no %s", member)
			}
		}
	} else {
		r.cookieValue(s, &c, p)
		r.maxAge(s.get("max_age"), &c, p)
	}
	if err := c.with("", c.maxAge).Valid(); err != nil && c.name != "" {
		r.fault(n, "attributes hold no semicolons and control characters", "%s", strings.TrimPrefix(err.Error(), "http: "))
	}
	r.warnCookieOf(n, &c)
	return c
}

func (r *reader) cookieValue(s section, c *replyCookie, p *place) {
	n := s.get("value")
	if n == nil {
		if s.node.Kind == yaml.MappingNode {
			r.fault(s.node, "such as value: ${token.value}, or end: true to take it away", "%s lacks the member value", s.what)
		}
		return
	}
	c.value = r.textTemplate(n, "value", p)
	for _, segment := range c.value {
		if err := cookieText(segment.literal); err != nil {
			r.fault(n, `letters, digits and most signs pass, but not blanks, commas, semicolons, quotes and \`, "%v", err)
		}
	}
}

// maxAge reads a cookie's life in seconds.
func (r *reader) maxAge(n *yaml.Node, c *replyCookie, p *place) {
	if n == nil {
		return
	}
	_, fromSetting := settingName(n)
	if n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, "${") || fromSetting {
		if n.Value == "0" {
			r.fault(n, "write end: true to take the cookie away", "a max_age of 0 seconds is no life")
		} else {
			c.maxAge = r.integer(n, "max_age", 1, 1<<31-1)
		}
		return
	}
	parts, ok := r.split(n)
	if !ok {
		return
	}
	if len(parts) != 1 {
		r.fault(n, "such as max_age: ${token.lifetime}", "max_age must be a whole number or one expression")
		return
	}
	if c.age = r.expression(n, parts[0].text, parts[0].offset, p); c.age != nil && c.age.typ != integerType {
		r.faultAt(n, parts[0].offset, "such as ${token.lifetime}", "max_age must be a whole number, not %s", c.age.typ)
	}
}

// cookieText refuses what a cookie's value cannot hold (RFC 6265 section 4.1.1).
func cookieText(text string) error {
	for _, c := range text {
		if c <= ' ' || c > '~' || strings.ContainsRune(`",;\`, c) {
			return fmt.Errorf("%q can stand in no cookie", c)
		}
	}
	return nil
}

// cookieValue is text as it can stand in a cookie: what cannot is percent-encoded,
// as by encodeURIComponent, and then the percent sign is too.
func cookieValue(text string) string {
	if cookieText(text) == nil {
		return text
	}
	var b strings.Builder
	for _, c := range []byte(text) {
		if c == '%' || cookieText(string(rune(c))) != nil {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// secretFacts are the facts that sign somebody in.
var secretFacts = []string{"token.value", "refresh.value", "challenge.value"}

// warnCookieOf says what a cookie with a token lacks.
func (r *reader) warnCookieOf(n *yaml.Node, c *replyCookie) {
	for _, fact := range secretFacts {
		if !c.value.names(fact) {
			continue
		}
		if !c.httpOnly {
			r.warn(n, "add http_only: true, if the contract allows", "scripts of the page can read the cookie with %s", fact)
		}
		if u, err := url.Parse(r.dialect.baseURL); !c.secure && (err != nil || !isLoopback(u.Hostname())) {
			r.warn(n, "add secure: true, if the contract allows", "browsers send the cookie with %s over plain HTTP too", fact)
		}
		if c.sameSite == http.SameSiteNoneMode {
			r.warn(n, "same_site: lax, if the contract allows", "pages of other sites can make requests with the cookie with %s", fact)
		}
	}
}

// warnCookie does the same for a cookie that is written out as a header.
func (r *reader) warnCookie(n *yaml.Node, t textTemplate) {
	c := replyCookie{value: t}
	for _, segment := range t {
		for attribute := range strings.SplitSeq(strings.ToLower(segment.literal), ";") {
			switch strings.ReplaceAll(attribute, " ", "") {
			case "httponly":
				c.httpOnly = true
			case "secure":
				c.secure = true
			case "samesite=none":
				c.sameSite = http.SameSiteNoneMode
			}
		}
	}
	r.warnCookieOf(n, &c)
}

// render writes the header Set-Cookie.
func (c *replyCookie) render(s *scope) (string, error) {
	value, err := c.value.append(nil, s)
	if err != nil {
		return "", fmt.Errorf("cookie %s: %w", c.name, err)
	}
	maxAge, err := c.life(s)
	if err != nil {
		return "", err
	}
	return c.with(cookieValue(string(value)), maxAge).String(), nil
}

// life is the cookie's maxAge, asked for where the request decides it.
func (c *replyCookie) life(s *scope) (int, error) {
	if c.age == nil {
		return c.maxAge, nil
	}
	seconds, err := c.age.get(s)
	age, ok := seconds.(int64)
	switch {
	case err != nil:
		return 0, err
	case !ok: // null: it lives as long as the browser
		return c.maxAge, nil
	case age <= 0:
		return -1, nil
	}
	return int(age), nil
}

// renderCookies writes the cookies of a reply.
func (rp *reply) renderCookies(s *scope) ([]string, error) {
	var all []string
	for i := range rp.cookies {
		text, err := rp.cookies[i].render(s)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}
