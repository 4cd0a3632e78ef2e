package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

// runCLI runs a command line in an empty folder and returns what it said.
func runCLI(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	t.Chdir(t.TempDir())
	var o, e bytes.Buffer
	p := &program{in: strings.NewReader(stdin), out: &o, err: &e}
	code = p.run(t.Context(), args)
	return code, o.String(), e.String()
}

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		args string
		code int
		want string // part of standard error
	}{
		{"version", 0, ""},
		{"", 0, ""},
		{"srve", exitUsage, "chancery: there is no command \"srve\"\nchancery: hint: did you mean `chancery serve`?"},
		{"account crate", exitUsage, "chancery: there is no command \"account crate\"\nchancery: hint: did you mean `chancery account create`?"},
		{"serve --lisen x", exitUsage, "chancery: unknown flag: --lisen\nchancery: hint: did you mean --listen?"},
		{"serve now", exitUsage, "chancery: serve: want nothing after the command, got 1 arguments\n"},
		{"account disable", exitUsage, "chancery: account disable: want LOGIN after the command, got 0 arguments\n"},
		{"apply", exitUsage, "chancery: apply: name the file with -f\n"},
		{"key create", exitUsage, "--owner"},
		{"key create --owner a --expires soon", exitUsage, "chancery: expires \"soon\": this is no date\n"},
		{"demo --listen 0.0.0.0:8080", exitUsage, "it stays on loopback"},
		{"demo --listen nowhere", exitUsage, "this is no address"},
		{"serve --config none.yaml", exitConfig, "chancery: configuration: open none.yaml: no such file or directory\nchancery: hint: check the path"},
		{"serve", exitConfig, "chancery: serve: name at least one dialect"},
		{"serve --database mysql:x", exitConfig, "chancery: database: want sqlite:PATH or a postgres:// URL"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			code, _, errs := runCLI(t, "", strings.Fields(tt.args)...)
			if code != tt.code || !strings.Contains(errs, tt.want) {
				t.Errorf("exit code %d, standard error:\n%s\nwant %d and %q", code, errs, tt.code, tt.want)
			}
		})
	}
}

// TestDemoCounts: the help says how many contracts the demo shows.
func TestDemoCounts(t *testing.T) {
	words := map[int]string{3: "three", 4: "four", 5: "five"}
	if help := (&program{}).demoCommand().Long; !strings.HasPrefix(help, "Show "+words[len(demoResources)]+" of the built-in contracts") {
		t.Errorf("of %d contracts the help says:\n%s", len(demoResources), help)
	}
}

func TestInterruptedIsSaidPlainly(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	p := &program{in: strings.NewReader(""), out: io.Discard, err: &errs}
	if code := p.run(ctx, []string{"demo", "--listen", "127.0.0.1:0"}); code != exitFailure || errs.String() != "chancery: interrupted before it was done\n" {
		t.Errorf("run() = %d, %q", code, errs.String())
	}
}

// TestQuestionsAreInterrupted: Ctrl-C ends a question that waits for its answer.
func TestQuestionsAreInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	typed, keyboard := io.Pipe()
	defer keyboard.Close()
	var errs bytes.Buffer
	p := &program{in: typed, out: io.Discard, err: &errs}
	ended := make(chan int)
	go func() { ended <- p.run(ctx, []string{"dialect", "new", "acme.yaml"}) }()
	if _, err := keyboard.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if code := <-ended; code != exitFailure || errs.String() != "chancery: interrupted before it was done\n" {
		t.Errorf("run() = %d, %q", code, errs.String())
	}
	if _, err := os.Stat("acme.yaml"); err == nil {
		t.Error("a file was written")
	}
}

func TestReportWordsErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want string
		code int
	}{
		{"a plain error", errors.New("it broke"), "chancery: it broke\n", 1},
		{"several at once", errors.Join(errors.New("one"), errors.New("two")), "chancery: one\nchancery: two\n", 1},
		{"a kind is no word for people", &core.Error{Kind: core.InvalidRequest, Err: errors.New("no good")}, "chancery: no good\n", 1},
		{"nor within another error", fmt.Errorf("x.yaml:1:1: %w", &core.Error{Kind: core.PasswordRefused, Reason: "too short"}), "chancery: x.yaml:1:1: too short\n", 1},
		{"a port in use", fmt.Errorf("listen tcp: %w", syscall.EADDRINUSE), "chancery: hint: another program has that port: stop it, or choose another with --listen and --admin-listen\n", 1},
		{"a read-only folder", fmt.Errorf("open x: %w", syscall.EROFS), "chancery: hint: give the user that runs chancery the right", 1},
		{"an unknown dialect", &chancery.UnknownDialect{Name: "pagfst", Known: []string{"kyc", "pagfast"}}, "chancery: hint: did you mean pagfast?", 1},
		{"what is not to steer the terminal", errors.New("GET /\x1b[31m"), "chancery: GET /\uFFFD[31m\n", 1},
		{"nor in a hint", withHint(errors.New("x"), "POST /\x1b]0;a\a"), "chancery: hint: POST /\uFFFD]0;a\uFFFD\n", 1},
		{"the password of a URL", errors.New("cannot reach postgres://chancery:p@ss@db/x"), "chancery: cannot reach postgres://chancery:[secret]@db/x\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var errs bytes.Buffer
			code := (&program{err: &errs}).report(tt.err)
			if code != tt.code || !strings.Contains(errs.String(), tt.want) {
				t.Errorf("report() = %d, %q, want %d, %q", code, errs.String(), tt.code, tt.want)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"postgres://u:secret@h/d", "postgres://u:[secret]@h/d"},
		{"postgresql://u:se:cr@et@h:5432/d?x=y", "postgresql://u:[secret]@h:5432/d?x=y"},
		{"https://u:secret@h", "https://u:[secret]@h"},
		{"postgres://u@h/d", "postgres://u@h/d"},
		{"https://login.example.com:8443/x", "https://login.example.com:8443/x"},
		{"sqlite:chancery.db", "sqlite:chancery.db"},
		{"mail to a@b.co: no", "mail to a@b.co: no"},
	} {
		if got := redact(tt.text); got != tt.want {
			t.Errorf("redact(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestPasswordFromStandardInput(t *testing.T) {
	for _, tt := range []struct{ stdin, want, fault string }{
		{"correct horse\n", "correct horse", ""},
		{" blanks are kept \r\nnext line", " blanks are kept ", ""},
		{"no line break", "no line break", ""},
		{"", "", "standard input holds no password"},
		{"\n", "", "standard input holds no password"},
	} {
		got, err := (&program{in: strings.NewReader(tt.stdin)}).password(true)
		if got.Reveal() != tt.want || (err == nil) != (tt.fault == "") || (err != nil && err.Error() != tt.fault) {
			t.Errorf("password(%q) = %q, %v, want %q, %q", tt.stdin, got.Reveal(), err, tt.want, tt.fault)
		}
	}
	if _, err := (&program{in: strings.NewReader("x\n")}).password(false); err == nil {
		t.Error("a password was read without --password-stdin and without a terminal")
	}
}

func TestKeyHint(t *testing.T) {
	for _, tt := range []struct{ identifier, want string }{
		{" chk_x", "begins or ends with a blank"},
		{"chk_x\n", "begins or ends with a blank"},
		{"chk_ x", "a blank in it"},
		{"chs_" + strings.Repeat("0", 49), "`chancery key list`"},
		{"chk_x", "`chancery key list`"},
	} {
		if got := keyHint(tt.identifier); !strings.Contains(got, tt.want) {
			t.Errorf("keyHint(%q) = %q, want it to say %q", tt.identifier, got, tt.want)
		}
	}
}

func TestPlain(t *testing.T) {
	if got, want := plain("a\x1b[31mb\n\u009bc é"), "a\uFFFD[31mb\uFFFD\uFFFDc é"; got != want {
		t.Errorf("plain() = %q, want %q", got, want)
	}
}
