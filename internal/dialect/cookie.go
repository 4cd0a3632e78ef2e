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
	cookie http.Cookie // but for what the request decides
	value  textTemplate
	maxAge *leaf // nil where it is known at load
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
			r.fault(item, "", "a reply sets no more than %d cookies", maxHeaders)
			return
		}
		rp.cookies = append(rp.cookies, r.cookie(item, p))
	}
}

var sameSites = map[string]http.SameSite{"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode}

func (r *reader) cookie(n *yaml.Node, p *place) replyCookie {
	s := r.section(n, &cookieShape)
	c := replyCookie{cookie: http.Cookie{
		HttpOnly: r.boolean(s.get("http_only"), "http_only", false),
		Secure:   r.boolean(s.get("secure"), "secure", false),
		SameSite: sameSites[s.word("same_site")],
	}}
	for _, text := range []struct {
		member string
		to     *string
	}{{"name", &c.cookie.Name}, {"path", &c.cookie.Path}, {"domain", &c.cookie.Domain}} {
		if m := s.get(text.member); m != nil {
			*text.to = r.text(m, text.member)
		}
	}
	if name := s.need("name"); name != nil && c.cookie.Name != "" && !headerName.MatchString(c.cookie.Name) {
		r.fault(name, "use letters, digits, full stops, hyphens and underscores", "%q cannot name a cookie", c.cookie.Name)
		return c
	}
	if end := s.get("end"); end != nil && r.boolean(end, "end", false) {
		c.cookie.MaxAge = -1
		for _, member := range []string{"value", "max_age"} {
			if m := s.get(member); m != nil {
				r.fault(m, "leave it out", "a cookie that is taken away has no %s", member)
			}
		}
	} else {
		r.cookieValue(s, &c, p)
		r.maxAge(s.get("max_age"), &c, p)
	}
	if err := c.cookie.Valid(); err != nil && c.cookie.Name != "" {
		r.fault(n, "attributes hold no semicolons and control characters", "%s", strings.TrimPrefix(err.Error(), "http: "))
	}
	r.warnCookieOf(n, &c.cookie, c.value)
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
			c.cookie.MaxAge = r.integer(n, "max_age", 1, 1<<31-1)
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
	if c.maxAge = r.expression(n, parts[0].text, parts[0].offset, p); c.maxAge != nil && c.maxAge.typ != integerType {
		r.faultAt(n, parts[0].offset, "such as ${token.lifetime}", "max_age must be a whole number, not %s", c.maxAge.typ)
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

// secretFacts are the facts that sign somebody in.
var secretFacts = []string{"token.value", "refresh.value", "challenge.value"}

// warnCookieOf says what a cookie with a token lacks.
func (r *reader) warnCookieOf(n *yaml.Node, c *http.Cookie, value textTemplate) {
	for _, fact := range secretFacts {
		if !value.names(fact) {
			continue
		}
		if !c.HttpOnly {
			r.warn(n, "add http_only: true, if the contract allows", "scripts of the page can read the cookie with %s", fact)
		}
		if u, err := url.Parse(r.dialect.baseURL); !c.Secure && (err != nil || !isLoopback(u.Hostname())) {
			r.warn(n, "add secure: true, if the contract allows", "browsers send the cookie with %s over plain HTTP too", fact)
		}
		if c.SameSite == http.SameSiteNoneMode {
			r.warn(n, "same_site: lax, if the contract allows", "pages of other sites can make requests with the cookie with %s", fact)
		}
	}
}

// warnCookie does the same for a cookie that is written out as a header.
func (r *reader) warnCookie(n *yaml.Node, t textTemplate) {
	var c http.Cookie
	for _, segment := range t {
		for attribute := range strings.SplitSeq(strings.ToLower(segment.literal), ";") {
			switch strings.ReplaceAll(attribute, " ", "") {
			case "httponly":
				c.HttpOnly = true
			case "secure":
				c.Secure = true
			case "samesite=none":
				c.SameSite = http.SameSiteNoneMode
			}
		}
	}
	r.warnCookieOf(n, &c, t)
}

// render writes the header Set-Cookie.
func (c *replyCookie) render(s *scope) (string, error) {
	value, err := c.value.append(nil, s)
	if err == nil {
		err = cookieText(string(value))
	}
	if err != nil {
		return "", fmt.Errorf("cookie %s: %w", c.cookie.Name, err)
	}
	made := c.cookie
	made.Value = string(value)
	if c.maxAge != nil {
		seconds, err := c.maxAge.get(s)
		if err != nil {
			return "", err
		}
		if age, ok := seconds.(int64); ok { // null: it lives as long as the browser
			made.MaxAge = int(max(age, -1))
			if age == 0 {
				made.MaxAge = -1
			}
		}
	}
	return made.String(), nil
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
