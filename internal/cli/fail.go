package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/strictyaml"
)

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
	exitConfig  = 78 // EX_CONFIG of sysexits.h: systemd does not restart on it
)

// manuals is where the documentation is published: who has the program alone has no docs
// folder.
const manuals = "https://github.com/chancery-auth/chancery/blob/main/docs/"

// A failure is an error that says what to do about it.
type failure struct {
	error
	code int
	hint string
}

func (f *failure) Unwrap() error { return f.error }

// Hint says what to do.
func (f *failure) Hint() string { return f.hint }

func usageFault(hint, format string, args ...any) error {
	return &failure{fmt.Errorf(format, args...), exitUsage, hint}
}

func configFault(err error, hint string) error {
	return &failure{err, exitConfig, hint}
}

func withHint(err error, hint string) error {
	return &failure{err, exitFailure, hint}
}

// report tells err as `chancery: …` lines and then its hint, and returns the exit code.
// Both may quote files from elsewhere, which are not to steer the terminal.
func (p *program) report(err error) int {
	if err == nil {
		return 0
	}
	for line := range strings.Lines(redact(wording(err))) {
		fmt.Fprintf(p.err, "chancery: %s\n", plain(strings.TrimRight(line, "\n")))
	}
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(p.err, "chancery: hint: %s\n", printable(redact(hint)))
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	return exitFailure
}

// wording is the text of err without the kinds of core's errors, which are words
// for dialects and metrics.
func wording(err error) string {
	text := err.Error()
	if refusal, ok := errors.AsType[*core.Error](err); ok && (refusal.Reason != "" || refusal.Err != nil) {
		text = strings.ReplaceAll(text, refusal.Error(), sentence(refusal))
	}
	return text
}

// hintFor says what to do about err: in its own words where it has some.
func hintFor(err error) string {
	if hinted, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok && hinted.Hint() != "" {
		return hinted.Hint()
	}
	if unknown, ok := errors.AsType[*chancery.UnknownDialect](err); ok {
		return unknownDialectHint(unknown)
	}
	if _, ok := errors.AsType[dialect.Faults](err); ok {
		return "`chancery dialect check` shows each fault in its line of the file"
	}
	switch {
	case errors.Is(err, chancery.ErrNewerDatabase):
		return "upgrade chancery, or restore a backup of the database from before the newer one ran"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program has that port: stop it, or choose another with --listen and --admin-listen"
	case errors.Is(err, syscall.EACCES) && strings.Contains(err.Error(), "listen"):
		return "ports under 1024 are kept for root: choose another with --listen, or give the binary CAP_NET_BIND_SERVICE"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "give the user that runs chancery the right to read and write there, or name another folder"
	case errors.Is(err, syscall.EISDIR):
		return "that is a folder: name a file in it"
	case errors.Is(err, syscall.ENOTDIR):
		return "a file has that name, where a folder is wanted: name another"
	case errors.Is(err, fs.ErrNotExist):
		return "check the path; it is relative to the folder that chancery is started in"
	case core.KindOf(err) == core.Unavailable:
		return "the database cannot be reached or is busy: check that it runs and that `database:` is right"
	}
	return ""
}

// unknownDialectHint says what a name that is no dialect's may have been meant for.
func unknownDialectHint(unknown *chancery.UnknownDialect) string {
	file := fileHint(unknown.Name)
	if _, err := fs.Stat(chancery.ExampleDialects(), unknown.Name+".yaml"); err == nil && file == "" {
		return fmt.Sprintf("%[1]s is an example: `chancery dialect show %[1]s > dialects/%[1]s.yaml` makes it yours", unknown.Name)
	}
	if near := strictyaml.Nearest(unknown.Name, unknown.Known); near != "" {
		return fmt.Sprintf("did you mean %s? `chancery dialect list` shows them all", near)
	}
	return cmp.Or(file, "`chancery dialect list` shows them all; a file of your own goes into the folder that `dialects:` names")
}

// fileHint says how to name what stands in the working folder, where that was taken for
// a dialect's name; "" if there is no such thing.
func fileHint(name string) string {
	if info, err := os.Stat(name + ".yaml"); err == nil && info.Mode().IsRegular() {
		return fmt.Sprintf("a name is looked up among the dialects; write ./%s.yaml for the file of this folder", name)
	}
	switch info, err := os.Stat(name); {
	case err != nil:
		return ""
	case info.IsDir():
		return fmt.Sprintf("that is a folder: name its files, as in %s/*.yaml", name)
	}
	return fmt.Sprintf("a dialect's file ends in .yaml: rename %s; what is JSON is YAML too", name)
}

func flagFault(command *cobra.Command, err error) error {
	hint := fmt.Sprintf("`%s --help` lists the flags", command.CommandPath())
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var known []string
		command.Flags().VisitAll(func(flag *flagType) { known = append(known, flag.Name) })
		if near := strictyaml.Nearest(name, known); near != "" {
			hint = fmt.Sprintf("did you mean --%s? %s", near, hint)
		}
	}
	return usageFault(hint, "%w", err)
}

func unknownCommand(command *cobra.Command, name string) error {
	var known []string
	for _, sub := range command.Commands() {
		known = append(known, sub.Name())
	}
	hint := fmt.Sprintf("`%s --help` lists the commands", command.CommandPath())
	if near := strictyaml.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean `%s %s`? %s", command.CommandPath(), near, hint)
	}
	return usageFault(hint, "there is no command %q", strings.TrimPrefix(command.CommandPath()+" "+name, "chancery "))
}

// words takes exactly the arguments that names say.
func words(names ...string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		what := "nothing"
		if len(names) > 0 {
			what = strings.Join(names, " ")
		}
		return usageFault(fmt.Sprintf("`%s --help` shows an example", command.CommandPath()),
			"%s: want %s after the command, got %d arguments", strings.TrimPrefix(command.CommandPath(), "chancery "), what, len(args))
	}
}

// someWords takes one argument or more.
func someWords(name string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return words(name)(command, args)
	}
}

// isConfiguration reports whether err is about what the operator wrote.
func isConfiguration(err error) bool {
	if _, ok := errors.AsType[*chancery.UnknownDialect](err); ok {
		return true
	}
	_, ok := errors.AsType[dialect.Faults](err)
	return ok
}
