package securitytest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/cli"
)

// asProgram makes this test binary the program itself, as cmd/chancery is.
const asProgram = "CHANCERY_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(cli.Main())
	}
	os.Exit(m.Run())
}

// A process is a running `chancery serve`.
type process struct {
	command        *exec.Cmd
	address, admin string
	ended          chan error
	signalledAt    time.Time
	mu             sync.Mutex
	log            strings.Builder
}

// startProcess serves file and waits until it is ready.
func startProcess(t *testing.T, dir, file string, environment ...string) *process {
	t.Helper()
	p := &process{command: exec.Command(os.Args[0], "serve", "--config", file), ended: make(chan error, 1)} //nolint:gosec // this binary
	p.command.Dir = dir
	p.command.Env = append(append(os.Environ(), asProgram+"=1"), environment...)
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan struct{})
	go func() {
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			p.read(scanner.Bytes(), serving)
		}
		p.ended <- p.command.Wait()
	}()
	t.Cleanup(func() {
		if p.command.ProcessState == nil {
			_ = p.command.Process.Kill()
			<-p.ended
		}
	})
	select {
	case <-serving:
	case err := <-p.ended:
		p.ended <- err
		t.Fatalf("chancery serve: %v\n%s", err, p.logged())
	case <-time.After(patience):
		t.Fatalf("chancery serve is not ready:\n%s", p.logged())
	}
	return p
}

func (p *process) read(line []byte, serving chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var entry struct {
		Message string `json:"msg"`
		Level   string `json:"level"`
		Address string `json:"address"`
		Admin   string `json:"admin_address"`
	}
	_ = json.Unmarshal(line, &entry)
	if entry.Message == "serving" {
		p.address, p.admin = entry.Address, entry.Admin
		close(serving)
	}
	if entry.Message != "request" || entry.Level != "INFO" {
		p.log.Write(line)
		p.log.WriteByte('\n')
	}
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// signal sends SIGTERM.
func (p *process) signal(t *testing.T) {
	t.Helper()
	p.signalledAt = time.Now()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the end after a signal, which must be a clean one.
func (p *process) wait(t *testing.T) (took time.Duration) {
	t.Helper()
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("chancery serve ended with %v\n%s", err, p.logged())
		}
	case <-time.After(time.Minute):
		t.Fatalf("chancery serve does not end:\n%s", p.logged())
	}
	return time.Since(p.signalledAt)
}

func (p *process) terminate(t *testing.T) (took time.Duration) {
	t.Helper()
	p.signal(t)
	return p.wait(t)
}

// ready asks /readyz.
func (p *process) ready() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.admin+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// memory reads a line of /proc/PID/status, in bytes.
func (p *process) memory(t *testing.T, line string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		lacking(t, "no /proc, which tells a process's memory: %v", err)
	}
	for found := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(found, line+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	lacking(t, "/proc/PID/status has no %s here", line)
	return 0
}

// lacking skips a test for want of something outside Go, or fails it where
// everything must be there.
func lacking(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CHANCERY_TEST_REQUIRE") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// A seeded is a database with people in it, and the file that serves it.
type seeded struct {
	dir, file       string
	key, secret     string // of contract D
	login, password string // of contract B
}

// seed writes a configuration for two contracts and their people.
func seed(t *testing.T, database string) seeded {
	t.Helper()
	s := seeded{dir: t.TempDir()}
	if database == "" {
		database = "sqlite:" + filepath.Join(s.dir, "chancery.db")
	}
	s.file = filepath.Join(s.dir, "chancery.yaml")
	text := fmt.Sprintf(`database: %s
master_key_file: %s
issuer: http://127.0.0.1:8080
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
throttle: {failures: 1000000, network_failures: 1000000}
hashing: {queue_timeout: 20s}
mail: {folder: %s}
serve:
  - {dialect: instant-classification, host: instant-classification.example, settings: {frontend_url: "%s"}}
  - {dialect: kyc, host: kyc.example}
  - {dialect: datafiniti, host: datafiniti.example}
  - {dialect: pagfast, host: pagfast.example}
`, database, filepath.Join(s.dir, "master-key.json"), filepath.Join(s.dir, "mail"), frontend)
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := chancery.LoadConfig(s.file, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := chancery.Open(t.Context(), loaded.WithDefaults(), chancery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	people := &site{server: server, hashes: map[string]core.PasswordHash{}}
	key, secret := people.accessKey(t)
	s.key, s.secret = key.Identifier, secret.Reveal()
	s.login, s.password = people.account(t, kyc).Login, password
	return s
}
