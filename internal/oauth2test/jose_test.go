package oauth2test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestJose has jose, the library of most JavaScript, find the keys and verify tokens
// as RFC 9068 section 4 wants it.
func TestJose(t *testing.T) {
	folder := installed(t)
	w := open(t, "/partners")
	ada, shop := w.person(t, "ada"), w.person(t, "shop")
	own := w.post(t, "/oauth2/token", w.app(), url.Values{"grant_type": {"client_credentials"}, "scope": {"orders.read"}})
	persons := w.post(t, "/oauth2/token", app{}, url.Values{"grant_type": {"password"}, "username": {ada.login}, "password": {ada.password}})
	good := own.text("access_token")
	got := verify(t, folder, w.base, w.base, good, persons.text("access_token"), altered(good), persons.text("refresh_token"))
	wants := []struct{ sub, clientID, scope, code string }{
		{string(shop.id), w.app().id, "orders.read", ""},
		{string(ada.id), "", "", ""},
		{code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"},
		{code: "ERR_JWS_INVALID"},
	}
	for i, want := range wants {
		g := got[i]
		if g.Code != want.code || g.Claims.Subject != want.sub || g.Claims.ClientID != want.clientID || g.Claims.Scope != want.scope {
			t.Errorf("token %d: %+v, want %+v", i, g, want)
		}
		if want.code == "" && (g.Header.Type != "at+jwt" || g.Header.Algorithm != "ES256" || g.Header.KeyID == "" || g.Claims.ID == "") {
			t.Errorf("token %d: %+v, want typ at+jwt, alg ES256, a kid and a jti", i, g)
		}
	}
	if got := verify(t, folder, w.base, "https://other.example", good); got[0].Code != "ERR_JWT_CLAIM_VALIDATION_FAILED" {
		t.Errorf("for another audience: %+v, want it refused", got[0])
	}
}

// A verdict is what jose says of a token: its parts, or why it is refused.
type verdict struct {
	Code   string
	Header struct {
		Type      string `json:"typ"`
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	Claims struct {
		Subject  string `json:"sub"`
		ClientID string `json:"client_id"`
		Scope    string
		ID       string `json:"jti"`
	}
}

func verify(t *testing.T, folder, issuer, audience string, tokens ...string) []verdict {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", "verify.mjs", issuer, audience)
	command.Dir, command.Stdin = folder, strings.NewReader(strings.Join(tokens, "\n")+"\n")
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaints.String())
	}
	var verdicts []verdict
	for line := range strings.Lines(string(out)) {
		var v verdict
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		verdicts = append(verdicts, v)
	}
	if len(verdicts) != len(tokens) {
		t.Fatalf("%d verdicts on %d tokens:\n%s", len(verdicts), len(tokens), out)
	}
	return verdicts
}

// installed is a folder with the script and with jose at the version of its lock file.
func installed(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacking(t, "%s is not installed", tool)
		}
	}
	folder := t.TempDir()
	for _, file := range []string{"package.json", "package-lock.json", "verify.mjs"} {
		content, err := os.ReadFile(filepath.Join("testdata/jose", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		lacking(t, "jose could not be installed: %v\n%s", err, out)
	}
	return folder
}
