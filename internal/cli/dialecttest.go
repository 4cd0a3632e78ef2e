package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery/internal/dialect"
)

func (p *program) dialectTestCommand() *cobra.Command {
	var choice dialectChoice
	command := &cobra.Command{
		Use:   "test NAME|FILE...",
		Short: "Serve dialects and send them the examples of their files",
		Long: `Serve a dialect on a free port, with a database of its own and the sample
identities of its file, send it every example, and compare the replies: status,
headers, and bodies byte by byte, the order of members included.`,
		Example: "  chancery dialect test kyc\n  chancery dialect test dialects/mine.yaml",
		Args:    someWords("NAME|FILE"),
		RunE: func(command *cobra.Command, args []string) error {
			var failed []error
			for _, named := range args {
				chosen, err := p.choose(&choice, named)
				if err != nil {
					return err
				}
				results, err := chosen.runExamples(command.Context())
				if err != nil {
					return err
				}
				failed = append(failed, p.showResults(chosen.mount.Dialect, results))
			}
			return errors.Join(failed...)
		},
	}
	choice.flags(command)
	return command
}

// showResults tells how the examples went; its error says that some failed.
func (p *program) showResults(name string, results []dialect.ExampleResult) error {
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
		return withHint(fmt.Errorf("dialect %s: %d of %d examples failed", name, failed, len(results)),
			"change the contract or the example, whichever is wrong; `chancery dialect explain --example NAME` tells how a reply came about")
	}
	fmt.Fprintf(p.out, "%s passed\n", count(len(results), "example"))
	return nil
}

func indent(text string) string {
	return "      " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n      ")
}

// runExamples sends a dialect its examples, on a server for each choice of settings
// that they want, and the results are in the file's order. Those that are repeated
// have a server that counts failures as usual.
func (c *chosenDialect) runExamples(ctx context.Context) ([]dialect.ExampleResult, error) {
	d, err := c.load()
	if err != nil {
		return nil, openFault(err)
	}
	var results []dialect.ExampleResult
	for _, settings := range d.SettingSets() {
		with := *c
		with.mount.Settings = maps.Clone(c.mount.Settings)
		if with.mount.Settings == nil {
			with.mount.Settings = map[string]any{}
		}
		maps.Copy(with.mount.Settings, settings)
		for _, repeated := range []bool{false, true} {
			skip := func(e dialect.Example) bool { return e.Repeat > 1 != repeated }
			if !slices.ContainsFunc(d.Examples(), func(e dialect.Example) bool { return maps.Equal(e.Settings, settings) && !skip(e) }) {
				continue
			}
			some, err := with.try(ctx, settings, repeated, skip)
			if err != nil {
				return nil, err
			}
			results = append(results, some...)
		}
	}
	order := map[string]int{}
	for i, e := range d.Examples() {
		order[e.Name] = i
	}
	slices.SortStableFunc(results, func(a, b dialect.ExampleResult) int { return order[a.Example.Name] - order[b.Example.Name] })
	return results, nil
}

// try runs some of the examples on a server of their own.
func (c *chosenDialect) try(ctx context.Context, settings map[string]any, throttled bool, skip func(dialect.Example) bool) (_ []dialect.ExampleResult, err error) {
	server, err := c.serveThrottled(ctx, throttled, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	trial := dialect.Trial{Dialect: server.dialect, Client: server.client, BaseURL: server.base, Settings: settings, Skip: skip, Mails: server.mails.all}
	return trial.Run(ctx), nil
}
