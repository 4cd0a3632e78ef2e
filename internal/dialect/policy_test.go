package dialect

import (
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// withToken is minimal with another token.
func withToken(token string) string {
	return strings.Replace(filled(nil), `{algorithm: HS256, lifetime: 1h, claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}`, token, 1)
}

const jwtClaims = `claims: {sub: "${account.id}", jti: "${token.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}`

// TestPolicyForms: what a file says of a token is what core is told.
func TestPolicyForms(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name, token string
		want        core.Policy
	}{
		{"a JWT of its own type", `{algorithm: ES256, type: at+jwt, lifetime: 1h, ` + jwtClaims + `}`,
			core.Policy{Format: core.FormatJWT, Keys: core.KeySet{Algorithm: "ES256", Type: "at+jwt", WithKeyID: true}, Lifetime: time.Hour}},
		{"typ JWT is the usual one", `{algorithm: HS256, type: JWT, lifetime: 1h, ` + jwtClaims + `}`,
			core.Policy{Format: core.FormatJWT, Keys: core.KeySet{Algorithm: "HS256"}, Lifetime: time.Hour}},
		{"a JWT that is kept", `{algorithm: HS256, lifetime: 1h, track: true, ` + jwtClaims + `}`,
			core.Policy{Format: core.FormatJWT, Keys: core.KeySet{Algorithm: "HS256"}, Lifetime: time.Hour, Session: time.Hour, Tracked: true}},
		{"bounds", `{algorithm: HS256, lifetime: {default: 1h, min: 5m, max: 1d}, ` + jwtClaims + `}`,
			core.Policy{Format: core.FormatJWT, Keys: core.KeySet{Algorithm: "HS256"}, Lifetime: time.Hour, LeastLifetime: 5 * time.Minute, MostLifetime: day}},
		{"bounds without min", `{format: opaque, lifetime: {default: 1h, max: 1h}}`,
			core.Policy{Format: core.FormatOpaque, Lifetime: time.Hour, LeastLifetime: time.Second, MostLifetime: time.Hour, Session: time.Hour, Tracked: true}},
		{"opaque", `{format: opaque, lifetime: 1h}`,
			core.Policy{Format: core.FormatOpaque, Lifetime: time.Hour, Session: time.Hour, Tracked: true}},
		{"opaque in its own form", `{format: opaque, form: hex48, lifetime: 1h, idle: 30m, one: newest}`,
			core.Policy{Format: core.FormatOpaque, Opaque: core.Opaque{Form: "hex48"}, Lifetime: time.Hour, Session: time.Hour, Idle: 30 * time.Minute, Slot: core.SlotNewest, Tracked: true}},
		{"endless", `{format: opaque, lifetime: never, one: same}`,
			core.Policy{Format: core.FormatOpaque, Endless: true, Slot: core.SlotSame, Tracked: true}},
		{"a session of the refresh token's life", `{format: opaque, lifetime: 1h, refresh: {lifetime: 14d, form: uuid}}`,
			core.Policy{Format: core.FormatOpaque, Lifetime: time.Hour, Session: 14 * day, Tracked: true,
				Refresh: &core.RefreshPolicy{Opaque: core.Opaque{Form: "uuid"}, Lifetime: 14 * day}}},
		{"a session of its own", `{algorithm: HS256, lifetime: 1h, session: 30d, refresh: {lifetime: 14d, rotate: false}, ` + jwtClaims + `}`,
			core.Policy{Format: core.FormatJWT, Keys: core.KeySet{Algorithm: "HS256"}, Lifetime: time.Hour, Session: 30 * day, Tracked: true,
				Refresh: &core.RefreshPolicy{Lifetime: 14 * day, Keep: true}}},
		{"a refresh token with grace", `{format: opaque, lifetime: 1h, refresh: {lifetime: 14d, grace: 30s}}`,
			core.Policy{Format: core.FormatOpaque, Lifetime: time.Hour, Session: 14 * day, Tracked: true,
				Refresh: &core.RefreshPolicy{Lifetime: 14 * day, Grace: 30 * time.Second}}},
		{"a session without end", `{format: opaque, lifetime: 1h, session: never}`,
			core.Policy{Format: core.FormatOpaque, Lifetime: time.Hour, Tracked: true}},
	} {
		got := loadText(t, withToken(tt.token)).Terms().Policies["access"]
		refresh, want := got.Refresh, tt.want.Refresh
		if (refresh == nil) != (want == nil) || refresh != nil && (refresh.Form != want.Form || refresh.Lifetime != want.Lifetime || refresh.Keep != want.Keep || refresh.Grace != want.Grace || refresh.Value != nil) {
			t.Errorf("%s: refresh = %+v, want %+v", tt.name, refresh, want)
		}
		tt.want.Name, tt.want.Keys.Realm, tt.want.Keys.Dialect = "access", "test", "minimal"
		same := got.Format == tt.want.Format && got.Keys == tt.want.Keys && got.Lifetime == tt.want.Lifetime && got.Endless == tt.want.Endless &&
			got.LeastLifetime == tt.want.LeastLifetime && got.MostLifetime == tt.want.MostLifetime && got.Opaque.Form == tt.want.Opaque.Form &&
			got.Tracked == tt.want.Tracked && got.Session == tt.want.Session && got.Idle == tt.want.Idle && got.Slot == tt.want.Slot
		if !same || (got.Claims == nil) != (got.Format == core.FormatOpaque) {
			t.Errorf("%s: policy = %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// TestPer: that by which there is one session each is what the route granted.
func TestPer(t *testing.T) {
	text := withToken(`{format: opaque, lifetime: 1h, one: newest, per: "${granted.device}"}`)
	text = strings.Replace(text, "issue: access", `issue: access, with: {device: "${'x' + request.path}"}`, 1)
	d := loadText(t, text)
	if p := d.Terms().Policies["access"]; p.Slot != core.SlotNewest || p.SlotBy != "device" {
		t.Errorf("policy = %+v, want one of the newest by device", p)
	}
	if got := d.Describe().Tokens[0].Per; got != "device" {
		t.Errorf("described as one per %q", got)
	}
}

// TestKeptFor: who is told that a token needs an id of its own is told why it is kept.
func TestKeptFor(t *testing.T) {
	const claims = `claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}`
	for _, tt := range []struct{ members, do, want string }{
		{"refresh: {lifetime: 14d}, session: 30d", "whoami", "it has the member refresh"},
		{"idle: 5m", "revoke", "it has the member idle"},
		{"track: true", "whoami", "track says"},
		{"doc: short", "revoke", "GET /me ends tokens, tells of them or tells them apart"},
	} {
		text := withToken("{algorithm: HS256, lifetime: 1h, " + tt.members + ", " + claims + "}")
		text = strings.Replace(text, "routes:\n", "routes:\n  - {on: {method: GET, path: /me}, do: "+tt.do+", ok: {status: 204}}\n", 1)
		_, err := Load("test.yaml", []byte(text), testOptions())
		if err == nil || !strings.Contains(err.Error(), "the token access is kept, as "+tt.want+", and no claim is ${token.id} alone") {
			t.Errorf("%s, %s: Load() = %v, want %q", tt.members, tt.do, err, tt.want)
		}
	}
}

// TestOpaqueValue: an opaque token is written as the file says, and never so that a
// header or a cookie would change it.
func TestOpaqueValue(t *testing.T) {
	policy := loadText(t, withToken(`{format: opaque, lifetime: 1h, value: "tok_${token.id}|${token.random}", refresh: {lifetime: 2d, value: "r-${token.random}"}}`)).Terms().Policies["access"]
	grant := sampleGrant().Grant
	got, err := policy.Opaque.Value(core.NewSecret("RANDOM"), grant)
	if err != nil || got.Reveal() != "tok_id|RANDOM" {
		t.Errorf("Value() = %q, %v", got.Reveal(), err)
	}
	if got, err := policy.Refresh.Value(core.NewSecret("RANDOM"), grant); err != nil || got.Reveal() != "r-RANDOM" {
		t.Errorf("refresh: Value() = %q, %v", got.Reveal(), err)
	}
	for _, id := range []string{"a b", "a;b", `a"b`, "a\nb", "é", strings.Repeat("a", 513)} {
		grant.TokenID = id
		if got, err := policy.Opaque.Value(core.NewSecret("RANDOM"), grant); err == nil {
			t.Errorf("Value() with id %q = %q", id, got.Reveal())
		}
	}
}

// TestEndlessFacts: where a token never ends, expressions reckon with that, and
// nowhere else.
func TestEndlessFacts(t *testing.T) {
	ending := loadText(t, strings.Replace(filled(nil), "empty: true", `json: "${token.lifetime * 1000}"`, 1))
	if ending.endless {
		t.Error("a token with a lifetime makes the dialect endless")
	}
	text := strings.Replace(withToken("{format: opaque, lifetime: never}"), "empty: true", `json: ["${token.lifetime}", "${epoch(token.expires_at)}", "${token.lifetime == null ? -1 : token.lifetime}"]`, 1)
	c, w, err := serve(loadText(t, text), post("/login", jsonTyp, `{"user":"ada","password":"p"}`))
	if err != nil {
		t.Fatal(err)
	}
	token := sampleGrant()
	token.ExpiresAt = time.Time{}
	if err := c.Encode(w, Result{Token: &token}); err != nil || w.Body.String() != "[null,null,-1]" {
		t.Errorf("Encode() = %v, %s", err, w.Body)
	}
}

// TestTokenWarnings: what a token costs in safety is said.
func TestTokenWarnings(t *testing.T) {
	for _, tt := range []struct{ token, want string }{
		{`{format: opaque, lifetime: 1h}`, ""},
		{`{format: opaque, lifetime: never}`, "never ends serves who steals it"},
		{`{format: opaque, lifetime: {default: 1h, max: 90d}}`, "may choose a token that lives 2160h0m0s"},
		{`{format: opaque, form: uuid, lifetime: 1h}`, "token access has 122 random bits alone"},
		{`{format: opaque, lifetime: 1h, refresh: {lifetime: 1d, form: hex16}}`, "the refresh token has 128 random bits alone"},
		{`{format: opaque, lifetime: 1h, session: never}`, "a session without end"},
		{`{format: opaque, lifetime: 1h, refresh: {lifetime: 1d, rotate: false}}`, "cannot be told from a stolen one"},
		{`{format: opaque, lifetime: 1h, refresh: {lifetime: 1d, grace: 30s}}`, "within 30s of its use goes on with it"},
		{`{format: opaque, lifetime: 1h, one: same}`, "sealed under the master key"},
		{`{format: opaque, lifetime: 1h, one: newest, idle: 1m}`, ""},
		{`{algorithm: HS256, lifetime: 1h, one: newest, ` + jwtClaims + `}`, "a JWT that is followed by another has ended for this server alone"},
		{`{algorithm: HS256, lifetime: 1h, idle: 5m, ` + jwtClaims + `}`, "a JWT that is not used has ended for this server alone"},
	} {
		var got Faults
		for _, w := range loadText(t, withToken(tt.token)).Warnings() {
			if w.Line == 5 && !strings.Contains(w.Message, "to revoke an access key") {
				got = append(got, w)
			}
		}
		if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0].Message, tt.want) || got[0].Hint == "") {
			t.Errorf("%s: warnings\n%v\nwant %q", tt.token, got.Error(), tt.want)
		}
	}
}

// TestClaimsTooLarge: a token that would fit into no header is found at load.
func TestClaimsTooLarge(t *testing.T) {
	token := `{algorithm: HS256, lifetime: 1h, claims: {big: "` + strings.Repeat("x", maxPayload) + `", ` + strings.TrimPrefix(jwtClaims, "claims: {") + `}`
	_, err := Load("test.yaml", []byte(withToken(token)), testOptions())
	if err == nil || !strings.Contains(err.Error(), "fit into no header") {
		t.Errorf("Load() = %v", err)
	}
}
