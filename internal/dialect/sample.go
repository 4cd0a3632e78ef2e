package dialect

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// Samples are the identities that a file declares for its examples, with the
// secrets that they sign in with. They are for tests and manuals alone: no server
// creates them.
type Samples struct {
	Tenants  []SampleTenant
	Accounts []SampleAccount
	Keys     []SampleKey
}

// A SampleTenant is a tenant that examples speak of.
type SampleTenant struct {
	Sample string // its name in the file
	Tenant core.Tenant
}

// A SampleAccount is an account that examples speak of.
type SampleAccount struct {
	Sample   string // its name in the file
	Account  core.Account
	Password core.Secret

	TOTP          core.Secret // of its second factor, in base32; zero for none
	RecoveryCodes []core.Secret
}

// A SampleKey is an access key that examples speak of.
type SampleKey struct {
	Sample string // its name in the file
	Key    core.AccessKey
	Secret core.Secret
}

func (s *Samples) names() []string {
	var names []string
	for _, a := range s.Accounts {
		names = append(names, a.Sample)
	}
	for _, k := range s.Keys {
		names = append(names, k.Sample)
	}
	return names
}

func (r *reader) samples(n *yaml.Node, d *Dialect) Samples {
	var all Samples
	if n == nil {
		return all
	}
	s := r.section(n, &samplesShape)
	for _, m := range r.members(s.get("tenants"), "samples.tenants") {
		all.Tenants = append(all.Tenants, r.sampleTenant(m, d))
	}
	for _, m := range r.members(s.get("accounts"), "samples.accounts") {
		a := r.sampleAccount(m, &all, d)
		if other := all.double(a); other != "" {
			r.fault(m.name, "give one of them another login, or a tenant of its own", "the sample %s has the login of the sample %s", a.Sample, other)
		}
		all.Accounts = append(all.Accounts, a)
	}
	for _, m := range r.members(s.get("keys"), "samples.keys") {
		if slices.Contains(all.names(), m.name.Value) {
			r.fault(m.name, "give one of them another name", "there is a sample account named %s too", m.name.Value)
			continue
		}
		all.Keys = append(all.Keys, r.sampleKey(m, &all, d))
	}
	return all
}

// double is the sample account that has the login of a within its tenant, or "".
func (s *Samples) double(a SampleAccount) string {
	login, err := core.Canonical(a.Account.Login)
	for _, other := range s.Accounts {
		if l, _ := core.Canonical(other.Account.Login); err == nil && l == login && other.Account.Tenant == a.Account.Tenant {
			return other.Sample
		}
	}
	return ""
}

func (r *reader) sampleTenant(m member, d *Dialect) SampleTenant {
	s := r.named(m.value, &sampleTenantShape, "sample tenant "+m.name.Value)
	t := SampleTenant{Sample: m.name.Value, Tenant: core.Tenant{
		Realm: d.realm, Active: r.boolean(s.get("active"), "active", true),
		Attributes: r.sampleAttributes(s.get("attributes")), CreatedAt: probeTime,
	}}
	if n := s.get("id"); n != nil {
		t.Tenant.ID = core.TenantID(r.text(n, "id"))
	} else {
		t.Tenant.ID = core.TenantID(r.sampleID(nil, "tenant"+m.name.Value))
	}
	if n := s.need("name"); n != nil {
		t.Tenant.Name = r.text(n, "name")
		if _, err := core.Canonical(t.Tenant.Name); err != nil && t.Tenant.Name != "" {
			r.fault(n, "such as ada@example.com", "%v", err)
		}
	}
	return t
}

func (r *reader) sampleAccount(m member, all *Samples, d *Dialect) SampleAccount {
	s := r.named(m.value, &sampleAccountShape, "sample "+m.name.Value)
	a := SampleAccount{Sample: m.name.Value, Account: core.Account{
		ID: core.AccountID(r.sampleID(s.get("id"), "account"+strconv.Itoa(len(all.Accounts)))), Realm: d.realm,
		Hold:       core.Kind(s.word("hold")),
		Active:     r.boolean(s.get("active"), "active", true),
		Verified:   r.boolean(s.get("verified"), "verified", true),
		Attributes: r.sampleAttributes(s.get("attributes")),
		CreatedAt:  r.sampleInstant(s.get("created_at"), probeTime),
	}}
	a.Account.UpdatedAt = a.Account.CreatedAt
	if n := s.need("login"); n != nil {
		a.Account.Login = r.text(n, "login")
		if _, err := core.Canonical(a.Account.Login); err != nil && a.Account.Login != "" {
			r.fault(n, "such as ada@example.com", "%v", err)
		}
	}
	if n := s.get("password"); n != nil {
		a.Password = core.NewSecret(r.text(n, "password"))
	}
	if n := s.get("email"); n != nil {
		a.Account.Email = r.text(n, "email")
	}
	if n := s.get("name"); n != nil {
		a.Account.Name = r.text(n, "name")
	}
	for _, item := range r.items(s.get("roles"), "roles") {
		a.Account.Roles = append(a.Account.Roles, r.text(item, "a role"))
	}
	if n := s.get("tenant"); n != nil {
		r.sampleOf(n, &a, all)
	}
	r.sampleFactor(s, &a)
	return a
}

// sampleOf puts a sample account into its tenant.
func (r *reader) sampleOf(n *yaml.Node, a *SampleAccount, all *Samples) {
	name, known := r.text(n, "tenant"), make([]string, len(all.Tenants))
	for i, t := range all.Tenants {
		if known[i] = t.Sample; t.Sample == name {
			a.Account.Tenant = t.Tenant.ID
		}
	}
	if name != "" && !slices.Contains(known, name) {
		r.fault(n, didYouMean(name, known), "there is no sample tenant %q", name)
		a.Account.Tenant = core.TenantID(name)
	}
}

// sampleFactor reads the second factor of a sample account.
func (r *reader) sampleFactor(s section, a *SampleAccount) {
	if n := s.get("totp"); n != nil {
		if a.TOTP = core.NewSecret(r.text(n, "totp")); core.CheckTOTP(a.TOTP) != nil && a.TOTP.Reveal() != "" {
			r.fault(n, "such as JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "a second factor's secret is base32 of at least 10 bytes")
		}
	}
	for _, item := range r.items(s.get("recovery_codes"), "recovery_codes") {
		a.RecoveryCodes = append(a.RecoveryCodes, core.NewSecret(r.text(item, "a recovery code")))
	}
	if n := s.get("recovery_codes"); n != nil && s.get("totp") == nil {
		r.fault(n, "add totp", "recovery codes go with a second factor")
	}
}

func (r *reader) sampleKey(m member, all *Samples, d *Dialect) SampleKey {
	s := r.named(m.value, &sampleKeyShape, "sample "+m.name.Value)
	k := SampleKey{Sample: m.name.Value, Key: core.AccessKey{
		ID: core.KeyID(r.sampleID(s.get("id"), "key"+m.name.Value)), Realm: d.realm, State: core.KeyStateActive,
		Attributes: r.sampleAttributes(s.get("attributes")), CreatedAt: probeTime, UpdatedAt: probeTime,
		ExpiresAt: r.sampleInstant(s.get("expires_at"), time.Time{}),
	}}
	if n := s.need("identifier"); n != nil {
		k.Key.Identifier = r.text(n, "identifier")
	}
	if n := s.need("secret"); n != nil {
		k.Secret = core.NewSecret(r.text(n, "secret"))
		k.Key.SecretDigest = k.Secret.Digest()
	}
	if n := s.get("name"); n != nil {
		k.Key.Name = r.text(n, "name")
	}
	if s.get("state") != nil {
		k.Key.State = core.KeyState(s.word("state"))
	}
	if n := s.need("account"); n != nil {
		owner := r.text(n, "account")
		i := slices.IndexFunc(all.Accounts, func(a SampleAccount) bool { return a.Sample == owner })
		if i < 0 {
			r.fault(n, didYouMean(owner, all.names()), "there is no sample account %q", owner)
			return k
		}
		k.Key.Account = all.Accounts[i].Account.ID
	}
	return k
}

// sampleID reads a UUID, or makes one that is the same at every load.
func (r *reader) sampleID(n *yaml.Node, name string) string {
	if n == nil {
		return uuid.NewSHA1(uuid.NameSpaceURL, []byte(r.dialect.name+"/"+name)).String()
	}
	text := r.text(n, "id")
	if !formats["uuid"](text) && text != "" {
		r.fault(n, "such as 65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6", "%q is no UUID", text)
	}
	return text
}

func (r *reader) sampleInstant(n *yaml.Node, otherwise time.Time) time.Time {
	if n == nil {
		return otherwise
	}
	text := r.text(n, "an instant")
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil && text != "" {
		r.fault(n, "such as 2026-01-31T09:30:00.123456Z", "%q is no instant", text)
	}
	return t.UTC()
}

func (r *reader) sampleAttributes(n *yaml.Node) core.Attributes {
	if n == nil {
		return nil
	}
	all := core.Attributes{}
	for _, m := range r.members(n, "attributes") {
		if m.value.Kind == yaml.SequenceNode {
			list := []any{}
			for _, item := range m.value.Content {
				list = append(list, r.text(item, "an item"))
			}
			all[m.name.Value] = list
			continue
		}
		v, ok := scalarValue(m.value)
		if i, whole := v.(int64); whole {
			v = float64(i)
		}
		if !ok {
			r.fault(m.value, "flatten it, or write it as text", "an attribute is text, a number, a boolean or a list of texts")
		}
		all[m.name.Value] = v
	}
	return all
}
