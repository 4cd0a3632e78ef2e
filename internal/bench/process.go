package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A child is this program run again in another role, so that its processor time
// and memory are its own.
type child struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	addresses
	started time.Time
	ready   time.Duration // from exec to its first line
}

// addresses are what a child says of itself once it is ready.
type addresses struct {
	Public string
}

func startChild(role string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, append([]string{"-role", role}, args...)...)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c := &child{command: command, stdin: stdin, started: time.Now()}
	if err := command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	c.ready = time.Since(c.started)
	return c, json.Unmarshal([]byte(line), &c.addresses)
}

// stop ends the child, which waits for the end of its input.
func (c *child) stop() {
	_ = c.stdin.Close()
	_ = c.command.Wait()
}

// say is a child's side of startChild: it reports and waits for the end.
func say(a addresses) error {
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

const clockTick = 10 * time.Millisecond // USER_HZ is 100 on every Linux

// cpu is the user and system time that the child has used.
func (c *child) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.command.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}

// memory returns the resident size and its peak in MiB.
func (c *child) memory() (now, peak float64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.command.Process.Pid))
	if err != nil {
		return 0, 0
	}
	read := func(name string) float64 {
		_, after, _ := strings.Cut(string(status), name+":")
		kib, _ := strconv.ParseFloat(strings.Fields(after)[0], 64)
		return kib / 1024
	}
	return read("VmRSS"), read("VmHWM")
}

// resetPeak makes the peak start from now.
func (c *child) resetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", c.command.Process.Pid), []byte("5"), 0)
}
