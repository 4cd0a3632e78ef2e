package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs puts this test binary, as chancery, into a folder for PATH.
var programs = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "chancery-programs-")
	if err != nil {
		return "", err
	}
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	return folder, os.Symlink(program, filepath.Join(folder, "chancery"))
})

// start runs a command line in folder until the test ends, and returns its output
// up to the line that holds until.
func start(t *testing.T, folder, commandLine, until string, environment ...string) string {
	t.Helper()
	command := shell(t, t.Context(), folder, "exec "+commandLine, environment...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = patience
	out, in := io.Pipe()
	command.Stdout, command.Stderr = in, in
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		err := command.Wait()
		_ = in.Close()
		ended <- err
	}()
	go func() {
		var text strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			text.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), until) {
				select {
				case ready <- text.String():
				default: // it said so before
				}
			}
		}
	}()
	select {
	case text := <-ready:
		t.Cleanup(func() { // t.Context has just ended
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", commandLine, err)
			}
		})
		return text
	case err := <-ended:
		t.Fatalf("%s ended before it said %q: %v", commandLine, until, err)
	case <-time.After(patience):
		t.Fatalf("%s did not say %q in time", commandLine, until)
	}
	return ""
}

// shell is a command line for a shell that finds chancery.
func shell(t *testing.T, ctx context.Context, folder, commandLine string, environment ...string) *exec.Cmd {
	t.Helper()
	path, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, "sh", "-euc", commandLine)
	command.Dir = folder
	command.Env = append(os.Environ(), append(environment, "PATH="+path+":"+os.Getenv("PATH"))...)
	return command
}

// TestDemo pastes every line that the demo prints into a shell.
func TestDemo(t *testing.T) {
	folder := t.TempDir()
	printed := start(t, folder, "chancery demo --listen 127.0.0.1:0 --dir shown", "Mails are shown here")
	counts := map[string]int{}
	for line := range strings.Lines(printed) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "  ")
		program, _, _ := strings.Cut(line, " ")
		if !indented || program == "#" {
			continue
		}
		if missing := lacking(t, program); missing != "" {
			t.Log(missing)
			continue
		}
		counts[program]++
		out, err := shell(t, t.Context(), folder, line).CombinedOutput()
		switch text := string(out); {
		case err != nil:
			t.Errorf("%s\n%v\n%s", line, err, out)
		case program == "curl" && !strings.Contains(line, "Bearer"):
			if !strings.Contains(text, "eyJ") {
				t.Errorf("%s\ngave no token: %s", line, out)
			}
		case !strings.Contains(text, `"user"`) && !strings.Contains(text, `"is_active":true`):
			t.Errorf("%s\nwas not let in: %s", line, out)
		}
	}
	if counts["curl"] != 8 || counts["go"] != 4 {
		t.Errorf("ran %v, want two lines of curl and one of go for each of four contracts", counts)
	}
}

// lacking says what the machine lacks for running a program of the demo.
func lacking(t *testing.T, program string) string {
	missing := ""
	if _, err := exec.LookPath(program); err != nil {
		missing = program + " is not installed: its lines were not run"
	} else if program == "python3" && exec.CommandContext(t.Context(), program, "-c", "import requests").Run() != nil {
		missing = "Python's package requests is not installed: the Python samples were not run"
	}
	if missing != "" && os.Getenv("CHANCERY_TEST_REQUIRE") == "1" {
		t.Fatal(missing)
	}
	return missing
}
