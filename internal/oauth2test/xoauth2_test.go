package oauth2test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/chancery-auth/chancery/core"
)

// styles are the ways in which x/oauth2 sends the client.
var styles = []struct {
	name  string
	style oauth2.AuthStyle
}{
	{"in the header", oauth2.AuthStyleInHeader},
	{"in the body", oauth2.AuthStyleInParams},
	{"found out", oauth2.AuthStyleAutoDetect},
}

// apps are clients whose credentials are harder and harder to write.
var apps = []app{
	{"web", "a secret of nothing but plain letters"},
	{"mobile app: 50%+", `100% "secret" & more: é=ü+ß / ?# ;,~`},
}

func TestClientCredentials(t *testing.T) {
	w := open(t, "")
	shop := w.person(t, "shop")
	for _, a := range apps {
		w.newApp(t, a.id, a.secret, "read write")
		for _, style := range styles {
			t.Run(a.id+" "+style.name, func(t *testing.T) {
				config := clientcredentials.Config{
					ClientID: a.id, ClientSecret: a.secret, TokenURL: w.base + "/oauth2/token",
					Scopes: []string{"write", "read"}, AuthStyle: style.style,
				}
				token, err := config.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if token.TokenType != "Bearer" || token.RefreshToken != "" || token.Extra("scope") != "write read" {
					t.Errorf("token = %+v, want a Bearer with the scope write read and no refresh token", token)
				}
				if life := time.Until(token.Expiry); life < 14*time.Minute || life > 15*time.Minute {
					t.Errorf("it lives for %v, want 15 minutes", life)
				}
				reply, err := config.Client(t.Context()).Get(w.api)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = reply.Body.Close() }()
				if who, err := io.ReadAll(reply.Body); err != nil || core.AccountID(who) != shop.id {
					t.Errorf("the API behind was asked for %s, %v, want %s", who, err, shop.id)
				}
			})
		}
	}
}

func TestPasswordAndRefresh(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) { passwordAndRefresh(t, open(t, "", engine.use(t))) })
	}
}

func passwordAndRefresh(t *testing.T, w *world) {
	ada := w.person(t, "ada")
	clients := append([]app{{"", ""}, {"public", ""}}, apps...)
	for _, a := range clients {
		if a.secret != "" {
			w.newApp(t, a.id, a.secret, "read write")
		}
		for _, style := range styles {
			t.Run("by "+a.id+" "+style.name, func(t *testing.T) {
				config := oauth2.Config{ClientID: a.id, ClientSecret: a.secret, Endpoint: oauth2.Endpoint{TokenURL: w.base + "/oauth2/token", AuthStyle: style.style}}
				if a.secret != "" {
					config.Scopes = []string{"read"}
				}
				first, err := config.PasswordCredentialsToken(t.Context(), ada.login, ada.password)
				if err != nil {
					t.Fatal(err)
				}
				if who := w.asked(t, first.AccessToken); who != ada.id || first.TokenType != "Bearer" || first.RefreshToken == "" {
					t.Fatalf("token = %+v for %q, want a Bearer with a refresh token for %s", first, who, ada.id)
				}
				second := refreshed(t, &config, first)
				third := refreshed(t, &config, second)
				if a.secret != "" && third.Extra("scope") != "read" {
					t.Errorf("scope = %v after two refreshes, want read", third.Extra("scope"))
				}
				for _, token := range []*oauth2.Token{first, second, third} {
					if who := w.asked(t, token.AccessToken); who != ada.id {
						t.Errorf("the API behind was asked for %q, want %s", who, ada.id)
					}
				}
				// A refresh token that comes again was stolen: the whole family ends.
				for _, token := range []*oauth2.Token{first, third} {
					wantRefused(t, tokenAgain(t, &config, token), http.StatusBadRequest, "invalid_grant")
				}
				for _, token := range []*oauth2.Token{first, second, third} {
					if who := w.asked(t, token.AccessToken); who != "" {
						t.Errorf("the API behind was asked for %s after a refresh token was used twice", who)
					}
				}
			})
		}
	}
}

// refreshed is the token that x/oauth2 gets by itself once token is over.
func refreshed(t *testing.T, config *oauth2.Config, token *oauth2.Token) *oauth2.Token {
	t.Helper()
	next, err := config.TokenSource(t.Context(), over(token)).Token()
	if err != nil {
		t.Fatal(err)
	}
	if next.AccessToken == token.AccessToken || next.RefreshToken == token.RefreshToken || next.RefreshToken == "" {
		t.Fatalf("after %+v came %+v, want another pair", token, next)
	}
	return next
}

func tokenAgain(t *testing.T, config *oauth2.Config, token *oauth2.Token) error {
	t.Helper()
	_, err := config.TokenSource(t.Context(), over(token)).Token()
	return err
}

func over(token *oauth2.Token) *oauth2.Token {
	return &oauth2.Token{RefreshToken: token.RefreshToken, AccessToken: token.AccessToken, Expiry: time.Now().Add(-time.Minute)}
}

// wantRefused wants an error as RFC 6749 section 5.2 has it.
func wantRefused(t *testing.T, err error, status int, code string) {
	t.Helper()
	refusal, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || refusal.Response.StatusCode != status || refusal.ErrorCode != code {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

func TestRefusals(t *testing.T) {
	w := open(t, "")
	ada, leaver, shop := w.person(t, "ada"), w.person(t, "leaver"), w.app()
	for _, style := range styles {
		t.Run(style.name, func(t *testing.T) {
			endpoint := oauth2.Endpoint{TokenURL: w.base + "/oauth2/token", AuthStyle: style.style}
			service := func(a app, scopes ...string) error {
				config := clientcredentials.Config{ClientID: a.id, ClientSecret: a.secret, TokenURL: endpoint.TokenURL, AuthStyle: style.style, Scopes: scopes}
				_, err := config.Token(t.Context())
				return err
			}
			password := func(a app, login, password string, scopes ...string) error {
				config := oauth2.Config{ClientID: a.id, ClientSecret: a.secret, Endpoint: endpoint, Scopes: scopes}
				_, err := config.PasswordCredentialsToken(t.Context(), login, password)
				return err
			}
			for _, tt := range []struct {
				name   string
				err    error
				status int
				code   string
			}{
				{"an unknown client", service(app{"nobody", shop.secret}), 401, "invalid_client"},
				{"a wrong secret", service(app{shop.id, "wrong"}), 401, "invalid_client"},
				{"a scope too many", service(shop, "orders.read", "admin"), 400, "invalid_scope"},
				{"a wrong password", password(shop, ada.login, "wrong"), 400, "invalid_grant"},
				{"an unknown login", password(shop, "nobody@example.com", ada.password), 400, "invalid_grant"},
				{"an inactive account", password(shop, leaver.login, leaver.password), 400, "invalid_grant"},
				{"a wrong secret beside a right password", password(app{shop.id, "wrong"}, ada.login, ada.password), 401, "invalid_client"},
				{"a scope of a public client", password(app{}, ada.login, ada.password, "orders.read"), 400, "invalid_scope"},
				{"a scope too many for the client", password(shop, ada.login, ada.password, "admin"), 400, "invalid_scope"},
			} {
				t.Run(tt.name, func(t *testing.T) { wantRefused(t, tt.err, tt.status, tt.code) })
			}
		})
	}
	for _, secret := range []string{shop.secret, ada.password} {
		if strings.Contains(w.logs.String(), secret) {
			t.Errorf("the log has the secret %q", secret)
		}
	}
}
