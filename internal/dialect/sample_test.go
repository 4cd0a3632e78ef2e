package dialect

import (
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

const sampleTenants = `samples:
  tenants:
    acme: {id: t-1, name: Acme, attributes: {plan: big}}
    gone: {name: Gone, active: false}
  accounts:
    ada: {login: ada, tenant: acme, hold: locked, totp: JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP, recovery_codes: [AAAA-BBBB, CCCC-DDDD]}
    too: {login: Ada, tenant: gone}
    alone: {login: ada}
`

// TestSampleTenants: accounts of tenants, on hold and with a second factor.
func TestSampleTenants(t *testing.T) {
	s := loadText(t, filled(nil)+sampleTenants).Samples()
	acme, gone, ada := s.Tenants[0], s.Tenants[1].Tenant, s.Accounts[0]
	if acme.Sample != "acme" || acme.Tenant.ID != "t-1" || acme.Tenant.Name != "Acme" || !acme.Tenant.Active || acme.Tenant.Realm != "test" || acme.Tenant.Attributes["plan"] != "big" {
		t.Errorf("tenant = %+v", acme)
	}
	if gone.Active || len(gone.ID) != 36 {
		t.Errorf("tenant = %+v", gone)
	}
	if ada.Account.Tenant != "t-1" || ada.Account.Hold != core.Locked || ada.TOTP.Reveal() != "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" || len(ada.RecoveryCodes) != 2 || ada.RecoveryCodes[1].Reveal() != "CCCC-DDDD" {
		t.Errorf("account = %+v", ada)
	}
	if s.Accounts[1].Account.Tenant != gone.ID || s.Accounts[2].Account.Tenant != "" {
		t.Errorf("accounts = %+v", s.Accounts)
	}
}

func TestSampleFaults(t *testing.T) {
	for _, tt := range []struct{ old, changed, want string }{
		{"tenant: gone", "tenant: gonne", `there is no sample tenant "gonne"; hint: did you mean gone?`},
		{"{login: ada}", "{login: ADA, tenant: acme}", "the sample alone has the login of the sample ada; hint: give one of them another login, or a tenant of its own"},
		{"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "JBSW1", "a second factor's secret is base32 of at least 10 bytes; hint: such as JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"},
		{"totp: JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP, ", "", "recovery codes go with a second factor; hint: add totp"},
		{"hold: locked", "hold: lock", `hold cannot be "lock"; hint: known are locked, must_change_secret`},
		{"{name: Gone,", "{", "sample tenant gone lacks the member name; hint: such as name: Example Ltd"},
	} {
		text := filled(nil) + strings.Replace(sampleTenants, tt.old, tt.changed, 1)
		if _, err := Load("test.yaml", []byte(text), testOptions()); err == nil || !strings.HasSuffix(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: Load() = %v\nwant %s", tt.changed, err, tt.want)
		}
	}
}
