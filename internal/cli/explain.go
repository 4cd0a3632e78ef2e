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
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/dialect/draft"
	"github.com/chancery-auth/chancery/internal/strictyaml"
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
sample identities.

` + servedNote,
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
	file, _, err := chancery.ReadDialect(chosen.config, chosen.mount.Dialect)
	if err != nil {
		return openFault(err)
	}
	d, err := chosen.load()
	if err != nil {
		return openFault(err)
	}
	var on bench
	var request *http.Request
	if e.example != "" {
		on, err = e.benchOf(d)
	} else {
		request, err = p.requestOf(e)
	}
	if err != nil {
		return err
	}
	var w watch
	server, err := chosen.serveForTests(ctx, on, w.step)
	if err != nil {
		return err
	}
	w.client = server.client
	if e.example != "" {
		err = w.follow(ctx, server.trial(&w), e.example)
	} else {
		err = w.send(ctx, server, request, e.as)
	}
	if err = errors.Join(err, server.close()); err != nil { // after which the last step has been told
		return err
	}
	p.showExplanation(file, &w)
	return nil
}

// A watch is a client that keeps the last call that it made: its request, what the
// server told of it, and the answer.
type watch struct {
	client dialect.Doer

	mu      sync.Mutex
	frozen  bool // whether the call has been made
	request *http.Request
	steps   []dialect.Step
	answer  answer
}

// An answer is what came back.
type answer struct {
	proto, status string
	header        http.Header
	body          []byte
}

func (w *watch) step(step dialect.Step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.frozen {
		w.steps = append(w.steps, step)
	}
}

// Do implements [dialect.Doer].
func (w *watch) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if !w.frozen {
		w.request, w.steps = r, nil
	}
	w.mu.Unlock()
	reply, err := w.client.Do(r)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	if err = errors.Join(err, reply.Body.Close()); err != nil {
		return nil, err
	}
	reply.Body = io.NopCloser(bytes.NewReader(content))
	if !w.frozen {
		w.answer = answer{reply.Proto, reply.Status, reply.Header, content}
	}
	return reply, nil
}

// send sends a request, with a sample's token if one is named.
func (w *watch) send(ctx context.Context, s *testServer, r *http.Request, as string) error {
	sent := r.Clone(ctx)
	target, err := sent.URL.Parse(s.base + sent.URL.RequestURI())
	if err != nil {
		return err
	}
	sent.URL, sent.RequestURI, sent.Host = target, "", ""
	if sent.Header.Get("User-Agent") == "" {
		sent.Header["User-Agent"] = nil // none, rather than Go's
	}
	if as != "" {
		token, err := s.trial(s.client).SignIn(ctx, as)
		if err != nil {
			return withHint(err, "--as names a sample of the file, as the member as of an example does")
		}
		present(sent, s.dialect.Describe().Carriers[0], token)
	}
	reply, err := w.Do(sent)
	if err != nil {
		return err
	}
	return reply.Body.Close()
}

// follow runs the examples up to the one that is named: those before it may give
// what it sends.
func (w *watch) follow(ctx context.Context, t *dialect.Trial, example string) error {
	found := false
	t.Before = func(e dialect.Example) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.frozen = found // by the example that comes after it
		if e.Name == example {
			found, w.request, w.steps = true, nil, nil
		}
	}
	for _, result := range t.Run(ctx) {
		if result.Example.Name == example && w.request == nil {
			return fmt.Errorf("example %q: %s", example, result.Diff)
		}
	}
	return nil
}

// benchOf is the bench of the example that is named.
func (e *explanation) benchOf(d *dialect.Dialect) (bench, error) {
	if e.curl != "" || e.as != "" {
		return bench{}, usageFault("leave the others out: an example says itself what is sent, and as whom", "--example goes with neither --curl nor --as")
	}
	var names []string
	for _, x := range d.Examples() {
		if x.Name == e.example {
			return benchOf(&x), nil
		}
		names = append(names, x.Name)
	}
	hint := "its examples are " + strings.Join(names, "; ")
	if near := strictyaml.Nearest(e.example, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return bench{}, usageFault(hint, "dialect %s has no example %q", d.Name(), e.example)
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

// requestOf reads the request that is to be explained.
func (p *program) requestOf(e *explanation) (*http.Request, error) {
	if e.curl != "" && e.curl != "-" {
		return draft.CurlRequest(e.curl)
	}
	none := usageFault("give it on standard input (< request.txt), or with --curl or --example", "there is no request to explain")
	if p.terminal() != nil {
		return nil, none
	}
	text, err := io.ReadAll(io.LimitReader(p.in, 4<<20))
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, none
	}
	if e.curl == "-" || strings.HasPrefix(string(text), "curl ") {
		return draft.CurlRequest(string(text))
	}
	return readRequest(text)
}

var requestLine = regexp.MustCompile(`^([A-Z]+) (\S+)( HTTP/[0-9.]+)?$`)

// readRequest reads a request as it stands on the wire. What goes without saying may
// be left out: the version, Host, and the body's length, which then goes to the end.
func readRequest(text []byte) (*http.Request, error) {
	text = bytes.TrimLeft(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), "\n")
	head, content, _ := bytes.Cut(text, []byte("\n\n"))
	first, fields, _ := bytes.Cut(head, []byte("\n"))
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

// showExplanation prints the steps, each with its line of the file, and the answer.
func (p *program) showExplanation(file string, w *watch) {
	fmt.Fprintf(p.out, "%s %s\n\n", w.request.Method, plain(w.request.URL.RequestURI()))
	wide := 0
	for _, step := range w.steps {
		wide = max(wide, len(step.Name))
	}
	for i, step := range w.steps {
		fmt.Fprintf(p.out, "%3d  %-*s  %s", i+1, wide, step.Name, plain(step.Text))
		if step.Line > 0 {
			fmt.Fprintf(p.out, "  (%s:%d)", file, step.Line)
		}
		fmt.Fprintln(p.out)
	}
	fmt.Fprintf(p.out, "\n%s %s\n", w.answer.proto, w.answer.status)
	for _, name := range slices.Sorted(maps.Keys(w.answer.header)) {
		for _, value := range w.answer.header[name] {
			fmt.Fprintf(p.out, "%s: %s\n", name, plain(value))
		}
	}
	fmt.Fprintln(p.out)
	if len(w.answer.body) > 0 {
		fmt.Fprintf(p.out, "%s\n", printable(string(w.answer.body)))
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
