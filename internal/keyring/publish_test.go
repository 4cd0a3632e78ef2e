package keyring

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/chancery-auth/chancery/core"
)

// The set holds the public half of every asymmetric key, and of HMAC nothing.
func TestKeySet(t *testing.T) {
	var sets []core.KeySet
	for _, algorithm := range []string{"ES256", "HS256", "RS256", "EdDSA", "ES256"} {
		sets = append(sets, core.KeySet{Realm: "demo", Dialect: "kyc", Algorithm: algorithm, Type: "at+jwt", WithKeyID: true})
	}
	r := prepared(t, New(&memory{}, newMaster(t)), sets...)
	text, err := r.KeySet(sets)
	if err != nil {
		t.Fatal(err)
	}
	var published jose.JSONWebKeySet
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	var algorithms []string
	for _, key := range published.Keys {
		algorithms = append(algorithms, key.Algorithm)
		if !key.IsPublic() || key.Use != "sig" {
			t.Errorf("%s is published as %s", key.Algorithm, text)
		}
		set := sets[0]
		set.Algorithm = key.Algorithm
		parsed, err := jose.ParseSignedCompact(signed(t, r, set).Reveal(), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(key.Algorithm)})
		if err != nil {
			t.Fatal(err)
		}
		if found := published.Key(parsed.Signatures[0].Header.KeyID); len(found) != 1 {
			t.Errorf("%s: %d keys of the token's kid, want 1", key.Algorithm, len(found))
		} else if got, err := parsed.Verify(found[0]); err != nil || string(got) != string(payload) {
			t.Errorf("%s: the published key does not verify: %v", key.Algorithm, err)
		}
	}
	if want := []string{"ES256", "RS256", "EdDSA"}; !slices.Equal(algorithms, want) {
		t.Errorf("published %v, want %v", algorithms, want)
	}
	for _, private := range []string{`"d":`, `"p":`, `"q":`, `"k":`, `"oct"`} {
		if strings.Contains(string(text), private) {
			t.Errorf("%s stands in %s", private, text)
		}
	}

	if text, err := r.KeySet(sets[1:2]); err != nil || string(text) != `{"keys":[]}` {
		t.Errorf("KeySet() of HMAC = %s, %v", text, err)
	}
	if _, err := r.KeySet([]core.KeySet{{Realm: "other", Dialect: "kyc", Algorithm: "ES256"}}); err == nil {
		t.Error("KeySet() of a set that was not prepared = nil, want an error")
	}
}

// S45: what is sealed opens in its own place alone, and errors do not repeat it.
func TestSeal(t *testing.T) {
	r := New(&memory{}, newMaster(t))
	sealed, err := r.Seal("factors.sealed", "row", core.NewSecret("JBSWY3DPEHPK3PXP"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sealed), "JBSWY3DPEHPK3PXP") {
		t.Error("the secret stands in what was sealed")
	}
	if got, err := r.Open("factors.sealed", "row", sealed); err != nil || got.Reveal() != "JBSWY3DPEHPK3PXP" {
		t.Errorf("Open() = %v, %v", got, err)
	}
	other := New(&memory{}, newMaster(t))
	for _, tt := range []struct {
		ring         *Ring
		purpose, row string
	}{{r, "factors.sealed", "other"}, {r, "tokens.sealed", "row"}, {other, "factors.sealed", "row"}} {
		if _, err := tt.ring.Open(tt.purpose, tt.row, sealed); core.KindOf(err) != core.Internal {
			t.Errorf("Open(%s, %s) = %v, want Internal", tt.purpose, tt.row, err)
		}
	}
}
