package oauth2test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A pair is what the password grant gave.
type pair struct{ access, refresh string }

func (w *world) signIn(t testing.TB, client app) pair {
	t.Helper()
	ada := w.person(t, "ada")
	a := w.post(t, "/oauth2/token", client, url.Values{"grant_type": {"password"}, "username": {ada.login}, "password": {ada.password}})
	if a.status != http.StatusOK {
		t.Fatalf("sign-in = %d %s", a.status, a.body)
	}
	return pair{a.text("access_token"), a.text("refresh_token")}
}

// TestNoClient: RFC 6749 section 5.2, RFC 7662 section 2.3. Where no client says who
// it is, that is what is wrong.
func TestNoClient(t *testing.T) {
	w := open(t, "")
	shop := w.app()
	for _, tt := range []struct {
		name, path string
		form       url.Values
	}{
		{"a token for nobody", "/oauth2/token", url.Values{"grant_type": {"client_credentials"}}},
		{"a token without a secret", "/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {shop.id}}},
		{"a token without a name", "/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_secret": {shop.secret}}},
		{"introspection by nobody", "/oauth2/introspect", url.Values{"token": {"x"}}},
		{"introspection without a secret", "/oauth2/introspect", url.Values{"token": {"x"}, "client_id": {shop.id}}},
	} {
		a := w.post(t, tt.path, app{}, tt.form)
		if a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" || a.header.Get("WWW-Authenticate") != `Basic realm="oauth2"` {
			t.Errorf("%s: %d %s, want 401 invalid_client", tt.name, a.status, a.body)
		}
	}
}

// TestRepeatedParameters: RFC 6749 section 3.2.
func TestRepeatedParameters(t *testing.T) {
	w := open(t, "")
	shop, ada := w.app(), w.person(t, "ada")
	for name, form := range map[string]url.Values{
		"grants":    {"grant_type": {"password", "client_credentials"}},
		"one twice": {"grant_type": {"client_credentials", "client_credentials"}},
		"scopes":    {"grant_type": {"client_credentials"}, "scope": {"orders.read", "orders.write"}},
		"passwords": {"grant_type": {"password"}, "username": {ada.login}, "password": {"x", ada.password}},
		"unknown":   {"grant_type": {"client_credentials"}, "resource": {"a", "b"}},
	} {
		if a := w.post(t, "/oauth2/token", shop, form); a.status != http.StatusBadRequest || a.text("error") != "invalid_request" {
			t.Errorf("%s: %d %s, want 400 invalid_request", name, a.status, a.body)
		}
	}
}

// TestIntrospection: RFC 7662, S87. Of what does not hold it says nothing but that.
func TestIntrospection(t *testing.T) {
	w := open(t, "")
	shop, ada := w.app(), w.person(t, "ada")
	held, ended := w.signIn(t, shop), w.signIn(t, app{})
	if a := w.post(t, "/oauth2/revoke", app{}, url.Values{"token": {ended.access}}); a.status != http.StatusOK || a.body != "" {
		t.Fatalf("revocation = %d %q, want 200 and no body", a.status, a.body)
	}
	a := w.post(t, "/oauth2/introspect", shop, url.Values{"token": {held.access}, "token_type_hint": {"access_token"}})
	for name, want := range map[string]any{"active": true, "iss": w.base, "sub": string(ada.id), "username": ada.login, "client_id": shop.id, "token_type": "Bearer"} {
		if a.json[name] != want {
			t.Errorf("%s = %v, want %v", name, a.json[name], want)
		}
	}
	if issued, expires := a.json["iat"], a.json["exp"]; issued == nil || expires.(float64)-issued.(float64) != 900 {
		t.Errorf("iat = %v, exp = %v, want them 900 apart", issued, expires)
	}
	for name, token := range map[string]string{
		"a refresh token": held.refresh, "an ended token": ended.access, "an altered token": altered(held.access), "no token": "x", "one too long": strings.Repeat("x", 9000),
	} {
		if a := w.post(t, "/oauth2/introspect", shop, url.Values{"token": {token}}); a.status != http.StatusOK || a.body != `{"active":false}` {
			t.Errorf("%s: %d %s, want 200 and active false alone", name, a.status, a.body)
		}
	}
	for name, client := range map[string]app{"nobody": {}, "a wrong secret": {shop.id, "wrong"}, "an unknown client": {"nobody", shop.secret}} {
		a := w.post(t, "/oauth2/introspect", client, url.Values{"token": {held.access}})
		if a.status == http.StatusOK || a.json["sub"] != nil || a.json["active"] != nil {
			t.Errorf("%s: %d %s, want a refusal", name, a.status, a.body)
		}
	}
}

// TestRevocation: RFC 7009, S88. It ends what is the client's own, and says no more.
func TestRevocation(t *testing.T) {
	w := open(t, "")
	shop := w.app()
	other := w.newApp(t, "other", "a secret of the other client's own app", "")
	for _, tt := range []struct {
		name   string
		owner  app
		client app
		token  func(pair) string
		hint   string
		ends   bool
	}{
		{"by the access token", shop, shop, func(p pair) string { return p.access }, "access_token", true},
		{"by the refresh token", shop, shop, func(p pair) string { return p.refresh }, "refresh_token", true},
		{"with a wrong hint", shop, shop, func(p pair) string { return p.refresh }, "access_token", true},
		{"of a public client", app{}, app{}, func(p pair) string { return p.access }, "", true},
		{"of another client's", shop, other, func(p pair) string { return p.access }, "", false},
		{"of a client's, by nobody", shop, app{}, func(p pair) string { return p.access }, "", false},
		{"of an unknown token", shop, shop, func(pair) string { return "x" }, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := w.signIn(t, tt.owner)
			form := url.Values{"token": {tt.token(p)}}
			if tt.hint != "" {
				form.Set("token_type_hint", tt.hint)
			}
			for range 2 { // the second time it is over, which is no error
				if a := w.post(t, "/oauth2/revoke", tt.client, form); a.status != http.StatusOK || a.body != "" {
					t.Fatalf("revocation = %d %q, want 200 and no body", a.status, a.body)
				}
			}
			refreshed := w.post(t, "/oauth2/token", tt.owner, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {p.refresh}})
			if ended := w.asked(t, p.access) == ""; ended != tt.ends || (refreshed.status == http.StatusBadRequest) != tt.ends {
				t.Errorf("the access token ended: %v, refresh = %d %s; want both ended: %v", ended, refreshed.status, refreshed.body, tt.ends)
			}
		})
	}
	p := w.signIn(t, shop)
	if a := w.post(t, "/oauth2/revoke", app{shop.id, "wrong"}, url.Values{"token": {p.access}}); a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" {
		t.Errorf("revocation by a client with a wrong secret = %d %s, want 401 invalid_client", a.status, a.body)
	}
	if a := w.post(t, "/oauth2/revoke", shop, url.Values{}); a.status != http.StatusBadRequest || a.text("error") != "invalid_request" {
		t.Errorf("revocation of nothing = %d %s, want 400 invalid_request", a.status, a.body)
	}
	if w.asked(t, p.access) == "" {
		t.Error("it ended all the same")
	}
}

// TestRefreshIsTheClients: a refresh token serves the client that it was given to,
// and nobody else; the attempt does not use it up.
func TestRefreshIsTheClients(t *testing.T) {
	w := open(t, "")
	shop := w.app()
	other := w.newApp(t, "other", "a secret of the other client's own app", "")
	p := w.signIn(t, shop)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {p.refresh}}
	if a := w.post(t, "/oauth2/token", other, form); a.status != http.StatusBadRequest || a.text("error") != "invalid_grant" {
		t.Errorf("another client: %d %s, want 400 invalid_grant (RFC 6749 section 5.2)", a.status, a.body)
	}
	for name, client := range map[string]app{"nobody": {}, "a wrong secret": {shop.id, "wrong"}} {
		if a := w.post(t, "/oauth2/token", client, form); a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" {
			t.Errorf("%s: %d %s, want 401 invalid_client", name, a.status, a.body)
		}
	}
	if a := w.post(t, "/oauth2/token", shop, form); a.status != http.StatusOK {
		t.Errorf("the client itself: %d %s, want 200", a.status, a.body)
	}
}

// TestTokensAreOfOneUse: an access token refreshes nothing and a refresh token opens
// nothing (S28).
func TestTokensAreOfOneUse(t *testing.T) {
	w := open(t, "")
	p := w.signIn(t, app{})
	a := w.post(t, "/oauth2/token", app{}, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {p.access}})
	if a.status != http.StatusBadRequest || a.text("error") != "invalid_grant" {
		t.Errorf("refresh by an access token = %d %s, want 400 invalid_grant", a.status, a.body)
	}
	if who := w.asked(t, p.refresh); who != "" {
		t.Errorf("a refresh token opens the API behind for %s", who)
	}
	if w.asked(t, p.access) == "" {
		t.Error("the access token ended by that")
	}
}

// TestRequests are those of the token endpoint that say nothing sensible (S86).
func TestRequests(t *testing.T) {
	w := open(t, "")
	for _, tt := range []struct {
		name, mediaType, body string
		code                  string
	}{
		{"no grant_type", "application/x-www-form-urlencoded", "username=a&password=b", "invalid_request"},
		{"an unknown grant", "application/x-www-form-urlencoded", "grant_type=implicit", "unsupported_grant_type"},
		{"no user name", "application/x-www-form-urlencoded", "grant_type=password&password=b", "invalid_request"},
		{"an empty password", "application/x-www-form-urlencoded", "grant_type=password&username=a&password=", "invalid_request"},
		{"no refresh token", "application/x-www-form-urlencoded", "grant_type=refresh_token", "invalid_request"},
		{"JSON", "application/json", `{"grant_type":"password"}`, "invalid_request"},
		{"nothing", "", "", "invalid_request"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.base+"/oauth2/token", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if tt.mediaType != "" {
			r.Header.Set("Content-Type", tt.mediaType)
		}
		a := send(t, r)
		if a.status != http.StatusBadRequest || a.text("error") != tt.code {
			t.Errorf("%s: %d %s, want 400 %s", tt.name, a.status, a.body, tt.code)
		}
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
			t.Errorf("%s: headers %v, want it kept out of caches", tt.name, a.header)
		}
	}
}

// TestMetadata: RFC 8414; both documents say the same, and neither offers the
// password grant (S89).
func TestMetadata(t *testing.T) {
	w := open(t, "/partners")
	document := func(name string) answer {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+"/.well-known/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		return send(t, r)
	}
	server, openID := document("oauth-authorization-server"), document("openid-configuration")
	for name, want := range map[string]string{
		"issuer": w.base, "token_endpoint": w.base + "/oauth2/token", "jwks_uri": w.base + "/oauth2/jwks",
		"introspection_endpoint": w.base + "/oauth2/introspect", "revocation_endpoint": w.base + "/oauth2/revoke",
	} {
		if server.json[name] != want || openID.json[name] != want {
			t.Errorf("%s = %v and %v, want %s", name, server.json[name], openID.json[name], want)
		}
	}
	grants, _ := server.json["grant_types_supported"].([]any)
	if slices.Contains(grants, "password") || strings.Contains(server.body+openID.body, `"password"`) || len(grants) != 2 {
		t.Errorf("grant_types_supported = %v, want client_credentials and refresh_token alone", grants)
	}
	for name, value := range server.json {
		if _, there := openID.json[name]; !there {
			t.Errorf("openid-configuration lacks %s: %v", name, value)
		}
	}
}

// TestMint proves S22 here: of all paths the token endpoint alone gives tokens,
// whatever they are sent.
func TestMint(t *testing.T) {
	w := open(t, "")
	ada, shop := w.person(t, "ada"), w.app()
	token := regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)
	var minting []string
	for _, route := range w.dialect.Paths() {
		method, path, _ := strings.Cut(route, " ")
		for _, grant := range []string{"password", "client_credentials", "refresh_token"} {
			held := w.signIn(t, shop)
			form := url.Values{
				"grant_type": {grant}, "username": {ada.login}, "password": {ada.password}, "refresh_token": {held.refresh},
				"client_id": {shop.id}, "client_secret": {shop.secret}, "token": {held.refresh},
			}
			r, err := http.NewRequestWithContext(t.Context(), method, w.base+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Authorization", "Bearer "+held.access)
			if a := send(t, r); token.MatchString(a.body) {
				minting = append(minting, route+" "+grant)
			}
		}
	}
	want := []string{"POST /oauth2/token password", "POST /oauth2/token client_credentials", "POST /oauth2/token refresh_token"}
	if !slices.Equal(minting, want) {
		t.Errorf("of %q mint %q, want %q", w.dialect.Paths(), minting, want)
	}
}

// TestRevocationIsNoFalseSuccess: while the store cannot write, nothing is said to
// have ended (S88).
func TestRevocationIsNoFalseSuccess(t *testing.T) {
	w := open(t, "")
	shop := w.app()
	p := w.signIn(t, shop)
	release := w.lock(t)
	a := w.post(t, "/oauth2/revoke", shop, url.Values{"token": {p.access}})
	release()
	if a.status != http.StatusServiceUnavailable || a.text("error") != "temporarily_unavailable" || a.header.Get("Retry-After") == "" {
		t.Errorf("revocation without a store = %d %s, want 503 temporarily_unavailable", a.status, a.body)
	}
	if w.asked(t, p.access) == "" {
		t.Error("the token ended all the same")
	}
}
