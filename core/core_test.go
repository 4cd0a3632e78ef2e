package core

import (
	"bytes"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestKindTree(t *testing.T) {
	for _, tt := range []struct {
		kind, ancestor Kind
		want           bool
	}{
		{TokenExpired, Unauthorized, true},
		{TokenExpired, TokenInvalid, true},
		{TokenExpired, TokenExpired, true},
		{TokenInvalid, TokenExpired, false},
		{TokenMissing, TokenInvalid, false},
		{BodyMissing, InvalidRequest, true},
		{KeyPending, BadCredentials, true},
		{MFARequired, BadCredentials, true}, // unworded, an account with a second factor is refused
		{RefreshReused, Unauthorized, true},
		{SubjectInvalid, Unauthorized, false},
		{Kind("made up"), Internal, false},
	} {
		if got := tt.kind.IsA(tt.ancestor); got != tt.want {
			t.Errorf("%s.IsA(%s) = %v, want %v", tt.kind, tt.ancestor, got, tt.want)
		}
	}
	seen := map[Kind]bool{}
	for _, kind := range Kinds() {
		if seen[kind] {
			t.Errorf("%s is listed twice", kind)
		}
		if parent := kind.Parent(); parent != "" && !seen[parent] {
			t.Errorf("%s comes before its parent %s", kind, parent)
		}
		seen[kind] = true
	}
}

func TestUsableKey(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		key  AccessKey
		want Kind
	}{
		{"active", AccessKey{State: KeyStateActive, ExpiresAt: now.Add(1)}, ""},
		{"active without an end", AccessKey{State: KeyStateActive}, ""},
		{"the last instant is too late", AccessKey{State: KeyStateActive, ExpiresAt: now}, KeyExpired},
		{"pending comes before expired", AccessKey{State: KeyStatePending, ExpiresAt: now}, KeyPending},
		{"revoked", AccessKey{State: KeyStateRevoked, ExpiresAt: now.Add(1)}, KeyRevoked},
		{"a state from the future of this program", AccessKey{State: "dormant"}, KeyRevoked},
		{"no state", AccessKey{}, KeyRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := KindOf(tt.key.Usable(now)); got != tt.want {
				t.Errorf("Usable() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSessionLive(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		session Session
		want    Kind
	}{
		{"without an end", Session{}, ""},
		{"before its end", Session{ExpiresAt: now.Add(1)}, ""},
		{"the last instant is too late", Session{ExpiresAt: now}, TokenExpired},
		{"ended comes before over", Session{EndedAt: now, ExpiresAt: now}, TokenRevoked},
		{"used of late", Session{Idle: time.Minute, SeenAt: now.Add(-time.Minute + 1)}, ""},
		{"idle", Session{Idle: time.Minute, SeenAt: now.Add(-time.Minute)}, TokenExpired},
		{"unused, but it may be", Session{SeenAt: now.Add(-time.Hour)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := KindOf(tt.session.Live(now)); got != tt.want {
				t.Errorf("Live() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNewAuthorityRefuses(t *testing.T) {
	policy := func(change func(*Policy)) map[string]Policy {
		p := Policy{Name: "access", Lifetime: time.Hour, AccountClaim: "sub"}
		change(&p)
		return map[string]Policy{"access": p}
	}
	for _, tt := range []struct {
		name  string
		terms Terms
		want  Kind
	}{
		{"nothing", Terms{Policies: policy(func(*Policy) {})}, ""},
		{"tracked tokens without a store", Terms{Policies: policy(func(p *Policy) { p.Tracked = true })}, Internal},
		{"opaque tokens without a store", Terms{Policies: policy(func(p *Policy) { p.Format, p.AccountClaim = FormatOpaque, "" })}, Internal},
		{"refresh tokens without a store", Terms{Policies: policy(func(p *Policy) { p.Refresh = &RefreshPolicy{Lifetime: time.Hour} })}, Internal},
		{"idle without a store", Terms{Policies: policy(func(p *Policy) { p.Idle = time.Hour })}, Internal},
		{"half a second", Terms{Policies: policy(func(p *Policy) { p.Lifetime = time.Second / 2 })}, InvalidRequest},
		{"a second and a half", Terms{Policies: policy(func(p *Policy) { p.Lifetime = 3 * time.Second / 2 })}, InvalidRequest},
		{"for nobody", Terms{Policies: policy(func(p *Policy) { p.AccountClaim = "" })}, InvalidRequest},
		{"signed without an end", Terms{Policies: policy(func(p *Policy) { p.Endless = true })}, InvalidRequest},
		{"bounds that cross", Terms{Policies: policy(func(p *Policy) { p.LeastLifetime, p.MostLifetime = time.Hour, time.Minute })}, InvalidRequest},
		{"no least lifetime", Terms{Policies: policy(func(p *Policy) { p.MostLifetime = time.Minute })}, InvalidRequest},
		{"half a session", Terms{Policies: policy(func(p *Policy) { p.Session = time.Second / 2 })}, InvalidRequest},
		{"idle for less than nothing", Terms{Policies: policy(func(p *Policy) { p.Idle = -1 })}, InvalidRequest},
		{"refresh tokens without a life", Terms{Policies: policy(func(p *Policy) { p.Refresh = &RefreshPolicy{} })}, InvalidRequest},
		{"sessions by a device, any number of them", Terms{Policies: policy(func(p *Policy) { p.SlotBy = "device" })}, InvalidRequest},
		{"too much grace for refresh tokens", Terms{Policies: policy(func(p *Policy) {
			p.Refresh = &RefreshPolicy{Lifetime: time.Hour, Grace: MaxGrace + 1}
		})}, InvalidRequest},
		{"refresh tokens that can be guessed", Terms{Policies: policy(func(p *Policy) {
			p.Refresh = &RefreshPolicy{Lifetime: time.Hour, Opaque: Opaque{Form: "hex8"}}
		})}, InvalidRequest},
		{"opaque tokens that can be guessed", Terms{Policies: policy(func(p *Policy) { p.Format, p.Opaque.Form = FormatOpaque, "base64_15" })}, InvalidRequest},
		{"a form that is unknown", Terms{Policies: policy(func(p *Policy) { p.Format, p.Opaque.Form = FormatOpaque, "base32" })}, InvalidRequest},
		{"an order of what is not there", Terms{Order: []string{"access"}}, InvalidRequest},
		{"the same token again without a sealer", Terms{Policies: policy(func(p *Policy) { p.Slot = SlotSame })}, Internal},
		{"second factors without a store", Terms{AskSecondFactor: true}, Internal},
		{"recovery for a second", Terms{TicketLifetimes: map[Purpose]time.Duration{PurposeRecovery: time.Second}}, InvalidRequest},
		{"verification for two days", Terms{TicketLifetimes: map[Purpose]time.Duration{PurposeVerification: 48 * time.Hour}}, InvalidRequest},
		{"a challenge for an hour", Terms{TicketLifetimes: map[Purpose]time.Duration{PurposeChallenge: time.Hour}}, InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			authority, err := NewAuthority(Deps{}, tt.terms)
			if KindOf(err) != tt.want {
				t.Fatalf("NewAuthority() = %v, want kind %q", err, tt.want)
			}
			if err == nil && authority.Terms().TicketLifetimes[PurposeChallenge] != 5*time.Minute {
				t.Errorf("lifetimes %v", authority.Terms().TicketLifetimes)
			}
		})
	}
}

// The key set is that of the signed policies, each family once, in the file's order.
func TestKeySet(t *testing.T) {
	one := KeySet{Realm: "demo", Algorithm: "ES256"}
	two := KeySet{Realm: "demo", Algorithm: "EdDSA"}
	terms := Terms{
		Policies: map[string]Policy{
			"a": {Keys: two, Lifetime: time.Hour, AccountClaim: "sub"},
			"b": {Keys: one, Lifetime: time.Hour, AccountClaim: "sub"},
			"c": {Keys: two, Lifetime: time.Hour, AccountClaim: "sub"},
			"d": {Format: FormatOpaque, Lifetime: time.Hour},
		},
		Order: []string{"d", "b", "a", "c"},
	}
	published := &publisher{}
	deps := Deps{Sessions: noSessions{}, Tokens: noTokens{}}
	authority, err := NewAuthority(deps, terms)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authority.KeySet(); KindOf(err) != Internal {
		t.Errorf("KeySet() without a publisher: %v", err)
	}
	deps.Publisher = published
	if authority, err = NewAuthority(deps, terms); err != nil {
		t.Fatal(err)
	}
	if set, err := authority.KeySet(); string(set) != "{}" || err != nil {
		t.Errorf("KeySet() = %q, %v", set, err)
	}
	if !slices.Equal(published.sets, []KeySet{one, two}) {
		t.Errorf("published are %v, want %v", published.sets, []KeySet{one, two})
	}
}

type (
	noSessions struct{ Sessions }
	noTokens   struct{ Tokens }
	publisher  struct{ sets []KeySet }
)

func (p *publisher) KeySet(sets []KeySet) ([]byte, error) {
	p.sets = sets
	return []byte("{}"), nil
}

func TestCanonical(t *testing.T) {
	for _, tt := range []struct {
		login string
		want  CanonicalLogin
		kind  Kind
	}{
		{"Ada@Example.COM", "ada@example.com", ""},
		{" blanks stay ", " blanks stay ", ""},
		{"İstanbul", "İstanbul", ""},
		{"K\u212Aelvin", "k\u212Aelvin", ""}, // the Kelvin sign is no k
		{"straße", "straße", ""},
		{"ÄÖ", "ÄÖ", ""},
		{"", "", InvalidRequest},
		{"a\x00b", "", InvalidRequest},
		{"a\nb", "", InvalidRequest},
		{"a\u0085b", "", InvalidRequest},
		{"\xff", "", InvalidRequest},
		{strings.Repeat("a", 320), CanonicalLogin(strings.Repeat("a", 320)), ""},
		{strings.Repeat("a", 321), "", InvalidRequest},
	} {
		got, err := Canonical(tt.login)
		if got != tt.want || KindOf(err) != tt.kind {
			t.Errorf("Canonical(%q) = %q, %v; want %q, kind %q", tt.login, got, err, tt.want, tt.kind)
		}
	}
}

// S14: generated secrets carry 256 random bits, and those of Chancery's own form
// a prefix and a checksum that scanners can tell.
func TestGeneratedCredentials(t *testing.T) {
	for _, tt := range []struct {
		form               KeyForm
		identifier, secret string
	}{
		{KeyForm{}, `^chk_[A-Z2-7]{26}$`, `^chs_[0-9A-Za-z]{49}$`},
		{KeyForm{Identifier: "hex20", Secret: "base64_36"}, `^[0-9a-f]{40}$`, `^[0-9A-Za-z+/]{48}$`},
		{KeyForm{Identifier: "base64_15", Secret: "hex32"}, `^[0-9A-Za-z+/]{20}$`, `^[0-9a-f]{64}$`},
		{KeyForm{Identifier: "base62_16", Secret: "base64url_32"}, `^[0-9A-Za-z]{22}$`, `^[0-9A-Za-z_-]{43}$`},
		{KeyForm{Identifier: "base64url_10", Secret: "base62_32"}, `^[0-9A-Za-z_-]{14}$`, `^[0-9A-Za-z]{43}$`},
	} {
		if err := tt.form.Validate(); err != nil {
			t.Errorf("%v: %v", tt.form, err)
		}
		identifier, secret := tt.form.newIdentifier(), tt.form.newSecret().Reveal()
		if !regexp.MustCompile(tt.identifier).MatchString(identifier) {
			t.Errorf("%v: identifier %q, want %s", tt.form, identifier, tt.identifier)
		}
		if !regexp.MustCompile(tt.secret).MatchString(secret) {
			t.Errorf("%v: secret %q, want %s", tt.form, secret, tt.secret)
		}
		if again := tt.form.newSecret().Reveal(); again == secret {
			t.Errorf("%v: the same secret twice", tt.form)
		}
	}
	own := KeyForm{}.newSecret().Reveal()
	if !LooksLikeSecret(own) {
		t.Errorf("LooksLikeSecret(%q) = false", own)
	}
	for _, forged := range []string{own[:len(own)-1], own + "a", "chx_" + own[4:], own[:10] + flip(own[10]) + own[11:], ""} {
		if LooksLikeSecret(forged) {
			t.Errorf("LooksLikeSecret(%q) = true", forged)
		}
	}
	for _, form := range []KeyForm{{Identifier: "hex7"}, {Secret: "hex31"}, {Secret: "base32_40"}, {Identifier: "hex"}, {Secret: "hex0040"}} {
		if form.Validate() == nil {
			t.Errorf("%v passes", form)
		}
	}
}

// What is random is as long for the least bytes as for the greatest.
func TestOpaqueSize(t *testing.T) {
	for form, want := range map[string][2]int{
		"": {256, 43}, "base62": {256, 43}, "uuid": {122, 36}, "hex16": {128, 32},
		"base64_32": {256, 44}, "base64url_32": {256, 43}, "base62_16": {128, 22}, "base62_32": {256, 43}, "base62_48": {384, 65},
	} {
		bits, width, ok := Opaque{Form: form}.Size()
		if !ok || bits != want[0] || width != want[1] {
			t.Errorf("Size of %q: %d bits in %d characters, %v; want %v", form, bits, width, ok, want)
		}
		if random := (Opaque{Form: form}).random(); len(random) != width {
			t.Errorf("%q: %q has %d characters, want %d", form, random, len(random), width)
		}
	}
	for n := 1; n < 200; n++ { // the greatest number fits
		most := bytes.Repeat([]byte{255}, n)
		text := written("base62_", most)
		if back, ok := new(big.Int).SetString(swapCase(text), 62); !ok || !bytes.Equal(back.Bytes(), most) {
			t.Errorf("%d bytes are written as %q", n, text)
		}
	}
	for _, form := range []string{"hex", "base32_20", "base64url", "base62_0"} {
		if _, _, ok := (Opaque{Form: form}).Size(); ok {
			t.Errorf("the form %q is known", form)
		}
	}
}

// swapCase turns Chancery's digits of base 62 into those of package big.
func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, text)
}

func flip(b byte) string {
	if b == 'a' {
		return "b"
	}
	return "a"
}

func TestTicketUsable(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ticket := Ticket{IssuedAt: now.Add(-time.Minute), ExpiresAt: now.Add(time.Minute)}
	for _, tt := range []struct {
		name    string
		ticket  func(*Ticket)
		account Account
		want    Kind
	}{
		{"fresh", nil, Account{Active: true}, ""},
		{"the last instant is too late", func(t *Ticket) { t.ExpiresAt = now }, Account{Active: true}, TicketExpired},
		{"used", func(t *Ticket) { t.UsedAt = now }, Account{Active: true}, TicketUsed},
		{"older than a change of password", nil, Account{Active: true, TicketsFrom: now}, TicketUsed},
		{"as old as a change of password", nil, Account{Active: true, TicketsFrom: now.Add(-time.Minute)}, TicketUsed},
		{"younger than a change of password", nil, Account{Active: true, TicketsFrom: now.Add(-2 * time.Minute)}, ""},
		{"inactive account", nil, Account{}, TicketInactive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ticket := ticket
			if tt.ticket != nil {
				tt.ticket(&ticket)
			}
			if got := KindOf(ticket.Usable(tt.account, now)); got != tt.want {
				t.Errorf("Usable() = %q, want %q", got, tt.want)
			}
		})
	}
}
