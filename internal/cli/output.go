package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// An output is how a command shows what it found: a table for people, JSON for programs.
type output string

func (o *output) flag(command *cobra.Command) {
	command.Flags().StringVarP((*string)(o), "output", "o", "table", "table or json")
}

// show prints rows as a table under the names, or value as JSON.
func (p *program) show(o output, value any, names []string, rows [][]string) error {
	switch o {
	case "json":
		encoder := json.NewEncoder(p.out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	case "table":
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, strings.ToUpper(strings.Join(names, "\t")))
		for _, row := range rows {
			for i := range row {
				row[i] = plain(row[i])
			}
			fmt.Fprintln(table, strings.Join(row, "\t"))
		}
		return table.Flush()
	default:
		return noSuchForm(o)
	}
}

func noSuchForm(o output) error {
	return usageFault("give --output table or --output json", "output %q: there is no such form", string(o))
}

// plain keeps control characters out of a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (0x7f <= r && r < 0xa0) {
			return '\uFFFD'
		}
		return r
	}, text)
}
