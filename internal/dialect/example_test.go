package dialect

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// A desk decides as the core would, on the samples of a dialect's own file: enough
// to see every example answered without the rest of the server.
type desk struct {
	*Dialect
	now time.Time
}

func (d desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := d.Match(r)
	call.RequestID = "r1"
	if to := call.Redirect(); to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	result, err := d.serve(call, r)
	if err != nil {
		call.Refuse(w, err)
		return
	}
	_ = call.Encode(w, result)
}

func (d desk) serve(call *Call, r *http.Request) (Result, error) {
	if err := call.Err(); err != nil {
		return Result{}, err
	}
	if err := call.Decode(r); err != nil {
		return Result{}, err
	}
	in := call.Inputs()
	switch call.Operation() {
	case Authenticate:
		return d.authenticate(in)
	case Whoami:
		return d.whoami(r)
	case ResetPassword:
		return Result{}, &core.Error{Kind: core.TicketUnknown}
	}
	return Result{}, nil
}

func (d desk) authenticate(in Inputs) (Result, error) {
	owner, key, secret := d.find(in)
	switch {
	case owner == nil:
		return Result{}, &core.Error{Kind: core.Unknown}
	case in.Secret.Reveal() != secret.Reveal():
		return Result{}, &core.Error{Kind: core.BadSecret}
	}
	if key != nil {
		if err := key.Usable(d.now); err != nil {
			return Result{}, err
		}
	}
	switch {
	case !owner.Active:
		return Result{}, &core.Error{Kind: core.Inactive}
	case !owner.Verified && !d.Terms().AdmitUnverified:
		return Result{}, &core.Error{Kind: core.Unverified}
	}
	policy := d.Terms().Policies[in.Policy]
	token := &core.Token{Value: core.NewSecret("e30.e30.c2ln"), Grant: core.Grant{
		Issuer: "https://issuer.example", Account: *owner, Key: key, TokenID: "id", IssuedAt: d.now, ExpiresAt: d.now.Add(policy.Lifetime)}}
	return Result{Token: token}, nil
}

func (d desk) find(in Inputs) (owner *core.Account, key *core.AccessKey, secret core.Secret) {
	samples := d.Samples()
	for i := range samples.Keys {
		k := &samples.Keys[i]
		if in.As[0] == core.SubjectKey && k.Key.Identifier == in.Identifier {
			key, secret = &k.Key, k.Secret
		}
	}
	for i := range samples.Accounts {
		a := &samples.Accounts[i]
		switch {
		case key != nil && key.Account == a.Account.ID:
			owner = &a.Account
		case key == nil && in.As[0] == core.SubjectAccount && strings.EqualFold(a.Account.Login, in.Identifier):
			owner, secret = &a.Account, a.Password
		}
	}
	return owner, key, secret
}

func (d desk) whoami(r *http.Request) (Result, error) {
	token, err := d.Bearer(r)
	if err != nil {
		return Result{}, err
	}
	for _, a := range d.Samples().Accounts {
		if token.Reveal() == "token-of-"+a.Sample {
			return Result{Identity: &core.Identity{Account: a.Account, IssuedAt: d.now, ExpiresAt: d.now.Add(time.Hour)}}, nil
		}
	}
	return Result{}, &core.Error{Kind: core.TokenInvalid}
}

func sampleToken(sample string) (string, error) { return "token-of-" + sample, nil }

// noRedirects is a client that shows redirects instead of following them.
var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func TestExamples(t *testing.T) {
	for _, name := range all {
		d := load(t, name, nil)
		server := httptest.NewServer(desk{d, testTime})
		defer server.Close()
		results := d.RunExamples(context.Background(), noRedirects, server.URL, sampleToken)
		if len(results) < 10 {
			t.Errorf("%s has %d examples, want at least 10", name, len(results))
		}
		for _, result := range results {
			if result.Diff != "" {
				t.Errorf("%s: %s:\n%s", name, result.Example.Name, result.Diff)
			}
		}
	}
}

// TestExamplesFail: a file whose words differ from its examples is told which bytes
// differ; order, types and headers count.
func TestExamplesFail(t *testing.T) {
	for _, tt := range []struct{ old, changed, example, want string }{
		{"detail: LOGIN_USER_NOT_VERIFIED", "detail: LOGIN_USER_NOT_VERIFIED!", "unverified account", `got  {"detail":"LOGIN_USER_NOT_VERIFIED!"}`},
		{"        access_token: ${token.value}\n        token_type: bearer\n", "        token_type: bearer\n        access_token: ${token.value}\n", "login", `want {"access_token":"e30.e30.c2ln","token_type":"bearer"}`},
		{"access_token: ${token.value}", "access_token: no jwt", "login", `want {"access_token":"<jwt>"`},
		{"method_not_allowed: {status: 405, json", "method_not_allowed: {status: 405, type: text/json, json", "", ""},
	} {
		source := strings.Replace(fileText(t, "kyc"), tt.old, tt.changed, 1)
		if source == fileText(t, "kyc") {
			t.Fatalf("kyc.yaml lacks %q", tt.old)
		}
		server := httptest.NewServer(desk{loadText(t, source), testTime})
		defer server.Close()
		var diff string
		for _, result := range loadText(t, source).RunExamples(t.Context(), noRedirects, server.URL, sampleToken) {
			if result.Example.Name == tt.example {
				diff = result.Diff
			} else if tt.example == "" && result.Diff != "" {
				t.Errorf("%s: %s", result.Example.Name, result.Diff)
			}
		}
		if !strings.Contains(diff, tt.want) {
			t.Errorf("%s: Diff = %q, want %q", tt.changed, diff, tt.want)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	for _, tt := range []struct {
		want, got string
		same      bool
	}{
		{`{"a":"<any>","b":"<integer>"}`, `{"a":[1],"b":7}`, true},
		{`{"b":"<integer>"}`, `{"b":"7"}`, false},
		{`{"b":"<integer>"}`, `{"b":7.5}`, false},
		{`{"a":"<uuid>"}`, `{"a":"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6"}`, true},
		{`{"a":"<uuid>"}`, `{"a":"65D0F5C9"}`, false},
		{`{"a":"<iso>"}`, `{"a":"2026-01-31T09:30:00.123456Z"}`, true},
		{`{"a":"in <integer> s"}`, `{"a":"in 15 s"}`, true},
		{`{"a":"in <integer> s"}`, `{"a":"in a s"}`, false},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, false},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1}`, `{"a": 1}`, false},
		{`{"a":null}`, `{}`, false},
		{`["<any>"]`, `["x","y"]`, false},
		{`{"a":"<other>"}`, `{"a":"<other>"}`, true},
	} {
		e := Example{Status: 200, ReplyJSON: []byte(tt.want)}
		if diff := e.Compare(200, http.Header{}, []byte(tt.got)); (diff == "") != tt.same {
			t.Errorf("Compare(%s, %s) = %q", tt.want, tt.got, diff)
		}
	}
}

// TestCompareHeaders: one text is held to all that a header says, a list to each time
// that it comes, in order.
func TestCompareHeaders(t *testing.T) {
	for _, tt := range []struct {
		want string
		got  []string
		diff string
	}{
		{"a=1", []string{"a=1"}, ""},
		{"'a=1, b=<token>'", []string{"a=1", "b=x"}, ""},
		{"[a=1, b=<token>]", []string{"a=1", "b=x"}, ""},
		{"[a=1, b=2]", []string{"b=2", "a=1"}, `got "b=2", "a=1", want "a=1", "b=2"`},
		{"[a=1, b=2]", []string{"a=1"}, `got "a=1", want "a=1", "b=2"`},
		{"[a=1, b=2]", []string{"a=1, b=2"}, `got "a=1, b=2", want "a=1", "b=2"`},
		{"a=1", nil, `got "", want "a=1"`},
		{"null", nil, ""},
		{"null", []string{"a=1", "b=2"}, `got "a=1", "b=2", want none`},
	} {
		d := loadText(t, filled(nil)+"examples: [{name: a, send: {path: /login}, expect: {status: 200, headers: {set-cookie: "+tt.want+"}}}]\n")
		want := ""
		if tt.diff != "" {
			want = "header Set-Cookie: " + tt.diff + "\n"
		}
		if diff := d.Examples()[0].Compare(200, http.Header{"Set-Cookie": tt.got}, nil); diff != want {
			t.Errorf("Compare(%s, %q) = %q, want %q", tt.want, tt.got, diff, want)
		}
	}
}
