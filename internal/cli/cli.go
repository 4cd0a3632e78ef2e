// Package cli is the command line: one file per command. It reads flags, asks the
// chancery package, and words what comes back for a person at a terminal.
//
// It holds no rules and knows no store: administration goes through
// core.Registry. [Main] is the way in; fail.go says how errors are told and which
// exit code they have.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Main runs the command line of this process and returns its exit code. TERM
// and INT end it in good order; a second one ends it at once.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop)
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}
	return p.run(ctx, os.Args[1:])
}

// A program is one run of the command line, with all that it touches.
type program struct {
	in         io.Reader
	out, err   io.Writer
	environ    []string
	configFile string
}

func (p *program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	root.SetOut(p.out)
	root.SetErr(p.err)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted before it was done") // whatever it was in the midst of
	}
	return p.report(err)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "chancery",
		Short: "Turn credentials into bearer tokens, in the words of the API that is served",
		Long: `Chancery turns credentials into bearer tokens, in the words of the API that is served.

Try it with:  chancery demo

Settings come from flags, then from the environment (CHANCERY_LISTEN, …), then
from the file named by --config, ./chancery.yaml or /etc/chancery/chancery.yaml.
Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().StringVar(&p.configFile, "config", "", "configuration file (default ./chancery.yaml, then /etc/chancery/chancery.yaml)")
	root.SetFlagErrorFunc(flagFault)
	root.AddCommand(
		p.serveCommand(), p.demoCommand(), p.applyCommand(),
		p.accountCommand(), p.keyCommand(), p.auditCommand(), p.dialectCommand(),
		p.configCommand(), p.versionCommand(),
	)
	group(root)
	return root
}

// group makes a command that only holds others: alone it shows its help, and it
// refuses words that are no command.
func group(command *cobra.Command) *cobra.Command {
	command.Args = cobra.ArbitraryArgs // refused below, with a hint
	command.RunE = func(command *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(command, args[0])
		}
		return command.Help()
	}
	return command
}
