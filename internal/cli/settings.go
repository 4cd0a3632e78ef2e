package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/chancery-auth/chancery"
)

type flagType = pflag.Flag

// settings are the parts of the configuration that can be given as flags. None
// of them may hold a secret but the database's URL, which the environment or the
// file is the better place for.
type settings struct {
	given []func(*chancery.Config)
}

// flag declares a flag that overrides one member of the configuration.
func (s *settings) flag(command *cobra.Command, name, usage string, set func(*chancery.Config, string)) {
	value := new(string)
	command.Flags().StringVar(value, name, "", usage)
	s.given = append(s.given, func(config *chancery.Config) {
		if command.Flags().Changed(name) {
			set(config, *value)
		}
	})
}

func (s *settings) database(command *cobra.Command) {
	s.flag(command, "database", "sqlite:PATH or a postgres:// URL", func(c *chancery.Config, v string) { c.Database = v })
}

func (s *settings) dialects(command *cobra.Command) {
	s.flag(command, "dialects", "folder of dialect files", func(c *chancery.Config, v string) { c.Dialects = v })
}

// config returns the whole configuration, checked.
func (p *program) config(s settings) (chancery.Config, error) {
	config, _, err := p.load(s, false)
	return config, err
}

// adminConfig is config for commands that serve nothing: `serve:` may be empty.
func (p *program) adminConfig(s settings) (chancery.Config, error) {
	config, _, err := p.load(s, true)
	return config, err
}

const configHint = "`chancery config check` tells everything that is wrong; " + manuals + "configuration.md describes each setting"

// load returns the configuration, and the file that it was read from, if there was one.
func (p *program) load(s settings, admin bool) (config chancery.Config, file string, err error) {
	loaded, err := chancery.LoadConfig(p.configFile, p.environ)
	if errors.Is(err, fs.ErrNotExist) {
		return chancery.Config{}, "", configFault(err, "check the path; without --config, ./chancery.yaml or /etc/chancery/chancery.yaml is read if it is there")
	} else if err != nil {
		return chancery.Config{}, "", configFault(err, configHint)
	}
	for _, warning := range loaded.Warnings {
		fmt.Fprintf(p.err, "chancery: warning: %s\n", redact(warning))
	}
	config = loaded.Config
	for _, set := range s.given {
		set(&config)
	}
	config = config.WithDefaults()
	checked := config
	if admin && len(config.Serve) == 0 {
		checked.Serve = []chancery.Mount{{Dialect: "any"}}
	}
	if err := loaded.Check(checked); err != nil {
		return chancery.Config{}, "", configFault(err, configHint)
	}
	return config, loaded.File, nil
}
