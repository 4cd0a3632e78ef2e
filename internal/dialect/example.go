package dialect

import (
	"context"
	"net/http"

	"github.com/chancery-auth/chancery/core"
)

// Samples are the identities that a file declares for its examples, with the
// secrets that they sign in with. They are for tests and documentation alone.
type Samples struct {
	Accounts []SampleAccount
	Keys     []SampleKey
}

// A SampleAccount is an account that examples speak of.
type SampleAccount struct {
	Sample   string // its name in the file
	Account  core.Account
	Password core.Secret
}

// A SampleKey is an access key that examples speak of.
type SampleKey struct {
	Sample string // its name in the file
	Key    core.AccessKey
	Secret core.Secret
}

// An Example is one request and the reply that it must get.
type Example struct {
	Name   string
	As     string // the sample whose token the request presents; "" for none
	Method string
	Path   string // with the query
	Header http.Header
	Body   []byte

	Status      int
	Outcome     core.Kind // "" when the example does not say
	ReplyHeader http.Header
	ReplyBody   string // may hold placeholders such as <jwt>
}

// An ExampleResult tells how an example went.
type ExampleResult struct {
	Example Example
	Diff    string // "" when the reply is the expected one
}

// A Doer sends a request.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// RunExamples sends every example to baseURL and compares the replies. token
// gives a bearer token for a sample.
func (d *Dialect) RunExamples(ctx context.Context, client Doer, baseURL string, token func(sample string) (string, error)) []ExampleResult {
	panic("soon")
}
