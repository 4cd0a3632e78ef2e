package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/dialect"
)

func (p *program) dialectTestCommand() *cobra.Command {
	choice := dialectChoice{bare: true} // the examples are about the file
	command := &cobra.Command{
		Use:   "test NAME|FILE...",
		Short: "Serve dialects and send them the examples of their files",
		Long: `Serve a dialect on a free port, with a database of its own and the sample
identities of its file, send it every example, and compare the replies: status,
headers, and bodies byte by byte, the order of members included. Examples with
settings of their own have a server of their own, and so have those that are repeated:
it counts failing sign-ins, as others do not. The examples are about the file: settings
that the configuration has for the dialect are not taken; give --with to try some.`,
		Example: "  chancery dialect test kyc\n  chancery dialect test dialects/mine.yaml",
		Args:    someWords("NAME|FILE"),
		RunE: func(command *cobra.Command, args []string) error {
			return each(command.Context(), args, func(named string) error {
				chosen, err := p.choose(&choice, named)
				if err != nil {
					return err
				}
				results, err := chosen.runExamples(command.Context())
				if err != nil {
					return err
				}
				if len(args) > 1 {
					fmt.Fprintf(p.out, "%s\n", named)
				}
				return p.showResults(&chosen, results)
			})
		},
	}
	choice.flags(command)
	return command
}

// An exampleRun is how an example went, and why the server answered as it did.
type exampleRun struct {
	dialect.ExampleResult
	why []dialect.Step
}

// showResults tells how the examples went; its error says that some failed.
func (p *program) showResults(chosen *chosenDialect, results []exampleRun) error {
	name := chosen.mount.Dialect
	failed := 0
	for _, result := range results {
		if result.Diff == "" {
			fmt.Fprintf(p.out, "ok    %s\n", result.Example.Name)
			continue
		}
		failed++
		p.showFailed(chosen, result)
	}
	switch {
	case len(results) == 0:
		return withHint(fmt.Errorf("dialect %s has no examples", name), "examples are its tests and its documentation: add some")
	case failed > 0:
		return withHint(fmt.Errorf("dialect %s: %d of %s failed", name, failed, count(len(results), "example")),
			"change the contract or the example, whichever is wrong; `chancery dialect explain --example NAME` tells how a reply came about")
	}
	fmt.Fprintf(p.out, "%s passed\n", count(len(results), "example"))
	return nil
}

// showFailed tells how the reply to an example differs, and what the server had made
// of its request: the rules that it broke and the outcome, each with its line.
func (p *program) showFailed(chosen *chosenDialect, result exampleRun) {
	fmt.Fprintf(p.out, "FAIL  %s\n%s\n", result.Example.Name, indent(result.Diff))
	for _, step := range result.why {
		fmt.Fprintf(p.out, "      %-7s  %s%s\n", step.Name, plain(step.Text), chosen.place(step))
	}
}

// place is where a step stands in the dialect's file, behind its text.
func (c *chosenDialect) place(step dialect.Step) string {
	if step.Line == 0 {
		return ""
	}
	file, _, err := chancery.ReadDialect(c.config, c.mount.Dialect)
	if err != nil {
		file = c.mount.Dialect
	}
	return fmt.Sprintf("  (%s:%d)", file, step.Line)
}

func indent(text string) string {
	return "      " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n      ")
}

// runExamples serves the dialect on each bench that its examples want, and sends it
// its examples. The results are in the file's order.
func (c *chosenDialect) runExamples(ctx context.Context) ([]exampleRun, error) {
	d, err := c.load()
	if err != nil {
		return nil, openFault(err)
	}
	if err := documentable(d); err != nil {
		return nil, err
	}
	all := d.Examples()
	var results []exampleRun
	place := map[string]int{}
	for i := range all {
		place[all[i].Name] = i
		on := benchOf(&all[i])
		if slices.ContainsFunc(all[:i], on.serves) {
			continue // it has had its turn
		}
		some, err := c.runSome(ctx, on)
		if err != nil {
			return nil, err
		}
		results = append(results, some...)
	}
	slices.SortStableFunc(results, func(a, b exampleRun) int { return place[a.Example.Name] - place[b.Example.Name] })
	return results, nil
}

func (c *chosenDialect) runSome(ctx context.Context, on bench) (_ []exampleRun, err error) {
	server, err := c.serveForTests(ctx, on, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	return server.runExamples(ctx), nil
}

// runExamples sends the bench's examples.
func (s *testServer) runExamples(ctx context.Context) []exampleRun {
	var why [][]dialect.Step // of the calls before each example, and then of the last
	t := s.trial(s.client)
	t.Before = func(dialect.Example) { why = append(why, s.told.take()) }
	results := t.Run(ctx)
	why = append(why, s.told.take())
	var runs []exampleRun
	for i, result := range results {
		runs = append(runs, exampleRun{result, why[i+1]})
	}
	return runs
}
