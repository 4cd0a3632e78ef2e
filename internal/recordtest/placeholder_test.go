package recordtest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A family is a kind of placeholder: the values that it stands for.
type family struct {
	name    string // a pattern of the names between the angle brackets
	pattern string // of the values within a longer text
	same    bool   // every value of the name in one answer must be the same
	check   func(c *comparison, name string, got *node) error
}

const (
	base64URL = `[A-Za-z0-9_-]+`
	jwtText   = base64URL + `\.` + base64URL + `\.` + base64URL
	opaque    = `[A-Za-z0-9._~+/=:-]+`
	uuidText  = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	digits    = `\d+`
	instant   = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)`
	anything  = `[\s\S]*?`
)

// families are all placeholders that records use. What a name says is compared
// with what is known of the request and of whoever made it.
var families = []family{
	{name: "jwt|refresh_jwt", pattern: jwtText, same: true, check: isJWT},
	{name: "token_uuid|refresh_token_uuid", pattern: uuidText, same: true},
	{name: "paseto", pattern: `v[1-4]\.(?:local|public)\.` + opaque, same: true},
	{name: "token_id|jti|jti_short|session_id|request_id", pattern: `[A-Za-z0-9_-]+`, same: true},
	{name: "token|refresh_token|secondary_token|csrf_token|mfa_challenge|reset_token", pattern: opaque, same: true},
	{name: "(refresh_)?expires_in_(seconds|minutes|ms)", pattern: digits, check: isDuration},
	{name: "(refresh_)?(now_)?(iso|epoch)(_ms)?(_refresh)?(_expiry|_issued_at|_now)?(_micros)?", pattern: instant + "|" + digits, check: isInstant},
	{name: `(user|tenant|role)\.\w+|client_id|device\.\w+|request\.\w+|issuer|base_url|new_password`, pattern: anything, check: isFact},
	{name: "audience|scope", pattern: anything, check: isFactOrText},
	{name: "field", pattern: anything, same: true, check: isField},
	{name: "path", pattern: anything, check: isPath},
	{name: "code", pattern: anything, check: isCode},
	{name: "message|detail|title", pattern: anything},
	{name: "uri", pattern: `\S+`, check: isURI},
	{name: "retry_after_seconds", pattern: digits, check: atLeast(1)},
	{name: `rl\.limit`, pattern: digits, check: isLimit},
	{name: `rl\.(remaining|reset\w*)`, pattern: digits, check: atLeast(0)},
	{name: "any", pattern: anything, check: func(*comparison, string, *node) error { return nil }},
}

var familyNames = func() (all []*regexp.Regexp) {
	for _, f := range families {
		all = append(all, regexp.MustCompile("^(?:"+f.name+")$"))
	}
	return all
}()

func findFamily(name string) *family {
	for i, re := range familyNames {
		if re.MatchString(name) {
			return &families[i]
		}
	}
	return nil
}

// one recognizes a text that is one placeholder alone.
func one(text string) (name, form string, ok bool) {
	m := placeholder.FindStringSubmatch(text)
	if m == nil || m[0] != text {
		return "", "", false
	}
	return m[1], m[2], true
}

var placeholder = regexp.MustCompile(`<([a-z][A-Za-z0-9_.]*)(\|string|\|space_joined)?>`)

// stands compares a value with what a placeholder stands for.
func (c *comparison) stands(name, form string, got *node) error {
	f := findFamily(name)
	if f == nil {
		return fmt.Errorf("nobody knows the placeholder <%s>: add a row to families", name)
	}
	if form != "" {
		if got.is != text {
			return fmt.Errorf("%s is no text", got)
		}
		if form == "|space_joined" {
			got = nodeOf(strings.Fields(got.text))
		}
		loose := c.loose
		c.loose = true
		defer func() { c.loose = loose }()
	}
	if got.is == text && !regexp.MustCompile("^(?:"+f.pattern+")$").MatchString(got.text) {
		return fmt.Errorf("%s has not the form of <%s>", got, name)
	}
	check := f.check
	if check == nil {
		check = isText
	}
	if err := check(c, name, got); err != nil {
		return err
	}
	if held, ok := c.held[name]; ok && f.same && held != got.text {
		return fmt.Errorf("<%s> is %q here and %q elsewhere in the answer", name, got.text, held)
	}
	c.held[name] = got.text
	return nil
}

func isText(_ *comparison, _ string, got *node) error {
	if got.is != text || strings.TrimSpace(got.text) == "" {
		return fmt.Errorf("%s is no text, or an empty one", got)
	}
	return nil
}

func isJWT(_ *comparison, _ string, got *node) error {
	_, _, err := readJWT(got.text)
	return err
}

// readJWT reads header and payload of a token, whose signature only the server knows.
func readJWT(token string) (header, payload *node, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, nil, fmt.Errorf("%q is no JWT", clip(token))
	}
	var read [2]*node
	for i := range read {
		data, err := base64.RawURLEncoding.Strict().DecodeString(parts[i])
		if err != nil {
			return nil, nil, fmt.Errorf("%q is no JWT: %w", clip(token), err)
		}
		if read[i], err = parseTree(data); err != nil || read[i].is != object {
			return nil, nil, fmt.Errorf("%q is no JWT: %s holds no object", clip(token), data)
		}
	}
	return read[0], read[1], nil
}

// integer reads a whole number; in a header or another text its digits stand for it.
func (c *comparison) integer(got *node) (int64, error) {
	if got.is != number && !(got.is == text && c.loose) {
		return 0, fmt.Errorf("%s is no number", got)
	}
	i, err := strconv.ParseInt(got.text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is no whole number", got)
	}
	return i, nil
}

func atLeast(least int64) func(*comparison, string, *node) error {
	return func(c *comparison, _ string, got *node) error {
		if i, err := c.integer(got); err != nil || i < least {
			return errors.Join(err, fmt.Errorf("%s is under %d", got, least))
		}
		return nil
	}
}

func isLimit(c *comparison, _ string, got *node) error {
	if i, err := c.integer(got); err != nil || i != freeFailures {
		return errors.Join(err, fmt.Errorf("%s is not the limit, %d", got, freeFailures))
	}
	return nil
}

// slack is how far clocks and rounding to seconds may be apart.
const slack = 2 * time.Second

func (f *facts) life(name string) time.Duration {
	if strings.Contains(name, "refresh") {
		return f.refreshLifetime
	}
	return f.lifetime
}

func isDuration(c *comparison, name string, got *node) error {
	i, err := c.integer(got)
	if err != nil {
		return err
	}
	unit := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "ms": time.Millisecond}[name[strings.LastIndex(name, "_")+1:]]
	switch want := c.life(name); {
	case i <= 0:
		return fmt.Errorf("%d is no time from now", i)
	case want != 0 && math.Abs(float64(time.Duration(i)*unit-want)) > float64(max(slack, unit)):
		return fmt.Errorf("%d is not the lifetime, %s", i, want)
	}
	return nil
}

func isInstant(c *comparison, name string, got *node) error {
	at, err := c.instant(name, got)
	if err != nil {
		return err
	}
	from, to := c.began.Add(-slack), c.ended.Add(slack)
	if strings.Contains(name, "expiry") {
		life := c.life(name)
		if life == 0 {
			if !at.After(c.began) {
				return fmt.Errorf("%s has passed", at)
			}
			return nil
		}
		from, to = from.Add(life), to.Add(life)
	}
	if at.Before(from) || at.After(to) {
		return fmt.Errorf("%s is not between %s and %s", at, from, to)
	}
	return nil
}

func (c *comparison) instant(name string, got *node) (time.Time, error) {
	if strings.Contains(name, "epoch") {
		i, err := c.integer(got)
		if strings.Contains(name, "_ms") {
			return time.UnixMilli(i), err
		}
		return time.Unix(i, 0), err
	}
	if got.is != text {
		return time.Time{}, fmt.Errorf("%s is no text", got)
	}
	if strings.HasSuffix(name, "_micros") && !regexp.MustCompile(`\.\d{6}(Z|[+-])`).MatchString(got.text) {
		return time.Time{}, fmt.Errorf("%q has no microseconds", got.text)
	}
	return time.Parse(time.RFC3339Nano, got.text)
}

func isFact(c *comparison, name string, got *node) error {
	want, ok := c.fact(name)
	if !ok {
		return fmt.Errorf("nothing is known of <%s>: give the sample one, or the seed a fact", name)
	}
	return c.equal(want, got)
}

func isFactOrText(c *comparison, name string, got *node) error {
	if want, ok := c.fact(name); ok {
		return c.equal(want, got)
	}
	return isText(c, name, got)
}

// equal compares with a value that is known.
func (c *comparison) equal(want any, got *node) error {
	wanted := nodeOf(want)
	if c.loose && wanted.is != list {
		wanted = &node{is: text, text: wanted.text}
	}
	same := wanted.is == got.is && wanted.text == got.text && len(wanted.items) == len(got.items)
	for i := 0; same && i < len(wanted.items); i++ {
		same = c.equal(wanted.items[i].text, got.items[i]) == nil
	}
	if !same {
		return fmt.Errorf("%s is not %s", got, wanted)
	}
	return nil
}

// nodeOf makes a node of a value of a seed, a sample or a record.
func nodeOf(value any) *node {
	switch value := value.(type) {
	case *node:
		return value
	case nil:
		return &node{is: null}
	case string:
		return &node{is: text, text: value}
	case bool:
		return &node{is: boolean, text: strconv.FormatBool(value)}
	}
	data, err := json.Marshal(value)
	if err == nil {
		var n *node
		if n, err = parseTree(data); err == nil {
			return n
		}
	}
	return &node{is: text, text: fmt.Sprint(value, " ", err)}
}

func isField(c *comparison, _ string, got *node) error {
	for _, missing := range c.missing {
		if got.is == text && slices.Contains(missing.called(), got.text) {
			return nil
		}
	}
	return fmt.Errorf("%s is not the field at fault", got)
}

// isPath takes the request's own path, and what leads to the field at fault.
func isPath(c *comparison, _ string, got *node) error {
	if got.is == text && got.text == c.path {
		return nil
	}
	for _, missing := range c.missing {
		parts := strings.Split(missing.name, ".")
		parents := parts[:len(parts)-1]
		if len(parents) == 0 {
			continue
		}
		if got.is == text && (got.text == parents[len(parents)-1] || got.text == strings.Join(parents, ".") || got.text == "/"+strings.Join(parents, "/")) {
			return nil
		}
	}
	return fmt.Errorf("%s is neither the request's path nor what leads to the field", got)
}

func isCode(_ *comparison, _ string, got *node) error {
	if got.is != number && (got.is != text || got.text == "") {
		return fmt.Errorf("%s is no code", got)
	}
	return nil
}

func isURI(_ *comparison, _ string, got *node) error {
	if u, err := url.Parse(got.text); got.is != text || err != nil || !u.IsAbs() {
		return fmt.Errorf("%s is no absolute address", got)
	}
	return nil
}
