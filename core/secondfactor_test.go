package core

import (
	"strings"
	"testing"
	"time"
)

// rfcSecret is the key of RFC 6238 appendix B, in base32.
const rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// The vectors of RFC 6238 appendix B for SHA-1, of which six digits are the last six.
func TestCodesAreThoseOfRFC6238(t *testing.T) {
	for seconds, code := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471",
		1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		code = code[2:]
		now := time.Unix(seconds, 0)
		step, ok := matchStep(NewSecret(rfcSecret), NewSecret(code), now)
		if want := seconds / 30; !ok || step != want {
			t.Errorf("%s at %d: step %d, %v; want %d", code, seconds, step, ok, want)
		}
		if seconds < 60 {
			continue // there are no codes from before the epoch
		}
		for drift, holds := range map[time.Duration]bool{-30 * time.Second: true, 30 * time.Second: true, -60 * time.Second: false, 60 * time.Second: false} {
			if step, ok := matchStep(NewSecret(rfcSecret), NewSecret(code), now.Add(drift)); ok != holds || ok && step != seconds/30 {
				t.Errorf("%s, the clock %v apart: step %d, %v; want %v", code, drift, step, ok, holds)
			}
		}
	}
}

// A code is six ASCII digits and nothing besides.
func TestCodesHaveOneForm(t *testing.T) {
	now := time.Unix(1111111109, 0)
	for _, code := range []string{"", "81804", "81804 ", " 081804", "081804\n", "0818040", "07081804", "０８１８０４", "081 804", "+81804", "0x81804"} {
		if _, ok := matchStep(NewSecret(rfcSecret), NewSecret(code), now); ok {
			t.Errorf("%q passes for 081804", code)
		}
	}
	if _, ok := matchStep(NewSecret("not base32"), NewSecret("081804"), now); ok {
		t.Error("a code of no secret passes")
	}
}

func TestRecoveryCodes(t *testing.T) {
	code := newRecoveryCode().Reveal()
	if len(code) != 19 || strings.Count(code, "-") != 3 || strings.ToUpper(code) != code {
		t.Errorf("recovery code %q, want four groups of four", code)
	}
	want := recoveryDigest(NewSecret(code))
	for _, typed := range []string{strings.ToLower(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", " ")} {
		if !recoveryDigest(NewSecret(typed)).Equal(want) {
			t.Errorf("%q is another code than %q", typed, code)
		}
	}
	f := Factor{Recovery: []Digest{recoveryDigest(newRecoveryCode()), want, recoveryDigest(newRecoveryCode())}}
	if f.takeRecoveryCode(recoveryDigest(NewSecret(code[1:]))) || len(f.Recovery) != 3 {
		t.Error("a near miss passes")
	}
	if !f.takeRecoveryCode(want) || len(f.Recovery) != 2 || f.takeRecoveryCode(want) {
		t.Errorf("a code works other than once: %d are left", len(f.Recovery))
	}
}
