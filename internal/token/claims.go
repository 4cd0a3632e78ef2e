package token

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Claims are the claims of a payload, as far as they decide whether it is accepted.
// Instants are seconds since 1970.
type Claims struct {
	ExpiresAt int64 // exp; always there, and not 0
	NotBefore int64 // nbf; 0 when absent
	IssuedAt  int64 // iat; 0 when absent
	Audience  []string
	texts     map[string]string
}

// Text returns the claim of that name when it is a string, and "" otherwise.
func (c Claims) Text(name string) string { return c.texts[name] }

// For reports whether audience is among the token's, exactly (S38).
func (c Claims) For(audience string) bool { return slices.Contains(c.Audience, audience) }

// The reasons for which [Claims.Check] refuses.
var (
	ErrExpired = errors.New("token: exp has come")
	ErrFuture  = errors.New("token: nbf or iat lies ahead")
)

// leeway is how far clocks of servers that issue tokens may be ahead of ours.
const leeway = 60

// Check refuses a token from the second on that exp names, and one whose nbf or
// iat lies more than a minute ahead (S37).
func (c Claims) Check(now time.Time) error {
	switch seconds := now.Unix(); {
	case seconds >= c.ExpiresAt:
		return ErrExpired
	case c.NotBefore > seconds+leeway, c.IssuedAt > seconds+leeway:
		return ErrFuture
	}
	return nil
}

// ParseClaims reads a payload: one JSON object without duplicate names, in which
// exp is there, exp, nbf and iat are whole seconds between 1970 and the year 9999,
// and aud is a string or a list of strings.
func ParseClaims(payload []byte) (Claims, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(payload))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return Claims{}, errors.New("token: the payload is not an object")
	}
	c := Claims{texts: make(map[string]string, 8)}
	hasExpiry := false
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return Claims{}, errNotJSON
		}
		name := t.String()
		if err := c.read(d, name); err != nil {
			return Claims{}, err
		}
		hasExpiry = hasExpiry || name == "exp"
	}
	if _, err := d.ReadToken(); err != nil {
		return Claims{}, errNotJSON
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return Claims{}, errors.New("token: something follows the payload")
	}
	if !hasExpiry || c.ExpiresAt == 0 { // 0 would read as absent
		return Claims{}, errors.New("token: exp is missing or 0")
	}
	return c, nil
}

var errNotJSON = errors.New("token: the payload is not JSON, or has a name twice")

func (c *Claims) read(d *jsontext.Decoder, name string) (err error) {
	switch name {
	case "exp":
		c.ExpiresAt, err = instant(d, name)
	case "nbf":
		c.NotBefore, err = instant(d, name)
	case "iat":
		c.IssuedAt, err = instant(d, name)
	case "aud":
		return c.readAudience(d)
	default:
		return c.readOther(d, name)
	}
	return err
}

func (c *Claims) readOther(d *jsontext.Decoder, name string) error {
	if d.PeekKind() != '"' {
		if d.SkipValue() != nil {
			return errNotJSON
		}
		return nil
	}
	t, err := d.ReadToken()
	if err != nil {
		return errNotJSON
	}
	c.texts[name] = t.String()
	return nil
}

func (c *Claims) readAudience(d *jsontext.Decoder) error {
	if d.PeekKind() != '[' {
		err := c.addAudience(d)
		if err == nil {
			c.texts["aud"] = c.Audience[0]
		}
		return err
	}
	_, _ = d.ReadToken() // the bracket that was seen
	for d.PeekKind() != ']' {
		if err := c.addAudience(d); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return errNotJSON
	}
	return nil
}

func (c *Claims) addAudience(d *jsontext.Decoder) error {
	t, err := d.ReadToken()
	if err != nil || t.Kind() != '"' {
		return errors.New("token: aud is neither a string nor a list of strings")
	}
	c.Audience = append(c.Audience, t.String())
	return nil
}

const year9999 = 253402300799

// instant reads a whole number of seconds, written without fraction or exponent.
func instant(d *jsontext.Decoder, name string) (int64, error) {
	value, err := d.ReadValue()
	if err != nil {
		return 0, errNotJSON
	}
	seconds, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || seconds < 0 || seconds > year9999 {
		return 0, fmt.Errorf("token: %s is not a whole number of seconds", name)
	}
	return seconds, nil
}
