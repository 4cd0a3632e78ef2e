package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/dialect/draft"
)

// A newDialect is what `dialect new` is asked for.
type newDialect struct {
	curl, openAPI  string
	path           string
	reply, refusal string
	title          string
}

func (p *program) dialectNewCommand() *cobra.Command {
	var n newDialect
	command := &cobra.Command{
		Use:   "new FILE",
		Short: "Draft a dialect from a curl command, an OpenAPI file, or a few questions",
		Long: `Draft a dialect's file: from a curl command that signs in (--curl), from an OpenAPI 3
file (--openapi), or from a few questions. The draft is commented, loads, and passes
its own examples. Passwords and tokens that you give are not written into it.

With --curl, keep what the API answers, and give it too: the draft then answers alike.

  curl -i … > ok.txt              with a right password
  curl -i … > wrong.txt           with a wrong one`,
		Example: `  chancery dialect new dialects/acme.yaml
  chancery dialect new dialects/acme.yaml --curl "curl https://api.acme.example/login -d 'user=ada&password=x'" --reply ok.txt --refusal wrong.txt
  chancery dialect new dialects/acme.yaml --openapi openapi.json`,
		Args: words("FILE"),
		RunE: func(command *cobra.Command, args []string) error {
			return p.newDialect(command.Context(), n, args[0])
		},
	}
	flags := command.Flags()
	flags.StringVar(&n.curl, "curl", "", "a curl command that signs in; - reads it from standard input")
	flags.StringVar(&n.openAPI, "openapi", "", "an OpenAPI 3 file, JSON or YAML")
	flags.StringVar(&n.path, "path", "", "with --openapi: the path of the sign-in (default: the first that takes a password)")
	flags.StringVar(&n.reply, "reply", "", "a file with what the API answers to a right password, as `curl -i` prints it")
	flags.StringVar(&n.refusal, "refusal", "", "a file with what it answers to a wrong one")
	flags.StringVar(&n.title, "title", "", "the contract's readable name")
	return command
}

var dialectFileName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}\.yaml$`)

func (p *program) newDialect(ctx context.Context, n newDialect, file string) error {
	if name := filepath.Base(file); !dialectFileName.MatchString(name) {
		return usageFault("such as dialects/acme.yaml: lower-case letters, digits and hyphens, then .yaml", "%q cannot be a dialect's file", name)
	}
	if _, err := os.Stat(file); err == nil {
		return usageFault("give another name, or move that file away", "%s is there already, and is not written over", file)
	}
	drafted, err := p.draft(ctx, &n)
	if err != nil {
		return err
	}
	drafted.Name = strings.TrimSuffix(filepath.Base(file), ".yaml")
	if n.title != "" {
		drafted.Title = n.title
	}
	source, err := drafted.File(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	if err := writeNew(file, source); err != nil {
		return err
	}
	for _, note := range drafted.Notes {
		fmt.Fprintf(p.err, "chancery: left out: %s\n", plain(note))
	}
	examples, err := p.tryDraft(ctx, file, n.curl)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s: %s %s, %s passed\n", file, drafted.Request.Method, drafted.Request.Path, count(examples, "example"))
	_, err = fmt.Fprintf(p.out, "Next: read it; its comments mark what is guessed. Then `chancery dialect check %[1]s`\nand `chancery dialect test %[1]s`.\n", file)
	return err
}

// agree refuses flags that say nothing beside each other.
func (n *newDialect) agree() error {
	switch {
	case n.curl != "" && n.openAPI != "":
		return usageFault("give one of them", "--curl and --openapi say two things")
	case n.openAPI == "" && n.path != "":
		return usageFault("leave it out, or give an OpenAPI file with --openapi", "--path goes with --openapi alone")
	case n.curl == "" && n.openAPI == "" && (n.reply != "" || n.refusal != ""):
		return usageFault("give the command that was answered with --curl; without it there are questions, which ask for the replies too", "--reply and --refusal go with --curl or --openapi")
	}
	return nil
}

// draft asks for what the flags do not say. A command on standard input takes its place
// among them.
func (p *program) draft(ctx context.Context, n *newDialect) (drafted draft.Draft, err error) {
	if err := n.agree(); err != nil {
		return drafted, err
	}
	switch {
	case n.openAPI != "":
		source, err := os.ReadFile(n.openAPI)
		if err != nil {
			return drafted, err
		}
		if drafted, err = draft.FromOpenAPI(source, n.path); err != nil {
			return drafted, err
		}
	case n.curl != "":
		if n.curl, err = p.command(n.curl); err != nil {
			return drafted, err
		}
		if drafted, err = draft.FromCurl(n.curl); err != nil {
			return drafted, err
		}
	default:
		return draft.Ask(&interruptible{ctx, p.in}, p.out, p.terminal() != nil)
	}
	if drafted.Success, err = readReply(n.reply, drafted.Success); err != nil {
		return drafted, err
	}
	drafted.Refusal, err = readReply(n.refusal, drafted.Refusal)
	return drafted, err
}

// command is a curl command: the flag's, or standard input's where that is a hyphen.
func (p *program) command(given string) (string, error) {
	if given != "-" {
		return given, nil
	}
	text, err := io.ReadAll(io.LimitReader(p.in, 1<<20))
	return string(text), err
}

// readReply reads a reply that was kept, if a file is named.
func readReply(file string, otherwise *draft.Reply) (*draft.Reply, error) {
	if file == "" {
		return otherwise, nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	reply, err := draft.ParseReply(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return reply, nil
}

// tryDraft loads a file that was drafted, runs its examples, and sees whether it takes
// the command that it was drafted from, if there was one. Where it does not hold, the
// file stays: most of it is right, and what is not is told.
func (p *program) tryDraft(ctx context.Context, file, curl string) (examples int, err error) {
	config := chancery.Config{}.WithDefaults()
	name, _, err := dialectFile(&config, file)
	if err != nil {
		return 0, err
	}
	tried := chosenDialect{config: config, mount: chancery.Mount{Dialect: name, Realm: testRealm}}
	results, err := tried.runExamples(ctx)
	if _, faulty := errors.AsType[dialect.Faults](err); faulty {
		return 0, withHint(fmt.Errorf("%s is written, and is not right yet:\n%w", file, err),
			fmt.Sprintf("correct those lines, until `chancery dialect check %s` finds nothing; all else in the file holds", file))
	} else if err != nil {
		return 0, err
	}
	if err := p.showUnmet(&tried, file, results); err != nil || curl == "" {
		return len(results), err
	}
	if err := tried.takes(curl); err != nil {
		return 0, withHint(fmt.Errorf("%s is written, and does not take the command that it was drafted from: %w", file, err),
			fmt.Sprintf("`chancery dialect explain %s --curl …` with the same command tells at which line", file))
	}
	return len(results), nil
}

// takes reports why the dialect does not take what a curl command sends, whoever it is
// that signs in: its route, its media type, its fields.
func (c *chosenDialect) takes(curl string) error {
	d, err := c.load()
	if err != nil {
		return err
	}
	r, err := draft.CurlRequest(curl)
	if err != nil {
		return err
	}
	call := d.Match(r)
	if err := call.Err(); err != nil {
		return err
	}
	if to := call.Redirect(); to != "" {
		return fmt.Errorf("it is sent on to %s", to)
	}
	return call.Decode(r)
}

// showUnmet tells the examples of a draft that fail; its error says how to go on.
func (p *program) showUnmet(tried *chosenDialect, file string, results []exampleRun) error {
	failed := slices.DeleteFunc(slices.Clone(results), func(r exampleRun) bool { return r.Diff == "" })
	if len(failed) == 0 {
		return nil
	}
	for _, result := range failed {
		p.showFailed(tried, result)
	}
	return withHint(fmt.Errorf("%s is written, and fails %d of its own %s", file, len(failed), count(len(results), "example")),
		fmt.Sprintf("correct the lines that are named above, or what the example sends; `chancery dialect explain %s --example '%s'` tells it step by step", file, failed[0].Example.Name))
}

// writeNew writes a file that must not be there yet.
func writeNew(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // a contract is no secret
	if errors.Is(err, fs.ErrExist) {
		return usageFault("give another name, or move that file away", "%s is there already, and is not written over", file)
	} else if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
