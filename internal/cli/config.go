package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
)

func (p *program) configCommand() *cobra.Command {
	command := &cobra.Command{Use: "config", Short: "Check the configuration"}
	command.AddCommand(p.configCheckCommand())
	return group(command)
}

func (p *program) configCheckCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:     "check",
		Short:   "Tell everything that is wrong with the configuration and the dialects that it serves",
		Example: "  chancery config check --config chancery.yaml",
		Args:    words(),
		RunE: func(*cobra.Command, []string) error {
			config, err := p.config(s)
			if err != nil {
				return err
			}
			if err := chancery.CheckDialects(config); err != nil {
				return configFault(err, hintFor(err))
			}
			for _, mount := range config.Serve {
				fmt.Fprintf(p.out, "serves %s for realm %s at %s%s\n", mount.Dialect, mount.Realm, config.Issuer, mount.Prefix)
			}
			fmt.Fprintf(p.out, "keeps its data in %s\n", redact(config.Database))
			_, err = fmt.Fprintln(p.out, "the configuration is right")
			return err
		},
	}
	s.database(command)
	s.dialects(command)
	return command
}
