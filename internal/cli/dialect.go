package cli

import (
	"cmp"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery"
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
			if filepath.Ext(args[0]) == ".yaml" || strings.ContainsRune(args[0], filepath.Separator) {
				return usageFault("a file of your own is read by any editor; `chancery dialect list` shows the names", "%s: show takes a dialect's name, and no file", args[0])
			}
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
