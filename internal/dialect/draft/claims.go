package draft

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

var algorithms = []string{"HS256", "HS384", "HS512", "ES256", "EdDSA", "RS256"}

// A tokenGuess is what is known of the token.
type tokenGuess struct {
	header body.Value // of a JWT
	claims *body.Value
}

// readToken looks into a JWT. The signature is not judged: it is another's.
func readToken(token string) tokenGuess {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return tokenGuess{}
	}
	read := func(part string) (body.Value, bool) {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return body.Value{}, false
		}
		v, err := body.ParseJSON(raw, limits)
		return v, err == nil && v.Kind() == body.Object
	}
	header, ok := read(parts[0])
	if !ok {
		return tokenGuess{}
	}
	claims, ok := read(parts[1])
	if !ok {
		return tokenGuess{header: header}
	}
	return tokenGuess{header, &claims}
}

// lifetime is that of a JWT, from iat to exp; 0 when it does not say.
func (t tokenGuess) lifetime() time.Duration {
	if t.claims == nil {
		return 0
	}
	exp, _ := t.claims.Member("exp")
	iat, _ := t.claims.Member("iat")
	if exp.Kind() != body.Number || iat.Kind() != body.Number || number(exp)-number(iat) < 1 {
		return 0
	}
	return time.Duration(int64(number(exp)-number(iat))) * time.Second
}

// policy writes the section of the token.
func (d *Draft) policy(g *guesser, t tokenGuess) *yaml.Node {
	p := mapping()
	if g.isJWT {
		g.jwt(p, t)
	} else {
		g.opaque(p)
	}
	if g.refresh != "" {
		refresh := mapping().add("lifetime", g.refreshLife())
		writeRandom(refresh, g.refresh)
		p.add("refresh", flat(refresh))
	}
	return mapping().add("access", p.Node).Node
}

// opaque writes a token that is known by its digest.
func (g *guesser) opaque(p tree) {
	p.say("format", "opaque")
	writeRandom(p, g.token)
	p.say("lifetime", "${setting.token_lifetime}")
}

// tokenPrefix is what products put before what is random in their tokens, such as hvs.,
// sk_live_ or the number of a record and a bar.
var tokenPrefix = regexp.MustCompile(`^(?:[0-9]{1,12}\||(?:(?:[a-z]{2,10}|[A-Z]{2,6}|v)[0-9]?[_.|-]){1,3})`)

// writeRandom says what is random in an opaque token, and how it is written around that.
func writeRandom(t tree, token string) {
	prefix := tokenPrefix.FindString(token)
	if len(token)-len(prefix) < 16 || formOf(token) != "" {
		prefix = ""
	}
	random := token[len(prefix):]
	if form := formOf(random); form != "" {
		t.say("form", form)
	}
	switch {
	case prefix == "":
	case prefix[0] <= '9':
		t.say("value", "${token.id}|${token.random}")
	default:
		t.say("value", prefix+"${token.random}")
	}
}

// formOf is the form of random text that looks like this one; "" for the usual one.
func formOf(random string) string {
	switch {
	case uuidText.MatchString(random):
		return "uuid"
	case len(random) >= 64 && strings.Trim(random, "0123456789abcdef") == "":
		return "hex32"
	}
	return ""
}

// jwt writes a token with claims: those of the one that was answered, or the usual ones.
func (g *guesser) jwt(p tree, t tokenGuess) {
	algorithm := plain("HS256")
	if alg, _ := t.header.Member("alg"); slices.Contains(algorithms, alg.Text()) {
		algorithm = plain(alg.Text())
	} else if alg.Text() != "" {
		remark(algorithm, "the API signed with "+alg.Text()+", which is not made here")
	}
	p.say("format", "jwt").add("algorithm", algorithm)
	_, keyed := t.header.Member("kid")
	if t.claims != nil && keyed == strings.HasPrefix(algorithm.Value, "HS") {
		p.add("key_id", plain(map[bool]string{true: "true", false: "false"}[keyed]))
	}
	if typ, ok := t.header.Member("typ"); ok && typ.Text() != "JWT" && typ.Text() != "" {
		p.add("type", literal(typ.Text()))
	}
	p.say("lifetime", "${setting.token_lifetime}")
	claims := mapping()
	if t.claims != nil {
		for _, m := range t.claims.Members() {
			claims.add(memberName(m.Name()), g.claim(m.Name(), m.Value(), claims))
		}
	}
	g.needed(claims)
	p.add("claims", claims.Node)
}

// claim guesses what a claim tells.
func (g *guesser) claim(name string, v body.Value, before tree) *yaml.Node {
	switch name {
	case "exp":
		return text("${token.expires_at}")
	case "iat", "nbf", "auth_time":
		return text("${token.issued_at}")
	case "jti":
		return text("${token.id}")
	case "iss":
		return remark(literal(v.Text()), "who verifies tokens may want exactly this")
	case "aud":
		if v.Kind() == body.List && len(v.Items()) > 0 {
			return list(remark(literal(v.Items()[0].Text()), more(len(v.Items()))))
		}
		return remark(literal(v.Text()), "who verifies tokens may want exactly this")
	}
	path := []string{name}
	if slices.Contains([]string{"name", "login", "id"}, folded(name)) {
		path = []string{"user", name} // claims tell of accounts
	}
	made := g.value(path, v).template
	switch made.Value {
	case "${account.id}":
		if holds(before, made.Value) {
			return text("${string(account.id)}") // one claim alone says whom the token is for
		}
		if !uuidText.MatchString(v.Text()) {
			remark(made, "the API's ids had another form; here they are UUIDs")
		}
	case "${key.identifier}":
		return remark(text("${key.id}"), "it was the access key itself, which tokens do not tell")
	case "${token.value}", "${refresh.value}", "${request.id}":
		return remark(text("${token.id}"), "the API had something random here")
	}
	return made
}

func more(audiences int) string {
	if audiences > 1 {
		return "the API named more than one; a token here is for one"
	}
	return ""
}

func holds(t tree, value string) bool {
	return slices.ContainsFunc(t.Content, func(n *yaml.Node) bool { return n.Value == value })
}

// needed adds the claims that every token must have.
func (g *guesser) needed(claims tree) {
	subject := "${account.id}"
	if g.keys {
		subject = "${key.id}"
	}
	if !holds(claims, "${account.id}") && !holds(claims, "${key.id}") {
		name := "sub"
		if holds(claims, name) {
			name = "uid"
		}
		claims.add(name, remark(text(subject), "one claim says whom the token is for"))
	}
	if g.refresh != "" && !holds(claims, "${token.id}") {
		claims.add("jti", remark(text("${token.id}"), "not the API's: tokens that are refreshed are kept, and must differ"))
	}
	for _, need := range [][2]string{{"iat", "${token.issued_at}"}, {"exp", "${token.expires_at}"}} {
		if !holds(claims, need[0]) {
			claims.add(need[0], remark(text(need[1]), "not the API's: every token tells it"))
		}
	}
}

// span writes a length of time as files do.
func span(d time.Duration) string {
	if d == 0 {
		d = time.Hour
	}
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d%unit.length == 0 {
			return strconv.FormatInt(int64(d/unit.length), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
