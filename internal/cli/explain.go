package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/dialect/draft"
)

// An explanation is what `dialect explain` is asked for.
type explanation struct {
	dialectChoice
	curl, example, as string
}

func (p *program) dialectExplainCommand() *cobra.Command {
	var e explanation
	command := &cobra.Command{
		Use:   "explain NAME|FILE",
		Short: "Tell step by step how a dialect takes a request, and why it answers as it does",
		Long: `Tell step by step how a dialect takes a request: the route, what it reads, the rules,
the outcome, the reply that words it with its line in the file, and the answer.

The request comes from standard input as it stands on the wire (a request line,
headers, an empty line, the body), from a curl command (--curl), or from the file's
own examples (--example). It is sent to a server of its own that knows the file's
sample identities.`,
		Example: `  chancery dialect explain dialects/acme.yaml < request.txt
  chancery dialect explain kyc --curl "curl localhost/auth/jwt/login -d 'username=trader7&password=wrong'"
  chancery dialect explain kyc --example 'wrong password'`,
		Args: words("NAME|FILE"),
		RunE: func(command *cobra.Command, args []string) error {
			return p.explain(command.Context(), &e, args[0])
		},
	}
	e.flags(command)
	command.Flags().StringVar(&e.curl, "curl", "", "the request as a curl command; - reads that from standard input")
	command.Flags().StringVar(&e.example, "example", "", "the example whose request it is")
	command.Flags().StringVar(&e.as, "as", "", "the sample whose token the request presents")
	return command
}

func (p *program) explain(ctx context.Context, e *explanation, named string) (err error) {
	chosen, err := p.choose(&e.dialectChoice, named)
	if err != nil {
		return err
	}
	d, err := chosen.load()
	if err != nil {
		return openFault(err)
	}
	request, err := p.requestOf(e, d)
	if err != nil {
		return err
	}
	var log steps
	server, err := chosen.serveForTests(ctx, log.add)
	if err != nil {
		return err
	}
	closed := false
	end := func() error {
		if closed {
			return nil
		}
		closed = true
		return server.close()
	}
	defer func() { err = errors.Join(err, end()) }()
	if e.as != "" {
		token, err := server.token(ctx)(e.as)
		if err != nil {
			return withHint(err, "--as names a sample of the file, as the member as of an example does")
		}
		present(request, server.dialect.Describe().Carriers[0], token)
	}
	log.forget() // what loading and signing in have told
	answer, err := server.send(ctx, request)
	if err != nil {
		return err
	}
	if err := end(); err != nil { // so that the last step has been told
		return err
	}
	file, _, err := chancery.ReadDialect(chosen.config, chosen.mount.Dialect)
	if err != nil {
		return err
	}
	p.showExplanation(file, request, log.all, answer)
	return nil
}

// present adds a token to a request by a carrier.
func present(r *http.Request, c dialect.CarrierInfo, token string) {
	switch c.In {
	case "cookie":
		r.AddCookie(&http.Cookie{Name: c.Name, Value: token}) //nolint:gosec // a request has no cookie attributes
	case "query":
		q := r.URL.Query()
		q.Set(c.Name, token)
		r.URL.RawQuery = q.Encode()
	default:
		r.Header.Set(c.Name, strings.TrimPrefix(c.Scheme+" "+token, " "))
	}
}

// steps gathers what the server tells.
type steps struct {
	mu  sync.Mutex
	all []dialect.Step
}

func (s *steps) add(step dialect.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, step)
}

func (s *steps) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}

// requestOf finds the request that is to be explained.
func (p *program) requestOf(e *explanation, d *dialect.Dialect) (*http.Request, error) {
	switch {
	case e.curl != "" && e.example != "":
		return nil, usageFault("give one of them", "--curl and --example name two requests")
	case e.example != "":
		return exampleRequest(d, e)
	case e.curl != "" && e.curl != "-":
		return draft.CurlRequest(e.curl)
	}
	if terminal, ok := p.in.(*os.File); ok && term.IsTerminal(int(terminal.Fd())) {
		return nil, usageFault("give it on standard input (< request.txt), or with --curl or --example", "there is no request to explain")
	}
	text, err := io.ReadAll(io.LimitReader(p.in, 4<<20))
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	if e.curl == "-" || strings.HasPrefix(string(text), "curl ") {
		return draft.CurlRequest(string(text))
	}
	return readRequest(text)
}

func exampleRequest(d *dialect.Dialect, e *explanation) (*http.Request, error) {
	examples := d.Examples()
	i := slices.IndexFunc(examples, func(x dialect.Example) bool { return x.Name == e.example })
	if i < 0 {
		var names []string
		for _, x := range examples {
			names = append(names, x.Name)
		}
		return nil, usageFault("its examples are "+strings.Join(names, "; "), "dialect %s has no example %q", d.Name(), e.example)
	}
	x := examples[i]
	if e.as == "" {
		e.as = x.As
	}
	r, err := http.NewRequest(x.Method, x.Path, bytes.NewReader(x.Body)) //nolint:noctx // it is sent with a context of its own
	if err != nil {
		return nil, err
	}
	r.Header = x.Header.Clone()
	return r, nil
}

var requestLine = regexp.MustCompile(`^([A-Z]+) (\S+)( HTTP/[0-9.]+)?$`)

// readRequest reads a request as it stands on the wire. What goes without saying may
// be left out: the version, Host, and the body's length, which then goes to the end.
func readRequest(text []byte) (*http.Request, error) {
	head, content, _ := bytes.Cut(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	first, fields, _ := bytes.Cut(bytes.TrimLeft(head, "\n"), []byte("\n"))
	line := requestLine.FindSubmatch(bytes.TrimSpace(first))
	if line == nil {
		return nil, usageFault("such as: POST /login, then headers, an empty line and the body; or give a curl command with --curl", "%q is no request line", plain(string(first)))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\n", line[1], line[2])
	long := false
	for field := range bytes.Lines(fields) {
		name, _, _ := bytes.Cut(field, []byte(":"))
		switch strings.ToLower(string(name)) {
		case "host", "transfer-encoding":
			continue
		case "content-length":
			long = true
			continue // what is there is what is sent
		}
		b.Write(append(bytes.TrimRight(field, "\n"), "\r\n"...))
	}
	if !long {
		content = bytes.TrimSuffix(content, []byte("\n")) // the file's own end
	}
	b.WriteString("\r\n")
	r, err := http.ReadRequest(bufio.NewReader(&b))
	if err != nil {
		return nil, usageFault("headers are written Name: value, one on each line, with an empty line before the body", "the request cannot be read: %w", err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	return r, nil
}

// An answer is what came back.
type answer struct {
	proto  string
	status string
	header http.Header
	body   []byte
}

func (s *testServer) send(ctx context.Context, r *http.Request) (answer, error) {
	sent := r.Clone(ctx)
	target, err := sent.URL.Parse(s.base + sent.URL.RequestURI())
	if err != nil {
		return answer{}, err
	}
	sent.URL, sent.RequestURI, sent.Host = target, "", ""
	if sent.Header.Get("User-Agent") == "" {
		sent.Header["User-Agent"] = nil // none, rather than Go's
	}
	reply, err := s.client.Do(sent)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = reply.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	return answer{reply.Proto, reply.Status, reply.Header, content}, err
}

// showExplanation prints the steps, each with its line of the file, and the answer.
func (p *program) showExplanation(file string, r *http.Request, all []dialect.Step, a answer) {
	fmt.Fprintf(p.out, "%s %s\n\n", r.Method, plain(r.URL.RequestURI()))
	wide := 0
	for _, step := range all {
		wide = max(wide, len(step.Name))
	}
	for i, step := range all {
		fmt.Fprintf(p.out, "%3d  %-*s  %s", i+1, wide, step.Name, plain(step.Text))
		if step.Line > 0 {
			fmt.Fprintf(p.out, "  (%s:%d)", file, step.Line)
		}
		fmt.Fprintln(p.out)
	}
	fmt.Fprintf(p.out, "\n%s %s\n", a.proto, a.status)
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		for _, value := range a.header[name] {
			fmt.Fprintf(p.out, "%s: %s\n", name, plain(value))
		}
	}
	fmt.Fprintln(p.out)
	if len(a.body) > 0 {
		fmt.Fprintf(p.out, "%s\n", printable(string(a.body)))
	}
}

// printable is plain for a body, which may have more than one line.
func printable(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return strings.Join(lines, "\n")
}
