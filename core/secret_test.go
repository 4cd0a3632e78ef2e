package core

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// S15: a secret prints as [secret] under every verb, encoder and logger, wherever it is held.
func TestSecretNeverShows(t *testing.T) {
	const canary = "hunter2-canary"
	type holder struct {
		Open   Secret
		hidden Secret
		Ptr    *Secret
		List   []Secret
		Map    map[string]Secret
	}
	s := NewSecret(canary)
	h := holder{s, s, &s, []Secret{s}, map[string]Secret{"k": s}}
	var out bytes.Buffer
	for _, value := range []any{s, &s, h, &h, []any{s}, map[string]any{"s": s}, s.Digest(), fmt.Errorf("wrapped: %v", s)} {
		for _, verb := range "vsdxXqtTbcoUeEfFgGp" {
			fmt.Fprintf(&out, "%"+string(verb), value)
			fmt.Fprintf(&out, "%+"+string(verb)+"%#"+string(verb), value, value)
		}
		_ = json.NewEncoder(&out).Encode(value)
		_ = gob.NewEncoder(&out).Encode(value)
		_ = xml.NewEncoder(&out).Encode(value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", value)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", value)
	}
	if before, after, shows := strings.Cut(out.String(), canary); shows {
		t.Errorf("the secret shows: …%s%s%.80s…", before[max(0, len(before)-80):], canary, after)
	}
	if !strings.Contains(out.String(), "[secret]") {
		t.Error("nothing shows as [secret]")
	}
	if got := s.Reveal(); got != canary {
		t.Errorf("Reveal() = %q, want %q", got, canary)
	}
	_ = h.hidden
}

// Stored hashes and digests stay out of logs too.
func TestHashesNeverShow(t *testing.T) {
	account := Account{PasswordHash: "$argon2id$canary"}
	key := AccessKey{SecretDigest: NewSecret("x").Digest()}
	var out bytes.Buffer
	for _, value := range []any{account, &account, account.PasswordHash, key, key.SecretDigest} {
		fmt.Fprintf(&out, "%v %+v %#v %s %q %x %d\n", value, value, value, value, value, value, value)
		_ = json.NewEncoder(&out).Encode(value)
		_ = gob.NewEncoder(&out).Encode(value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", value)
	}
	for _, canary := range []string{"canary", "2d711642b726b04401627ca9fbac32f5"} { // SHA-256 of x begins so
		if strings.Contains(out.String(), canary) {
			t.Errorf("%q shows", canary)
		}
	}
}
