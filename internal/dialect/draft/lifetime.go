package draft

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

var lifetimeNames = []string{
	"expiresin", "expiry", "expires", "expiresinseconds", "expirein", "ttl", "lifetime", "validity", "validfor", "maxage", "expiration", "tokenexpiry",
	"expiresinms", "expiresinminutes", "leaseduration", "duration", "tokenttl", "tokenlifetime", "tokenduration", "sessionduration", "sessiontimeout",
}

// length guesses in which unit a lifetime is told.
func (g *guesser) length(name string, v body.Value) guess {
	n, unit, expression, why := number(v), time.Second, "token.lifetime", ""
	told := g.lifetime.Seconds()
	switch {
	case hasAny(name, "ms", "milli") || told > 0 && n == told*1000:
		unit, expression = time.Millisecond, "token.lifetime * 1000"
	case hasAny(name, "min") || told > 0 && n == told/60:
		unit, expression = time.Minute, "token.lifetime / 60"
	case told == 0 && likeMilliseconds(n):
		unit, expression, why = time.Millisecond, "token.lifetime * 1000", "it was taken for milliseconds: is it?"
	}
	length := time.Duration(n * float64(unit))
	switch {
	case g.lifetime == 0 && length >= time.Second:
		g.lifetime = length.Truncate(time.Second)
	case (length - g.lifetime).Abs() > max(2*time.Second, g.lifetime/100):
		why = fmt.Sprintf("the API had %s here, and a token that lives for %s: is it this?", v.Number(), span(g.lifetime))
	}
	return guess{text("${" + expression + "}"), plain(strconv.FormatInt(int64(g.lifetime/unit), 10))}.because(why)
}

// likeMilliseconds reports whether a length is whole minutes in milliseconds, and no
// such length in seconds as people choose.
func likeMilliseconds(n float64) bool {
	whole := int64(n)
	return n >= 300_000 && n == float64(whole) && whole%60_000 == 0 && (whole%86_400 != 0 || whole > 31_536_000)
}

// lifetimeFromInstants is how long the token of a reply lives by the instants that it
// tells: when it ends, and when it was made, or else when the reply was sent; 0 where it
// does not tell both.
func (r *Reply) lifetimeFromInstants() time.Duration {
	ends, begins := time.Time{}, r.Date
	var look func(name string, v body.Value)
	look = func(name string, v body.Value) {
		for _, m := range v.Members() {
			look(folded(m.Name()), m.Value())
		}
		at := instantOf(v)
		switch {
		case at.IsZero() || strings.Contains(name, "refresh"):
		case hasAny(name, "exp", "valid", "until") && ends.IsZero():
			ends = at
		case hasAny(name, "issued", "iat") || slices.Contains([]string{"now", "time", "timestamp", "servertime", "logintime", "loginat"}, name):
			begins = at
		}
	}
	if r.JSON != nil {
		look("", *r.JSON)
	}
	length := ends.Sub(begins)
	switch {
	case ends.IsZero() || begins.IsZero() || length < time.Second || length > 10*365*24*time.Hour:
		return 0
	case length > 5*time.Minute: // the clock went on between the two
		return length.Round(time.Minute)
	}
	return length.Round(time.Second)
}

// instantOf is the instant that a value tells: ISO 8601, or seconds or milliseconds
// since 1970; zero for any other.
func instantOf(v body.Value) time.Time {
	if v.Kind() == body.Number {
		switch n := number(v); {
		case n >= 1e12 && n < 1e14:
			return time.UnixMilli(int64(n))
		case n >= 1e9 && n < 1e11:
			return time.Unix(int64(n), 0)
		}
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00"} {
		if at, err := time.Parse(layout, v.Text()); err == nil {
			return at
		}
	}
	return time.Time{}
}

// settings writes the section of what operators may choose.
func (g *guesser) settings() *yaml.Node {
	lifetime := text(span(g.lifetime))
	if g.lifetime == 0 {
		remark(lifetime, "a guess: nothing tells how long the API's tokens live")
	}
	return mapping().add("token_lifetime", lifetime).Node
}

// refreshLife is how long a refresh token lives: never less than twice the token.
func (g *guesser) refreshLife() *yaml.Node {
	least := 2 * cmp.Or(g.lifetime, time.Hour)
	if g.refreshLifetime > 0 {
		return text(span(max(g.refreshLifetime, least)))
	}
	return remark(text(span(max(14*24*time.Hour, least))), "a guess: nothing tells how long the API's refresh tokens live")
}
