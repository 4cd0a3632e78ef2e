package chancery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadConfigLaysTheEnvironmentOverTheFile(t *testing.T) {
	file := write(t, "c.yaml", "listen: 127.0.0.1:1\ndrain: 1s\nserve:\n  - {dialect: kyc, realm: customers}\nmail:\n  host: file.example\n  port: 25\n")
	password := write(t, "password", "from a file\n")
	got, err := LoadConfig(file, []string{
		"CHANCERY_LISTEN=127.0.0.1:2", "CHANCERY_MAIL_HOST=env.example", "CHANCERY_MAIL_PASSWORD_FILE=" + password,
		"CHANCERY_TRUSTED_PROXIES=10.0.0.0/8,192.168.0.0/16", "CHANCERY_PLAIN_HTTP=true", "CHANCERY_GRACE=2m", "CHANCERY_ISSUER=", "HOME=/nowhere",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Listen: "127.0.0.1:2", PlainHTTP: true, Drain: time.Second, Grace: 2 * time.Minute,
		TrustedProxies: []string{"10.0.0.0/8", "192.168.0.0/16"},
		Serve:          []Mount{{Dialect: "kyc", Realm: "customers"}},
	}
	want.Mail.Host, want.Mail.Port = "env.example", 25
	if password := got.Mail.Password.Reveal(); password != "from a file" {
		t.Errorf("mail.password = %q, want the file's text without its line break", password)
	}
	got.Mail.Password = want.Mail.Password
	if diff := cmp.Diff(want, got.Config, cmp.Comparer(func(a, b MailConfig) bool { return a == b })); diff != "" {
		t.Errorf("LoadConfig() (-want +got):\n%s", diff)
	}
	if len(got.Warnings) != 0 {
		t.Errorf("warnings = %q, want none", got.Warnings)
	}
}

func TestLoadConfigFindsTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if got, err := LoadConfig("", nil); err != nil || (got.File != "" && got.File != ConfigPaths[1]) {
		t.Errorf("LoadConfig() = %q, %v, want no file of ours", got.File, err)
	}
	if err := os.WriteFile("chancery.yaml", []byte("log_level: debug\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadConfig("", nil); err != nil || got.LogLevel != "debug" {
		t.Errorf("LoadConfig() = %+v, %v, want chancery.yaml read", got.Config, err)
	}
	if _, err := LoadConfig("other.yaml", nil); err == nil || !strings.Contains(err.Error(), "other.yaml") {
		t.Errorf("LoadConfig(other.yaml) = %v, want it missed by name", err)
	}
}

func TestLoadConfigTellsAllFaults(t *testing.T) {
	file := write(t, "c.yaml", "lisen: x\ndrain: soon\n")
	_, err := LoadConfig(file, []string{
		"CHANCERY_GRACE=hunter2", "CHANCERY_MAIL_PORT=hunter2", "CHANCERY_PLAIN_HTTP=hunter2",
		"CHANCERY_MAIL_PASSWORD=hunter2", "CHANCERY_MAIL_PASSWORD_FILE=x", "CHANCERY_DATABASE_FILE=/no/such/file",
	})
	want := file + `:1:1: lisen: there is no such member; did you mean listen?
` + file + `:2:8: drain: want a duration such as 30s or 5m, got text
CHANCERY_MAIL_PASSWORD: given beside CHANCERY_MAIL_PASSWORD_FILE: give one of them
CHANCERY_DATABASE_FILE: open /no/such/file: no such file or directory
CHANCERY_GRACE: want a duration such as 30s or 5m
CHANCERY_MAIL_PORT: want a whole number
CHANCERY_PLAIN_HTTP: want true or false`
	if err == nil {
		t.Fatal("LoadConfig() = nil")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("LoadConfig() (-want +got):\n%s", diff)
	}
}

func TestLoadConfigWarnsOfVariablesThatNobodyReads(t *testing.T) {
	t.Chdir(t.TempDir())
	got, err := LoadConfig("", []string{
		"CHANCERY_LISTN=x", "CHANCERY_SERVE=x", "CHANCERY_SERVICE_HOST=10.0.0.1", "CHANCERY_PORT=tcp://10.0.0.1:80", "CHANCERY_PORT_80_TCP=x", "CHANCERY_TEST_REQUIRE=1",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"CHANCERY_LISTN: no such setting; did you mean CHANCERY_LISTEN?", "CHANCERY_SERVE: no such setting"}
	if len(got.Warnings) != 2 || got.Warnings[0] != want[0] || !strings.HasPrefix(got.Warnings[1], want[1]) {
		t.Errorf("warnings = %q, want %q", got.Warnings, want)
	}
}

func TestCheckSaysWhereFaultsWereGiven(t *testing.T) {
	file := write(t, "c.yaml", "serve:\n  - dialect: kyc\n    prefix: bad\nlog_level: loud\n")
	loaded, err := LoadConfig(file, []string{"CHANCERY_LISTEN=nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	config := loaded.WithDefaults()
	config.Database = "mysql:x" // as a flag would
	got := loaded.Check(config).Error()
	for _, want := range []string{
		file + ":3:5: serve[0].prefix: ", file + ":4:1: log_level: ", "CHANCERY_LISTEN: listen: ", "\ndatabase: ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("Check() = %s\nwant it to hold %q", got, want)
		}
	}
	if err := loaded.Check(Config{Serve: []Mount{{Dialect: "kyc"}}}.WithDefaults()); err != nil {
		t.Errorf("Check() = %v, want nil", err)
	}
}
