package dialect

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func TestPolicies(t *testing.T) {
	grant := core.Grant{
		Issuer: "https://issuer.example",
		Account: core.Account{ID: "65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6", Login: "ada", Roles: []string{"Partner", "PartnerAdmin"},
			Attributes: core.Attributes{"realm": "Partner", "ca": "0ea70001-0f58-44a2-80ad-953633ff2cc7", "domain": "/partners-int"}},
		Key:      &core.AccessKey{ID: "45771ea1-b012-4b80-8ba4-49891c5d8d47", Identifier: "public"},
		IssuedAt: time.Unix(1691151257, 0).UTC(), ExpiresAt: time.Unix(1691154857, 0).UTC(),
	}
	for _, tt := range []struct {
		dialect            string
		algorithm          string
		lifetime           time.Duration
		claims             string
		account, key, want string
	}{
		{all[0], "HS256", 691_200 * time.Second, `{"exp":1691154857,"sub":"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6","iat":1691151257}`, "sub", "", ""},
		{all[1], "HS256", time.Hour, `{"sub":"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6","aud":["fastapi-users:auth"],"exp":1691154857,"iat":1691151257}`, "sub", "", "fastapi-users:auth"},
		{all[2], "HS256", 24 * time.Hour, `{"sub":"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6","iat":1691151257,"exp":1691154857}`, "sub", "", ""},
		{all[3], "HS384", time.Hour, `{"uid":"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6","ar":["Partner","PartnerAdmin"],"ak":"45771ea1-b012-4b80-8ba4-49891c5d8d47","realm":"Partner","ca":"0ea70001-0f58-44a2-80ad-953633ff2cc7","cid":null,"domain":"/partners-int","iat":1691151257,"exp":1691154857}`, "uid", "ak", ""},
	} {
		d := load(t, tt.dialect, nil)
		p := d.Terms().Policies["access"]
		got, err := p.Claims(grant)
		if err != nil || string(got) != tt.claims {
			t.Errorf("%s: Claims() = %s, %v\nwant %s", tt.dialect, got, err, tt.claims)
		}
		want := core.KeySet{Realm: "test", Dialect: tt.dialect, Algorithm: tt.algorithm}
		if p.Keys != want || p.Lifetime != tt.lifetime || p.AccountClaim != tt.account || p.KeyClaim != tt.key || strings.Join(p.Audiences, " ") != tt.want || p.Name != "access" {
			t.Errorf("%s: policy = %+v", tt.dialect, p)
		}
	}
}

func TestTerms(t *testing.T) {
	terms := load(t, all[0], nil).Terms()
	if !terms.AdmitUnverified || terms.TicketLifetimes[core.PurposeRecovery] != time.Hour || terms.Issuer != "https://issuer.example" || terms.Dialect != all[0] {
		t.Errorf("Terms() = %+v", terms)
	}
	subject, link, err := terms.Mails[core.PurposeRecovery](core.Account{Login: "ada@example.com"}, core.NewSecret("TICKET"))
	if err != nil || subject != "Instant Classification - Password recovery for user ada@example.com" || link.Reveal() != "https://app.example/reset-password?token=TICKET" {
		t.Errorf("the recovery mail = %q, %q, %v", subject, link.Reveal(), err)
	}
	terms = load(t, "kyc", nil).Terms()
	if terms.AdmitUnverified || len(terms.Mails) > 0 {
		t.Errorf("Terms() = %+v", terms)
	}
	if form := load(t, "pagfast", nil).KeyForm(); form != (core.KeyForm{Identifier: "hex20", Secret: "base64_36"}) {
		t.Errorf("KeyForm() = %+v", form)
	}
}

func TestSettings(t *testing.T) {
	d := load(t, "kyc", map[string]any{"token_lifetime": "90m", "audience": "mine", "key_id": true})
	p := d.Terms().Policies["access"]
	if p.Lifetime != 90*time.Minute || !slices.Equal(p.Audiences, []string{"mine"}) || !p.Keys.WithKeyID || d.Settings()["audience"] != "mine" {
		t.Errorf("policy = %+v", p)
	}
	oauth2 := load(t, "oauth2", nil)
	if p := oauth2.Terms().Policies["access"]; !slices.Equal(p.Audiences, []string{oauth2.baseURL}) {
		t.Errorf("a default of ${base_url} gives the audiences %q", p.Audiences)
	}
	if d := load(t, all[0], map[string]any{"frontend_url": "http://localhost:3000", "validation_status": 400}); !d.replies[core.MissingField].has(400) {
		t.Errorf("validation_status: 400 gives %d", d.replies[core.MissingField].variants[0].status)
	}
	for _, tt := range []struct {
		dialect  string
		settings map[string]any
		want     string
	}{
		{all[0], nil, "the link has no address to lead to; hint: set frontend_url"},
		{all[0], map[string]any{"frontend_url": "http://app.example"}, "the link is not https"},
		{all[0], map[string]any{"frontend_url": "https://app.example", "validation_status": "422"}, "setting validation_status is given as text, but its default is a whole number"},
		{all[0], map[string]any{"frontend_url": "https://app.example", "validation_status": 700}, "status must be a whole number from 200 to 599, not 700"},
		{all[0], map[string]any{"frontend_url": "https://app.example", "ticket_lifetime": "25h"}, "a ticket lives from 1m to 24h"},
		{"kyc", map[string]any{"token_lifetime": 5}, "setting token_lifetime is given as a whole number, but its default is text"},
		{"kyc", map[string]any{"token_lifetime": "0s"}, "lifetime is at least one second"},
		{"kyc", map[string]any{"lifetime": "1h"}, `setting "lifetime" is given, but the dialect has no such setting`},
		{"datafiniti", map[string]any{"algorithm": "none"}, `algorithm cannot be "none"`},
	} {
		options := testOptions()
		options.Settings = tt.settings
		_, err := Load(tt.dialect, []byte(fileText(t, tt.dialect)), options)
		if faults, ok := errors.AsType[Faults](err); !ok || slices.ContainsFunc(faults, func(f Fault) bool { return !strings.Contains(f.String(), tt.want) }) {
			t.Errorf("Load(%s, %v) = %v, want %q", tt.dialect, tt.settings, err, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	text := strings.NewReplacer("from: body.password", "from: [body.password, query.password]", "lifetime: 1h", "lifetime: 365d",
		"bad_credentials:", "inactive: {status: 401, text: x}\n  bad_credentials:").Replace(filled(map[string]string{"ISSUES": "invalid_request: {$echo: body}"}))
	warnings := Faults(loadText(t, "admit: [unverified]\n"+text).Warnings()).Error()
	for _, want := range []string{"before anybody has verified", "told apart", "may come in the query", "as good as one without end", "repeats what the client sent", "to revoke an access key does not end its tokens"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no warning that says %q in\n%s", want, warnings)
		}
	}
}

func TestSamples(t *testing.T) {
	s := load(t, "pagfast", nil).Samples()
	if len(s.Keys) != 5 || s.Keys[0].Key.Account != s.Accounts[0].Account.ID || !s.Keys[0].Key.SecretDigest.Equal(s.Keys[0].Secret.Digest()) || s.Keys[2].Key.ExpiresAt.Year() != 2020 {
		t.Errorf("Samples() = %+v", s)
	}
	if got := load(t, "pagfast", nil).Attributes(); !slices.Equal(got, []string{"realm", "ca", "cid", "domain"}) {
		t.Errorf("Attributes() = %q", got)
	}
	if a := s.Accounts[0].Account; a.Realm != "test" || a.Attributes["realm"] != "Partner" || !a.Active || len(a.Roles) != 2 {
		t.Errorf("sample account = %+v", a)
	}
	if b := load(t, "pagfast", nil).Samples(); b.Keys[1].Key.ID != s.Keys[1].Key.ID {
		t.Error("ids of samples differ from load to load")
	}
}
