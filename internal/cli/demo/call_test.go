package demo

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMembers(t *testing.T) {
	want := []Member{{"username", "ada@example.com"}, {"password", "a+b & c"}}
	if got, err := formMembers("username=ada%40example.com&password=a%2Bb+%26+c"); err != nil || !cmp.Equal(got, want) {
		t.Errorf("formMembers() = %v, %v, want %v", got, err, want)
	}
	if got, err := jsonMembers(`{"username": "ada@example.com", "password": "a+b & c"}`); err != nil || !cmp.Equal(got, want) {
		t.Errorf("jsonMembers() = %v, %v, want %v", got, err, want)
	}
	for _, body := range []string{"", "[]", `{"a": 1}`, `{"a": {"b": "c"}}`, `{"a": "b"`, `"a"`} {
		if got, err := jsonMembers(body); err == nil {
			t.Errorf("jsonMembers(%q) = %v, want an error", body, got)
		}
	}
}

func TestTokenMember(t *testing.T) {
	for _, tt := range []struct{ reply, want string }{
		{`{"access_token":"<jwt>","token_type":"bearer"}`, "access_token"},
		{`{"token":"<jwt>"}`, "token"},
		{"", ""},
	} {
		if got := tokenMember(tt.reply); got != tt.want {
			t.Errorf("tokenMember(%q) = %q, want %q", tt.reply, got, tt.want)
		}
	}
}

func TestQuoteIsOneWordOfAShell(t *testing.T) {
	for _, text := range []string{"plain", "", "two words", "it's", `a"b$c\d`, "a\nb", "`x`", "!x", "*"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s.' "+quote(text)).Output()
		if err != nil || string(out) != text+"." {
			t.Errorf("quote(%q) = %s, which a shell reads as %q, %v", text, quote(text), out, err)
		}
	}
}

// TestSampleClients runs what Write writes, in each language that is here,
// against a server that wants exactly the contract's request.
func TestSampleClients(t *testing.T) {
	for _, form := range []bool{true, false} {
		name, contentType, body, reply, member := "json", "application/json", `{"user":"it's \"a\"","secret":"päss +&%"}`, "eyJ.x.y", ""
		if form {
			name, contentType, body, member = "form", "application/x-www-form-urlencoded", "user=it%27s+%22a%22&secret=p%C3%A4ss+%2B%26%25", "access_token"
			reply = `{"access_token":"eyJ.x.y"}`
		}
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(sampleServer(t, contentType, reply))
			defer server.Close()
			call := Call{
				Title: "Sample", Method: "POST", URL: server.URL + "/login", ContentType: contentType, Body: body, Form: form,
				TokenMember: member, Next: Request{"GET", server.URL + "/next"},
				Members: []Member{{"user", `it's "a"`}, {"secret", "päss +&%"}},
			}
			folder := t.TempDir()
			if err := call.Write(folder); err != nil {
				t.Fatal(err)
			}
			for sample, command := range map[string][]string{
				"login.py": {"python3"}, "login.mjs": {"node"}, "login.go": {"go", "run"},
			} {
				runSample(t, append(command, filepath.Join(folder, sample)))
			}
			runSample(t, []string{"sh", "-c", call.CurlNext()})
		})
	}
}

func sampleServer(t *testing.T, contentType, reply string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, contentType) {
			t.Errorf("Content-Type = %q, want %q", got, contentType)
		}
		if strings.HasPrefix(contentType, "application/x-www-form") && (r.PostFormValue("user") != `it's "a"` || r.PostFormValue("secret") != "päss +&%") {
			t.Errorf("form = %v", r.PostForm)
		}
		_, _ = w.Write([]byte(reply))
	})
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer eyJ.x.y" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte("well done"))
	})
	return mux
}

func runSample(t *testing.T, command []string) {
	t.Helper()
	if missing := cannotRun(t, command[0]); missing != "" {
		if os.Getenv("CHANCERY_TEST_REQUIRE") == "1" {
			t.Fatal(missing)
		}
		t.Log(missing) // the other languages are tested all the same
		return
	}
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "well done" {
		t.Errorf("%v: %v\n%s", command, err, out)
	}
}

func cannotRun(t *testing.T, program string) string {
	if _, err := exec.LookPath(program); err != nil {
		return program + " is not installed: its sample client was not run"
	}
	if program == "python3" && exec.CommandContext(t.Context(), program, "-c", "import requests").Run() != nil {
		return "Python's package requests is not installed: the Python sample was not run"
	}
	return ""
}

func TestUpstreamTellsWhoCalled(t *testing.T) {
	request := httptest.NewRequest("GET", "/api/v1/resource", nil)
	request.Header.Set("X-Auth-Request-User", "u1")
	request.Header.Set("X-Auth-Request-Email", "ada@example.com")
	request.Header.Set("X-Auth-Request-Groups", "a,b")
	reply := httptest.NewRecorder()
	Upstream().ServeHTTP(reply, request)
	if got, want := reply.Body.String(), `{"resource":"/api/v1/resource","user":"u1","email":"ada@example.com","groups":["a","b"]}`+"\n"; got != want {
		t.Errorf("reply = %s, want %s", got, want)
	}
}
