package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/cli/demo"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/seed"
)

func (p *program) dialectCommand() *cobra.Command {
	command := &cobra.Command{Use: "dialect", Short: "List, show, check and test login contracts"}
	command.AddCommand(p.dialectListCommand(), p.dialectShowCommand(), p.dialectCheckCommand(), p.dialectTestCommand())
	return group(command)
}

func (p *program) dialectListCommand() *cobra.Command {
	var (
		s    settings
		form output
	)
	command := &cobra.Command{
		Use:     "list",
		Short:   "List the dialects: those that are built in and those of your folder",
		Example: "  chancery dialect list",
		Args:    words(),
		RunE: func(*cobra.Command, []string) error {
			config, err := p.adminConfig(s)
			if err != nil {
				return err
			}
			names, err := chancery.DialectNames(config)
			if err != nil {
				return err
			}
			type view struct {
				Name  string `json:"name"`
				Title string `json:"title"`
				File  string `json:"file,omitempty"` // none when it is built in
			}
			views, rows := []view{}, [][]string{}
			for _, name := range names {
				file, _, err := chancery.ReadDialect(config, name)
				if err != nil {
					return err
				}
				title := "faulty: see `chancery dialect check " + name + "`"
				if d, _, err := loadDialect(config, name); err == nil {
					title = d.Title()
				}
				if !strings.ContainsRune(file, filepath.Separator) {
					file = "" // a built-in one
				}
				views = append(views, view{name, title, file})
				from := file
				if from == "" {
					from = "built in"
				}
				rows = append(rows, []string{name, title, from})
			}
			return p.show(form, views, []string{"name", "title", "from"}, rows)
		},
	}
	form.flag(command)
	s.dialects(command)
	return command
}

func (p *program) dialectShowCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:     "show NAME",
		Short:   "Print a dialect's file, such as to begin one of your own from it",
		Example: "  chancery dialect show pagfast > dialects/mine.yaml",
		Args:    words("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			config, err := p.adminConfig(s)
			if err != nil {
				return err
			}
			_, source, err := chancery.ReadDialect(config, args[0])
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

func (p *program) dialectCheckCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:     "check NAME|FILE",
		Short:   "Tell everything that is wrong with a dialect's file, and what it costs in safety",
		Example: "  chancery dialect check kyc\n  chancery dialect check dialects/mine.yaml",
		Args:    words("NAME|FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			config, err := p.adminConfig(s)
			if err != nil {
				return err
			}
			name := dialectFile(&config, args[0])
			d, _, err := loadDialect(config, name)
			if err != nil {
				return openFault(err)
			}
			for _, warning := range d.Warnings() {
				fmt.Fprintf(p.out, "warning: %s\n", warning)
			}
			_, err = fmt.Fprintf(p.out, "%s is right: %d routes, %d examples\n", d.Name(), len(d.Paths()), len(d.Examples()))
			return err
		},
	}
	s.dialects(command)
	return command
}

// dialectFile makes config find what is named: a dialect, or a file by its path.
func dialectFile(config *chancery.Config, named string) (name string) {
	if filepath.Ext(named) != ".yaml" && !strings.ContainsRune(named, filepath.Separator) {
		return named
	}
	config.Dialects = filepath.Dir(named)
	return strings.TrimSuffix(filepath.Base(named), filepath.Ext(named))
}

// loadDialect loads a dialect to be looked at, and tells how it was mounted.
func loadDialect(config chancery.Config, name string) (*dialect.Dialect, chancery.Mount, error) {
	mount := testMount(config, name)
	d, err := chancery.LoadDialect(config, mount)
	if err == nil {
		return d, mount, nil
	}
	// What mails lead to has no default, and is no fault of the file.
	mount.Settings = exampleSettings(mount.Settings)
	if d, again := chancery.LoadDialect(config, mount); again == nil {
		return d, mount, nil
	}
	return nil, mount, err
}

// testMount is how a dialect is mounted that is only looked at: as the
// configuration serves it, or else with the settings of its file.
func testMount(config chancery.Config, name string) chancery.Mount {
	for _, mount := range config.Serve {
		if mount.Dialect == name {
			return chancery.Mount{Dialect: name, Realm: testRealm, Settings: mount.Settings}
		}
	}
	return chancery.Mount{Dialect: name, Realm: testRealm}
}

func exampleSettings(settings map[string]any) map[string]any {
	with := maps.Clone(settings)
	if with == nil {
		with = map[string]any{}
	}
	if _, given := with["frontend_url"]; !given {
		with["frontend_url"] = "https://app.example.com"
	}
	return with
}

const testRealm = "test"

func (p *program) dialectTestCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "test NAME|FILE",
		Short: "Serve a dialect and send it the examples of its file",
		Long: `Serve a dialect on a free port, with a database of its own and the sample
identities of its file, send it every example, and compare the replies.`,
		Example: "  chancery dialect test kyc\n  chancery dialect test dialects/mine.yaml",
		Args:    words("NAME|FILE"),
		RunE: func(command *cobra.Command, args []string) error {
			config, err := p.adminConfig(s)
			if err != nil {
				return err
			}
			name := dialectFile(&config, args[0])
			results, err := runExamples(command.Context(), config, name)
			if err != nil {
				return openFault(err)
			}
			failed := 0
			for _, result := range results {
				if result.Diff == "" {
					fmt.Fprintf(p.out, "ok    %s\n", result.Example.Name)
					continue
				}
				failed++
				fmt.Fprintf(p.out, "FAIL  %s\n%s\n", result.Example.Name, indent(result.Diff))
			}
			switch {
			case len(results) == 0:
				return withHint(fmt.Errorf("dialect %s has no examples", name), "examples are its tests and its documentation: add some")
			case failed > 0:
				return withHint(fmt.Errorf("dialect %s: %d of %d examples failed", name, failed, len(results)), "change the contract's file or the example, whichever is wrong")
			}
			_, err = fmt.Fprintf(p.out, "%d examples passed\n", len(results))
			return err
		},
	}
	s.dialects(command)
	return command
}

func indent(text string) string {
	return "      " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n      ")
}

// runExamples serves the dialect in a temporary folder and sends it its examples.
func runExamples(ctx context.Context, config chancery.Config, name string) (_ []dialect.ExampleResult, err error) {
	folder, err := os.MkdirTemp("", "chancery-dialect-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	listen, err := claim(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	tested := demoConfig(listen, folder, "")
	tested.Dialects = config.Dialects
	_, mount, err := loadDialect(config, name)
	if err != nil {
		return nil, err
	}
	tested.Serve = []chancery.Mount{mount}
	tested.Throttle = chancery.ThrottleConfig{Failures: 1 << 20, NetworkFailures: 1 << 20} // examples fail on purpose
	server, err := chancery.Open(ctx, tested, chancery.Options{Version: version()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	d := server.Dialects()[0]
	if err := seed.Identities(ctx, server.Registry(), d); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Run(running) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	select {
	case <-server.Ready():
	case err := <-ended:
		ended <- nil // for the deferred wait
		return nil, err
	}
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return d.RunExamples(ctx, client, tested.Issuer, func(sample string) (string, error) {
		return demo.Token(ctx, client, d, tested.Issuer, sample)
	}), nil
}
