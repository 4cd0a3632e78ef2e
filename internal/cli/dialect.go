package cli

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/dialect"
)

func (p *program) dialectCommand() *cobra.Command {
	command := &cobra.Command{Use: "dialect", Short: "Write, check, test and describe login contracts"}
	command.AddCommand(
		p.dialectNewCommand(), p.dialectCheckCommand(), p.dialectTestCommand(), p.dialectExplainCommand(),
		p.dialectDocsCommand(), p.dialectOpenAPICommand(), p.dialectSchemaCommand(), p.dialectListCommand(), p.dialectShowCommand(),
	)
	return group(command)
}

// A listedDialect is a dialect as lists show it.
type listedDialect struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	File  string `json:"file,omitempty"` // none when it comes with Chancery
}

func (p *program) dialectListCommand() *cobra.Command {
	var (
		s        settings
		form     output
		examples bool
	)
	command := &cobra.Command{
		Use:     "list",
		Short:   "List the dialects: those that are built in and those of your folder",
		Example: "  chancery dialect list\n  chancery dialect list --examples",
		Args:    words(),
		RunE: func(*cobra.Command, []string) error {
			config, err := p.adminConfig(s)
			if err != nil {
				return err
			}
			views, err := knownDialects(config)
			from := "built in"
			if examples {
				views, err = exampleDialects()
				from = "an example: `dialect show` prints it"
			}
			if err != nil {
				return err
			}
			rows := [][]string{}
			for _, v := range views {
				rows = append(rows, []string{v.Name, v.Title, cmp.Or(v.File, from)})
			}
			return p.show(form, views, []string{"name", "title", "from"}, rows)
		},
	}
	form.flag(command)
	s.dialects(command)
	command.Flags().BoolVar(&examples, "examples", false, "list contracts of known products instead, to begin your own from")
	return command
}

// knownDialects are those that can be served by their names.
func knownDialects(config chancery.Config) ([]listedDialect, error) {
	names, err := chancery.DialectNames(config)
	if err != nil {
		return nil, err
	}
	all := []listedDialect{}
	for _, name := range names {
		file, _, err := chancery.ReadDialect(config, name)
		if err != nil {
			return nil, err
		}
		v := listedDialect{name, "faulty: see `chancery dialect check " + name + "`", file}
		if !strings.ContainsRune(file, filepath.Separator) {
			v.File = "" // a built-in one
		}
		listed := chosenDialect{config: config, mount: chancery.Mount{Dialect: name, Realm: testRealm}}
		if d, err := listed.load(); err == nil {
			v.Title = d.Title()
		}
		all = append(all, v)
	}
	return all, nil
}

// exampleDialects are those that are only for looking at.
func exampleDialects() ([]listedDialect, error) {
	files, err := fs.Glob(chancery.ExampleDialects(), "*.yaml")
	if err != nil {
		return nil, err
	}
	all := []listedDialect{}
	for _, file := range files {
		source, err := fs.ReadFile(chancery.ExampleDialects(), file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(file, ".yaml")
		all = append(all, listedDialect{Name: name, Title: titleOf(source, name)})
	}
	return all, nil
}

// titleOf reads the title of a dialect's file without loading it.
func titleOf(source []byte, otherwise string) string {
	var head struct{ Title string }
	if err := yaml.Load(source, &head); err != nil || head.Title == "" {
		return otherwise
	}
	return head.Title
}

func (p *program) dialectShowCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:     "show NAME",
		Short:   "Print a dialect's file, or an example's, such as to begin one of your own from it",
		Example: "  chancery dialect show pagfast > dialects/mine.yaml\n  chancery dialect show keystone",
		Args:    words("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			config, err := p.adminConfig(s)
			if err != nil {
				return err
			}
			_, source, err := chancery.ReadDialect(config, args[0])
			if example, missing := fs.ReadFile(chancery.ExampleDialects(), args[0]+".yaml"); err != nil && missing == nil {
				source, err = example, nil
			}
			if err != nil {
				return err
			}
			_, err = p.out.Write(source)
			return err
		},
	}
	s.dialects(command)
	return command
}

// A dialectChoice is the dialect that a command is about, and how it is mounted.
type dialectChoice struct {
	settings
	with []string // SETTING=VALUE, as an operator would choose them
}

func (c *dialectChoice) flags(command *cobra.Command) {
	c.dialects(command)
	command.Flags().StringArrayVar(&c.with, "with", nil, "SETTING=VALUE: choose a setting of the dialect as an operator would (repeatable)")
}

// A chosenDialect is a dialect that is only looked at, in a realm of its own.
type chosenDialect struct {
	config chancery.Config
	mount  chancery.Mount
	prefix string // under which the configuration serves it
}

// choose finds what is named: a dialect, or a file by its path. It is mounted as the
// configuration serves it, or else with the settings of its file.
func (p *program) choose(c *dialectChoice, named string) (chosenDialect, error) {
	config, err := p.adminConfig(c.settings)
	if err != nil {
		return chosenDialect{}, err
	}
	name, err := dialectFile(&config, named)
	if err != nil {
		return chosenDialect{}, err
	}
	chosen := chosenDialect{config: config, mount: chancery.Mount{Dialect: name, Realm: testRealm}}
	for _, mount := range config.Serve {
		if mount.Dialect == name {
			chosen.mount.Settings, chosen.prefix = mount.Settings, mount.Prefix
			break
		}
	}
	chosen.mount.Settings, err = withSettings(chosen.mount.Settings, c.with)
	return chosen, err
}

// dialectFile makes config find what is named, and returns its name.
func dialectFile(config *chancery.Config, named string) (name string, err error) {
	if filepath.Ext(named) != ".yaml" && !strings.ContainsRune(named, filepath.Separator) {
		return named, nil
	}
	if filepath.Ext(named) != ".yaml" {
		return "", usageFault("name it NAME.yaml", "%s: a dialect's file ends in .yaml", named)
	}
	if _, err := os.Stat(named); err != nil { // or a built-in one of that name would be taken
		return "", err
	}
	config.Dialects = filepath.Dir(named)
	return strings.TrimSuffix(filepath.Base(named), ".yaml"), nil
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
