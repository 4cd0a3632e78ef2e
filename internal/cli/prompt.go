package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/chancery-auth/chancery/core"
)

// password reads a new password: the first line of standard input, or typed
// twice at a terminal. It is never a flag, which other users of the machine see.
func (p *program) password(fromStdin bool) (core.Secret, error) {
	if fromStdin {
		line, err := bufio.NewReader(io.LimitReader(p.in, core.MaxPassword+2)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return core.Secret{}, fmt.Errorf("password from standard input: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return core.Secret{}, usageFault("such as: printf '%s\\n' \"$PASSWORD\" | chancery account create …", "standard input holds no password")
		}
		return core.NewSecret(line), nil
	}
	terminal := p.terminal()
	if terminal == nil {
		return core.Secret{}, usageFault("give --password-stdin and the password on standard input, or --no-password", "there is no terminal to ask for the password")
	}
	first, err := p.ask(terminal, "Password: ")
	if err != nil {
		return core.Secret{}, err
	}
	second, err := p.ask(terminal, "Once more: ")
	if err != nil {
		return core.Secret{}, err
	}
	if first.Reveal() != second.Reveal() {
		return core.Secret{}, withHint(errors.New("the two passwords differ"), "type the same one twice")
	}
	return first, nil
}

// terminal is standard input where a person types it, or nil.
func (p *program) terminal() *os.File {
	if file, ok := p.in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

// An interruptible reader stops waiting for what somebody types when its context ends.
type interruptible struct {
	ctx context.Context //nolint:containedctx // it lives for one conversation
	in  io.Reader
}

func (r *interruptible) Read(to []byte) (int, error) {
	type piece struct {
		text []byte
		err  error
	}
	read := make(chan piece, 1) // which nobody may wait for any more
	go func() {
		text := make([]byte, len(to))
		n, err := r.in.Read(text)
		read <- piece{text[:n], err}
	}()
	select {
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	case p := <-read:
		return copy(to, p.text), p.err
	}
}

func (p *program) ask(terminal *os.File, prompt string) (core.Secret, error) {
	fmt.Fprint(p.err, prompt)
	text, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(p.err)
	if err != nil {
		return core.Secret{}, fmt.Errorf("password: %w", err)
	}
	return core.NewSecret(string(text)), nil
}

// confirm asks before what cannot be undone; yes is the flag that answers it. Without
// a terminal to ask at, the flag is needed.
func (p *program) confirm(yes bool, format string, args ...any) error {
	if yes {
		return nil
	}
	terminal, ok := p.in.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return usageFault("give --yes to do it without being asked", "there is no terminal to ask at: %s", fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(p.err, format+" Type yes: ", args...)
	answer, err := bufio.NewReader(io.LimitReader(terminal, 100)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}
