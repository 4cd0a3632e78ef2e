package oauth2test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	chancery "github.com/chancery-auth/chancery"
)

// TestProvider has go-oidc find the endpoints and keys by the metadata, at the root
// and under a prefix, and verify a token as a resource server would.
func TestProvider(t *testing.T) {
	for _, prefix := range []string{"", "/partners"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			w := open(t, prefix)
			ada, shop := w.person(t, "ada"), w.app()
			provider, err := oidc.NewProvider(t.Context(), w.base)
			if err != nil {
				t.Fatal(err)
			}
			config := oauth2.Config{ClientID: shop.id, ClientSecret: shop.secret, Endpoint: provider.Endpoint(), Scopes: []string{"orders.read"}}
			token, err := config.PasswordCredentialsToken(t.Context(), ada.login, ada.password)
			if err != nil {
				t.Fatal(err)
			}
			verified, err := provider.VerifierContext(t.Context(), &oidc.Config{ClientID: w.base}).Verify(t.Context(), token.AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				ClientID string `json:"client_id"`
				Scope    string `json:"scope"`
				ID       string `json:"jti"`
			}
			if err := verified.Claims(&claims); err != nil {
				t.Fatal(err)
			}
			if verified.Issuer != w.base || verified.Subject != string(ada.id) || claims.ClientID != shop.id || claims.Scope != "orders.read" || claims.ID == "" {
				t.Errorf("verified = %+v, claims = %+v", verified, claims)
			}
			if life := verified.Expiry.Sub(verified.IssuedAt); life != 15*time.Minute {
				t.Errorf("it lives for %v, want 15 minutes", life)
			}
			if _, err := provider.Verifier(&oidc.Config{ClientID: "https://other.example"}).Verify(t.Context(), token.AccessToken); err == nil {
				t.Error("it is taken for another audience")
			}
			if _, err := provider.Verifier(&oidc.Config{ClientID: w.base}).Verify(t.Context(), altered(token.AccessToken)); err == nil {
				t.Error("it is taken though it was altered")
			}
		})
	}
}

// TestIssuerIsExact: a library that was told another spelling of the issuer refuses
// it, as the metadata has the one that tokens have (S89).
func TestIssuerIsExact(t *testing.T) {
	w := open(t, "/partners")
	for _, issuer := range []string{w.base + "/", strings.Replace(w.base, "127.0.0.1", "localhost", 1)} {
		if _, err := oidc.NewProvider(t.Context(), issuer); err == nil {
			t.Errorf("NewProvider(%s) takes the issuer %s", issuer, w.base)
		}
	}
}

// TestAudience: tokens are for the audience that the operator names, and the server
// itself takes no others.
func TestAudience(t *testing.T) {
	w := open(t, "", func(c *chancery.Config) { c.Serve[0].Settings = map[string]any{"audience": "https://api.example"} })
	provider, err := oidc.NewProvider(t.Context(), w.base)
	if err != nil {
		t.Fatal(err)
	}
	token := w.post(t, "/oauth2/token", w.app(), url.Values{"grant_type": {"client_credentials"}}).text("access_token")
	verified, err := provider.Verifier(&oidc.Config{ClientID: "https://api.example"}).Verify(t.Context(), token)
	if err != nil || w.asked(t, token) != w.person(t, "shop").id {
		t.Errorf("Verify() = %+v, %v, and the API behind is asked for %q", verified, err, w.asked(t, token))
	}
}

// altered is a token with another signature.
func altered(token string) string {
	last := token[len(token)-10]
	other := byte('A')
	if last == 'A' {
		other = 'B'
	}
	return token[:len(token)-10] + string(other) + token[len(token)-9:]
}
