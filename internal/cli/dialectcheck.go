package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/dialect"
)

func (p *program) dialectCheckCommand() *cobra.Command {
	var (
		choice dialectChoice
		form   output
		strict bool
	)
	command := &cobra.Command{
		Use:   "check NAME|FILE...",
		Short: "Tell everything that is wrong with dialects' files, and what they cost in safety",
		Long: `Tell everything that is wrong with dialects' files at once, each with its place and
what to do; and, where a file is right, what its contract costs in safety. A file that
an operator could make wrong by a choice is wrong: each boolean setting is tried with
its other value too. The exit code is 1 if anything is wrong; warnings count with
--strict.

` + servedNote,
		Example: "  chancery dialect check kyc\n  chancery dialect check --strict dialects/*.yaml\n  chancery dialect check --with token_lifetime=90d dialects/mine.yaml",
		Args:    someWords("NAME|FILE"),
		RunE: func(command *cobra.Command, args []string) error {
			checked := []checkedDialect{}
			unread := each(command.Context(), args, func(named string) error {
				one, err := p.check(&choice, named)
				if err == nil {
					checked = append(checked, one)
				}
				return err
			})
			if err := p.showChecked(form, checked); err != nil {
				return err
			}
			return errors.Join(unread, verdict(checked, strict))
		},
	}
	form.flag(command)
	choice.flags(command)
	command.Flags().BoolVar(&strict, "strict", false, "fail on warnings too")
	return command
}

// A checkedDialect is what a check found out about one file.
type checkedDialect struct {
	File     string      `json:"file"`
	Dialect  string      `json:"dialect,omitempty"` // as the file calls itself, where it is right
	Faults   []faultLine `json:"faults"`
	Warnings []faultLine `json:"warnings"`
	Routes   int         `json:"routes"`
	Examples int         `json:"examples"`

	source string
}

type faultLine struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func faultLines(faults []dialect.Fault) []faultLine {
	all := []faultLine{}
	for _, f := range faults {
		all = append(all, faultLine{f.Line, f.Column, f.Message, f.Hint})
	}
	return all
}

// check checks one file. Its error is about what keeps the file from being read.
func (p *program) check(choice *dialectChoice, named string) (checkedDialect, error) {
	chosen, err := p.choose(choice, named)
	if err != nil {
		return checkedDialect{}, err
	}
	file, source, err := chancery.ReadDialect(chosen.config, chosen.mount.Dialect)
	if err != nil {
		return checkedDialect{}, openFault(err)
	}
	c := checkedDialect{File: file, source: string(source), Faults: []faultLine{}, Warnings: []faultLine{}}
	d, err := chosen.load()
	if faults, ok := errors.AsType[dialect.Faults](err); ok {
		c.Faults = faultLines(faults)
		return c, nil
	} else if err != nil {
		return c, err
	}
	if c.Faults = chosen.otherFaults(d); len(c.Faults) > 0 {
		return c, nil
	}
	c.Dialect, c.Warnings = d.Name(), faultLines(d.Warnings())
	c.Routes, c.Examples = len(d.Routes()), len(d.Examples())
	if err := documentable(d); err != nil {
		c.Faults = append(c.Faults, faultLine{1, 1, err.Error(), hintFor(err)})
	}
	return c, nil
}

func (p *program) showChecked(form output, checked []checkedDialect) error {
	switch form {
	case "json":
		encoder := json.NewEncoder(p.out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(checked)
	case "table":
		for _, c := range checked {
			c.show(p.out)
		}
		return nil
	}
	return noSuchForm(form)
}

// show writes what was found as compilers do: the place, the words, the line and a
// caret under the column, with what to do behind it.
func (c *checkedDialect) show(out io.Writer) {
	lines := strings.Split(c.source, "\n")
	show := func(kind string, all []faultLine) {
		for _, f := range all {
			fmt.Fprintf(out, "%s:%d:%d: %s%s\n", c.File, f.Line, f.Column, kind, plain(f.Message))
			line, column := clip(lines, f)
			number := fmt.Sprintf("%5d", f.Line)
			under := strings.Repeat(" ", len(number)) + " | " + strings.Repeat(" ", column) + "^ " + plain(f.Hint)
			fmt.Fprintf(out, "%s | %s\n%s\n", number, line, strings.TrimRight(under, " "))
		}
	}
	show("", c.Faults)
	show("warning: ", c.Warnings)
	if len(c.Faults) == 0 {
		fmt.Fprintf(out, "%s is right: %s, %s, %s\n", c.Dialect, count(c.Routes, "route"), count(c.Examples, "example"), count(len(c.Warnings), "warning"))
	}
}

// clip is the line of a fault, cut to what a terminal shows around the column, and
// how many characters of it stand before that.
func clip(lines []string, f faultLine) (line string, before int) {
	const width = 100
	if f.Line < 1 || f.Line > len(lines) {
		return "", 0
	}
	text := []rune(plain(strings.ReplaceAll(strings.TrimSuffix(lines[f.Line-1], "\r"), "\t", " ")))
	before = min(f.Column-1, len(text))
	if from := before - width/2; from > 0 && len(text) > width {
		text, before = append([]rune("…"), text[from:]...), before-from+1
	}
	if len(text) > width {
		text = append(text[:width:width], '…')
	}
	return string(text), min(before, utf8.RuneCountInString(string(text)))
}

// count is a number with its noun.
func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// verdict is the error of a check: nil if all files are right.
func verdict(checked []checkedDialect, strict bool) error {
	var faulty []error
	hint := "`chancery dialect schema` has every member of a dialect's file; the manual is " + manuals + "dialects.md"
	for _, c := range checked {
		switch {
		case len(c.Faults) > 0:
			faulty = append(faulty, fmt.Errorf("%s: %s", c.File, count(len(c.Faults), "fault")))
		case strict && len(c.Warnings) > 0:
			faulty = append(faulty, fmt.Errorf("%s: %s, and --strict takes none", c.File, count(len(c.Warnings), "warning")))
			hint = "each warning says what would spare it; a contract that cannot do without is checked without --strict"
		}
	}
	if len(faulty) == 0 {
		return nil
	}
	return withHint(errors.Join(faulty...), hint)
}
