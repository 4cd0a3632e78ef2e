package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// A dialectChoice is the dialect that a command is about, and how it is mounted.
type dialectChoice struct {
	settings
	with []string // SETTING=VALUE, as an operator would choose them
	bare bool     // whether the configuration's own settings of it are never taken
}

func (c *dialectChoice) flags(command *cobra.Command) {
	c.dialects(command)
	command.Flags().StringArrayVar(&c.with, "with", nil, "SETTING=VALUE: choose a setting of the dialect as an operator would (repeatable)")
}

// servedNote is what the help says about where settings come from.
const servedNote = `A dialect given by NAME is taken with the settings that the configuration serves it
with, and they are told on standard error; one given by FILE is taken as it stands.
--with SETTING=VALUE comes before both.`

// A chosenDialect is a dialect that is only looked at, in a realm of its own.
type chosenDialect struct {
	config chancery.Config
	mount  chancery.Mount
	prefix string // under which the configuration serves it
}

// choose finds what is named: a dialect, or a file by its path. A dialect that is named
// is mounted as the configuration serves it, which is told. A file stands for itself:
// what somebody chose for a dialect that happens to have its name is not laid over it.
func (p *program) choose(c *dialectChoice, named string) (chosenDialect, error) {
	config, from, err := p.load(c.settings, true)
	if err != nil {
		return chosenDialect{}, err
	}
	name, isFile, err := dialectFile(&config, named)
	if err != nil {
		return chosenDialect{}, err
	}
	chosen := chosenDialect{config: config, mount: chancery.Mount{Dialect: name, Realm: testRealm}}
	if !isFile && !c.bare {
		chosen.mountAsServed()
		p.tellSettings(from, chosen.mount.Settings)
	}
	chosen.mount.Settings, err = withSettings(chosen.mount.Settings, c.with)
	return chosen, err
}

// each does something for all that are named. One that cannot be taken does not keep the
// others from it; what keeps all of them is told once.
func each(ctx context.Context, named []string, do func(string) error) error {
	var failed []error
	for _, one := range named {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := do(one)
		if err != nil && !slices.ContainsFunc(failed, func(before error) bool { return before.Error() == err.Error() }) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// mountAsServed takes the settings and the prefix that the configuration has for it.
func (c *chosenDialect) mountAsServed() {
	at := slices.IndexFunc(c.config.Serve, func(m chancery.Mount) bool { return m.Dialect == c.mount.Dialect })
	if at >= 0 {
		c.mount.Settings, c.prefix = c.config.Serve[at].Settings, c.config.Serve[at].Prefix
	}
}

// tellSettings says which settings of a file are laid over a dialect, if there are any.
func (p *program) tellSettings(file string, settings map[string]any) {
	if len(settings) == 0 {
		return
	}
	if filepath.IsLocal(file) {
		file = "." + string(filepath.Separator) + filepath.Clean(file)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		all = append(all, fmt.Sprintf("%s=%v", name, settings[name]))
	}
	fmt.Fprintf(p.err, "chancery: with the settings of %s: %s\n", file, plain(strings.Join(all, ", ")))
}

// dialectFile makes config find what is named, and returns its name and whether it is
// a file's path.
func dialectFile(config *chancery.Config, named string) (name string, isFile bool, err error) {
	if filepath.Ext(named) != ".yaml" && !strings.ContainsRune(named, filepath.Separator) {
		return named, false, nil
	}
	if filepath.Ext(named) != ".yaml" {
		return "", true, usageFault(cmp.Or(fileHint(named), "name it NAME.yaml"), "%s: a dialect's file ends in .yaml", named)
	}
	name = strings.TrimSuffix(filepath.Base(named), ".yaml")
	switch info, err := os.Stat(named); { // or a built-in one of that name would be taken
	case errors.Is(err, fs.ErrNotExist):
		return "", true, missingFile(*config, named, name)
	case err != nil:
		return "", true, err
	case info.Mode().IsRegular() && info.Size() == 0:
		return "", true, usageFault("`chancery dialect new` drafts one from a line of curl; `chancery dialect show kyc` prints one to begin from", "%s is empty", named)
	}
	config.Dialects = filepath.Dir(named)
	return name, true, nil
}

// missingFile is the error for a file that is not there, though a dialect may be.
func missingFile(config chancery.Config, named, name string) error {
	hint := "check the path; it is relative to the folder that chancery is started in"
	if _, _, err := chancery.ReadDialect(config, name); err == nil {
		hint = fmt.Sprintf("a path is a file's; the dialect of that name is %s, without .yaml", name)
	}
	return withHint(fmt.Errorf("there is no file %s", named), hint)
}

// withSettings lays choices over settings. Values are written as in YAML.
func withSettings(settings map[string]any, with []string) (map[string]any, error) {
	if len(with) == 0 {
		return settings, nil
	}
	settings = maps.Clone(settings)
	if settings == nil {
		settings = map[string]any{}
	}
	for _, choice := range with {
		name, text, ok := strings.Cut(choice, "=")
		if !ok {
			return nil, usageFault("such as --with token_lifetime=30m", "with %q: want SETTING=VALUE", choice)
		}
		var value any
		err := yaml.Load([]byte(text), &value)
		switch value.(type) {
		case bool, int, int64, uint64, float64:
		default:
			value = text
		}
		if err != nil {
			value = text
		}
		settings[name] = value
	}
	return settings, nil
}

// load loads the dialect, and settles how it is mounted.
func (c *chosenDialect) load() (*dialect.Dialect, error) {
	d, err := chancery.LoadDialect(c.config, c.mount)
	if err == nil {
		return d, nil
	}
	// What mails lead to has no default, and is no fault of the file.
	again := c.mount
	again.Settings = exampleSettings(again.Settings)
	if d, err := chancery.LoadDialect(c.config, again); err == nil {
		c.mount = again
		return d, nil
	}
	return nil, err
}

// exampleAddress stands for one that an operator would give.
const exampleAddress = "https://app.example.com"

func exampleSettings(settings map[string]any) map[string]any {
	with := maps.Clone(settings)
	if with == nil {
		with = map[string]any{}
	}
	if _, given := with["frontend_url"]; !given {
		with["frontend_url"] = exampleAddress
	}
	return with
}

const testRealm = "test"
