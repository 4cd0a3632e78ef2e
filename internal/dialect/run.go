package dialect

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"

	"github.com/chancery-auth/chancery/core"
)

// An ExampleResult tells how an example went.
type ExampleResult struct {
	Example Example
	Diff    string // "" when the reply is the expected one
}

// A Doer sends a request; it must not follow redirects.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// A Trial sends a dialect's examples to a server that serves it, with its samples,
// and compares the replies. It is for one goroutine.
type Trial struct {
	Dialect  *Dialect
	Client   Doer
	BaseURL  string
	Settings map[string]any     // that the server was given for the examples: those that want the same are sent
	Skip     func(Example) bool // leaves examples out; nil none
	// Token gives a bearer token for a sample; nil signs in by the dialect's routes.
	Token func(sample string) (string, error)
	// Mails are those that the server has made out so far, oldest first; nil when
	// nobody keeps them.
	Mails func() []core.Mail
	Now   func() time.Time // the server's; nil is time.Now
	// Advance moves the server's clock on, and Now with it; nil when nobody can.
	Advance func(time.Duration)
	// Outcome is that of the call made last, "" being a success; nil when nobody
	// knows, and then the outcomes that examples name are not compared.
	Outcome func() core.Kind
	// Before is told of each example that is about to be sent; it may be nil.
	Before func(Example)

	saved  map[string]string
	steps  map[string]int64 // of second factors that were used, by sample
	mailed int              // how many mails there were when one was last asked for
}

// RunExamples sends the examples that want no settings of their own, and no other
// time than it is.
func (d *Dialect) RunExamples(ctx context.Context, client Doer, baseURL string, token func(sample string) (string, error)) []ExampleResult {
	t := Trial{Dialect: d, Client: client, BaseURL: baseURL, Token: token, Skip: func(e Example) bool { return e.After > 0 }}
	return t.Run(ctx)
}

// Run sends the examples in the file's order.
func (t *Trial) Run(ctx context.Context) []ExampleResult {
	var results []ExampleResult
	for _, e := range t.Dialect.examples {
		if maps.Equal(e.Settings, t.Settings) && (t.Skip == nil || !t.Skip(e)) {
			results = append(results, ExampleResult{e, t.run(ctx, e)})
		}
	}
	return results
}

func (t *Trial) run(ctx context.Context, e Example) string {
	if t.Before != nil {
		t.Before(e)
	}
	for range max(1, e.Repeat) - 1 {
		if _, _, err := t.send(ctx, e); err != nil {
			return err.Error()
		}
		e.After = 0
	}
	reply, filled, err := t.send(ctx, e)
	if err != nil {
		return err.Error()
	}
	diff := filled.Compare(reply.status, reply.header, reply.body) + t.compareOutcome(&e)
	for _, name := range slices.Sorted(maps.Keys(e.Save)) {
		value, ok := reply.find(e.Save[name])
		if !ok {
			diff += fmt.Sprintf("save %s: the reply has no text or number at %q\n", name, e.Save[name])
			continue
		}
		if t.saved == nil {
			t.saved = map[string]string{}
		}
		t.saved[name] = value
	}
	return diff
}

// compareOutcome tells how the outcome differs from the one that the example names,
// or from those below it.
func (t *Trial) compareOutcome(e *Example) string {
	if e.Outcome == "" || t.Outcome == nil {
		return ""
	}
	got := t.Outcome()
	if got.IsA(e.Outcome) {
		return ""
	}
	return fmt.Sprintf("outcome: got %s, want %s\n", cmp.Or(got, "success"), e.Outcome)
}

// A response is a reply as it came.
type response struct {
	status int
	header http.Header
	body   []byte
}

// send sends an example with all that it refers to. The token that it presents is from
// before the clock is moved on, and all else from after that.
func (t *Trial) send(ctx context.Context, e Example) (response, Example, error) {
	bearer := ""
	if e.As != "" {
		var err error
		if bearer, err = t.token(ctx, e.As); err != nil {
			return response{}, e, fmt.Errorf("token of sample %s: %w", e.As, err)
		}
	}
	if e.After > 0 {
		if t.Advance == nil {
			return response{}, e, fmt.Errorf("after %s: nobody can move the clock of this server", e.After)
		}
		t.Advance(e.After)
	}
	filled, err := e.fill(func(reference string) (string, error) { return t.value(ctx, reference) })
	if err != nil {
		return response{}, e, err
	}
	r, err := http.NewRequestWithContext(ctx, filled.Method, t.BaseURL+filled.Path, bytes.NewReader(filled.Body))
	if err != nil {
		return response{}, e, err
	}
	r.Header = filled.Header
	if e.As != "" {
		t.Dialect.carriers[0].put(r, bearer)
	}
	if t.Mails != nil && t.Dialect.mayMail(&filled) {
		t.mailed = len(t.Mails())
	}
	reply, err := t.do(r)
	return reply, filled, err
}

func (t *Trial) do(r *http.Request) (response, error) {
	reply, err := t.Client.Do(r)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = reply.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	return response{reply.StatusCode, reply.Header, got}, err
}

func (t *Trial) token(ctx context.Context, sample string) (string, error) {
	if t.Token != nil {
		return t.Token(sample)
	}
	return t.SignIn(ctx, sample)
}

// mayMail reports whether a mail may go out for an example.
func (d *Dialect) mayMail(e *Example) bool {
	u, err := url.ParseRequestURI(e.Path)
	if err != nil {
		return false
	}
	c := d.quiet().Match(&http.Request{Method: e.Method, URL: u})
	return slices.ContainsFunc(c.group, func(rt *route) bool {
		return slices.Contains([]Operation{RequestRecovery, RequestVerification, Register}, rt.operation.name)
	})
}

// value is what a reference of an example stands for.
func (t *Trial) value(ctx context.Context, reference string) (string, error) {
	kind, rest, _ := strings.Cut(reference, ".")
	switch kind {
	case savedReference:
		value, ok := t.saved[rest]
		if !ok {
			return "", fmt.Errorf("${%s}: the example that saves it did not get it", reference)
		}
		return value, nil
	case totpReference:
		return t.code(rest)
	default:
		purpose, to, _ := strings.Cut(rest, ".")
		return t.ticket(ctx, core.Purpose(purpose), to)
	}
}

// Codes of second factors: a step of time is used once, and clocks may be one apart.
const (
	codeStep = 30
	codeSkew = 1
)

// code is a code of a sample's second factor that was not used before: there are
// three at a time.
func (t *Trial) code(sample string) (string, error) {
	a, ok := t.Dialect.samples.account(sample)
	if !ok {
		return "", fmt.Errorf("there is no sample account %s", sample)
	}
	now := time.Now
	if t.Now != nil {
		now = t.Now
	}
	current := now().Unix() / codeStep
	step := max(current-codeSkew, t.steps[sample]+1)
	if step > current+codeSkew {
		return "", fmt.Errorf("${%s.%s}: each code is good for one sign-in, and three of them were used within a minute; use another sample", totpReference, sample)
	}
	if t.steps == nil {
		t.steps = map[string]int64{}
	}
	t.steps[sample] = step
	return hotp.GenerateCode(a.TOTP.Reveal(), uint64(step)) //nolint:gosec // never negative
}

// mailWait is how long a mail may take that was asked for.
const mailWait = 3 * time.Second

// ticket is that of the newest mail to a sample, or to an address. A mail that an
// example has just asked for is waited for.
func (t *Trial) ticket(ctx context.Context, purpose core.Purpose, to string) (string, error) {
	if t.Mails == nil {
		return "", fmt.Errorf("${%s.%s.%s}: nobody keeps the mails here", mailReference, purpose, to)
	}
	if a, ok := t.Dialect.samples.account(to); ok {
		if to = a.Account.Email; to == "" {
			to = a.Account.Login
		}
	}
	ctx, cancel := context.WithTimeout(ctx, mailWait)
	defer cancel()
	for late := false; ; {
		for i, m := range slices.Backward(t.Mails()) {
			if strings.EqualFold(m.To, to) && (i >= t.mailed || late) {
				if ticket, ok := t.Dialect.ticketOf(purpose, m.Link.Reveal()); ok {
					return ticket, nil
				}
			}
		}
		if late {
			return "", fmt.Errorf("no %s mail came to %s", purpose, to)
		}
		select {
		case <-ctx.Done():
			late = true
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// account is a sample account by its name in the file.
func (s *Samples) account(name string) (SampleAccount, bool) {
	i := slices.IndexFunc(s.Accounts, func(a SampleAccount) bool { return a.Sample == name })
	if i < 0 {
		return SampleAccount{}, false
	}
	return s.Accounts[i], true
}

// put presents a token by a carrier.
func (c *carrier) put(r *http.Request, token string) {
	switch c.in {
	case "cookie":
		r.AddCookie(&http.Cookie{Name: c.name, Value: token}) //nolint:gosec // a request has no cookie attributes
	case "query":
		q := r.URL.Query()
		q.Set(c.name, token)
		r.URL.RawQuery = q.Encode()
	default:
		r.Header.Set(c.name, strings.TrimPrefix(c.scheme+" "+token, " "))
	}
}
