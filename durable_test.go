package chancery_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// R2: between two replies with a token the write-ahead log is synced to disk, for
// 1,000 of 1,000. A kill proves nothing about power loss; the system calls do.
func TestSyncPrecedesReply(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		missing(t, "strace, which shows the order of system calls, is not installed")
	}
	const tokens = 1_000
	dir := t.TempDir()
	seedKeys(t, dir)
	trace := filepath.Join(dir, "trace")
	command := exec.Command(strace, "-f", "-qq", "-s", "16", "-e", "trace=write,fsync,fdatasync", "-o", trace, os.Args[0]) //nolint:gosec // our own binary
	command.Env = append(os.Environ(), serverFolder+"="+dir, "CHANCERY_TEST_QUIET=1")
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var address string
	var pid int
	if _, err := fmt.Sscan(line, &address, &pid); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"accessKey":%q,"secret":%q}`, writerKey(0), writerSecret(0))
	for range tokens {
		response, err := http.Post("http://"+address+"/login", "application/json", strings.NewReader(body)) //nolint:noctx // bounded by the test
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusCreated {
			t.Fatalf("status %d, want 201", response.StatusCode)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	synced, unsynced := replies(t, trace)
	if unsynced > 0 || synced != tokens {
		t.Errorf("%d replies came after a sync and %d without one, want %d and 0", synced, unsynced, tokens)
	}
}

var (
	syncDone   = regexp.MustCompile(`(fsync|fdatasync)(\([0-9]+\)| resumed>\)) += 0`)
	tokenReply = regexp.MustCompile(`write\([0-9]+, "HTTP/1\.1 201`)
)

// replies counts the replies with a token that followed a sync of their own.
func replies(t *testing.T, trace string) (synced, unsynced int) {
	t.Helper()
	file, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sync := false
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		switch line := scanner.Text(); {
		case syncDone.MatchString(line):
			sync = true
		case tokenReply.MatchString(line) && sync:
			synced, sync = synced+1, false
		case tokenReply.MatchString(line):
			unsynced++
		}
	}
	return synced, unsynced
}

// missing skips a test that needs what is not here; where everything is required
// it fails.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CHANCERY_TEST_REQUIRE") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
