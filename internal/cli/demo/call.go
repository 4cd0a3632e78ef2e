package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// A Call is how to get a token in a contract's words, and what to do with it.
type Call struct {
	Dialect     string
	Title       string
	Method      string
	URL         string
	ContentType string
	Body        string
	Form        bool     // whether Body is a form; otherwise it is JSON
	Members     []Member // of Body, in its order
	TokenMember string   // where the reply's JSON has the token; "" when the whole body is it
	Next        Request  // takes the token
}

// A Member is one named text of a login's body.
type Member struct{ Name, Value string }

// A Request is a method and where it goes.
type Request struct{ Method, URL string }

// NewCall finds among d's examples the first that signs in. The token's use is
// the first example that takes one, or else a GET of resource.
func NewCall(d *dialect.Dialect, base, resource string) (Call, error) {
	call := Call{Dialect: d.Name(), Title: d.Title(), Next: Request{http.MethodGet, base + resource}}
	found := false
	for _, example := range d.Examples() {
		if example.Status/100 != 2 {
			continue
		}
		operation, err := operationOf(d, example)
		if err != nil {
			return Call{}, err
		}
		switch {
		case operation == dialect.Authenticate && !found:
			if err := call.login(example, base); err != nil {
				return Call{}, fmt.Errorf("dialect %s: example %q: %w", d.Name(), example.Name, err)
			}
			found = true
		case operation == dialect.Whoami && example.As != "":
			call.Next = Request{example.Method, base + example.Path}
		}
	}
	if !found {
		return Call{}, fmt.Errorf("dialect %s has no example that signs in", d.Name())
	}
	return call, nil
}

func operationOf(d *dialect.Dialect, example dialect.Example) (dialect.Operation, error) {
	request, err := http.NewRequest(example.Method, "http://example.invalid"+example.Path, bytes.NewReader(example.Body)) //nolint:noctx // it is matched, not sent
	if err != nil {
		return "", fmt.Errorf("dialect %s: example %q: %w", d.Name(), example.Name, err)
	}
	call := d.Match(request)
	if call.Err() != nil || call.Redirect() != "" {
		return "", nil
	}
	return call.Operation(), nil
}

func (c *Call) login(example dialect.Example, base string) (err error) {
	c.Method, c.URL = example.Method, base+example.Path
	c.ContentType = example.Header.Get("Content-Type")
	c.Body = string(example.Body)
	if c.Form = strings.HasPrefix(c.ContentType, "application/x-www-form-urlencoded"); c.Form {
		c.Members, err = formMembers(c.Body)
	} else {
		c.Members, err = jsonMembers(c.Body)
	}
	c.TokenMember = tokenMember(string(example.ReplyJSON))
	return err
}

func formMembers(body string) (members []Member, err error) {
	for pair := range strings.SplitSeq(body, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err = url.QueryUnescape(name); err != nil {
			return nil, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, err
		}
		members = append(members, Member{name, value})
	}
	return members, nil
}

func jsonMembers(body string) (members []Member, err error) {
	decoder := json.NewDecoder(strings.NewReader(body))
	var texts []string
	for depth := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case json.Delim:
			if depth++; depth == 2 && token == '}' {
				for i := 0; i+1 < len(texts); i += 2 {
					members = append(members, Member{texts[i], texts[i+1]})
				}
				return members, nil
			}
			if token != '{' || depth > 1 {
				return nil, errors.New("its body is no object of texts")
			}
		case string:
			texts = append(texts, token)
		default:
			return nil, errors.New("its body is no object of texts")
		}
	}
}

var placeholder = regexp.MustCompile(`"([A-Za-z0-9_-]+)"\s*:\s*"<[^"]*>"`)

// tokenMember finds the member of an expected JSON reply that stands for the
// token: the first one that is a placeholder. A reply that is no JSON is the token.
func tokenMember(reply string) string {
	if found := placeholder.FindStringSubmatch(reply); found != nil {
		return found[1]
	}
	return ""
}

// Curl is the login as a line for a shell.
func (c Call) Curl() string {
	line := "curl -sS -X " + c.Method + " " + quote(c.URL)
	if c.ContentType != "" {
		line += " -H " + quote("Content-Type: "+c.ContentType)
	}
	return line + " -d " + quote(c.Body)
}

// CurlNext is the call with the token as a line for a shell; it signs in first.
func (c Call) CurlNext() string {
	return fmt.Sprintf(`curl -sS -X %s %s -H "Authorization: Bearer $(%s | grep -o 'eyJ[A-Za-z0-9_.-]*')"`, c.Next.Method, quote(c.Next.URL), c.Curl())
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

// quote makes text one word of a POSIX shell.
func quote(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
