package draft

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// An interview asks the questions of [Ask].
type interview struct {
	in  *bufio.Reader
	out io.Writer
	n   int
}

// Ask drafts from the answers to eight questions. An empty answer, or the end of
// the input, takes what the question proposes; one that cannot be understood is asked
// for again.
func Ask(in io.Reader, out io.Writer) (Draft, error) {
	i := &interview{in: bufio.NewReader(in), out: out}
	fmt.Fprintln(out, "Eight questions about the API's sign-in. Press return to take what is proposed.")
	d := Draft{Origin: "the answers to eight questions"}
	r := &d.Request
	var login, secret string
	err := errors.Join(
		i.ask("Where do clients sign in? A method and a path.", "POST /login", func(text string) error { return r.place(text) }),
		i.ask("How do they send what they sign in with? json, form, multipart, basic, query or header.", "json", func(text string) error { return r.form(&r.Form, text) }),
	)
	if err != nil {
		return d, err
	}
	place, basic := r.fieldPlace, r.fieldPlace == "basic"
	if !basic {
		err = errors.Join(
			i.ask("Which field is the login name? Dots lead inwards, as in user.name.", proposed(place, "username", "X-Access-Key"), fieldName(&login)),
			i.ask("And which is the password, or the secret?", proposed(place, "password", "X-Access-Secret"), fieldName(&secret)),
		)
	}
	err = errors.Join(err,
		i.ask("What comes back? A status and a body, on one line.", `200 {"token": "eyJ…", "expires_in": 3600}`, func(text string) (err error) {
			if d.Success, err = ParseReply(strings.ReplaceAll(text, "eyJ…", usualToken)); err != nil {
				return err
			}
			if g := (&guesser{}); g.findToken(d.Success) == "" {
				return noToken
			}
			return nil
		}),
		i.ask("And for a wrong password?", `401 {"error": "bad_credentials", "message": "The credentials are wrong"}`, func(text string) (err error) {
			d.Refusal, err = ParseReply(text)
			return err
		}),
		i.ask("How do later calls bring the token? A header as it is sent.", "Authorization: Bearer TOKEN", func(text string) error { return d.carrier(text) }),
		i.ask("How long does a token live?", "1h", func(text string) (err error) {
			d.Lifetime, err = length(text)
			return err
		}),
	)
	if err != nil {
		return d, err
	}
	if basic {
		r.addBasic("ada", "x")
		return d, nil
	}
	r.fill(place, login, secret)
	return d, nil
}

// usualToken stands for a JWT of which nothing is known.
const usualToken = "eyJ9.eyJ9.x" //nolint:gosec // no token

// ask asks until the answer is understood, or the input ends.
func (i *interview) ask(question, proposal string, take func(string) error) error {
	i.n++
	for {
		fmt.Fprintf(i.out, "\n%d. %s\n   [%s] ", i.n, question, proposal)
		line, err := i.in.ReadString('\n')
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return err
		}
		if ended {
			fmt.Fprintln(i.out)
		}
		problem := take(cmp.Or(strings.TrimSpace(line), proposal))
		if problem == nil {
			return nil
		}
		if ended {
			return fmt.Errorf("question %d: %w", i.n, problem)
		}
		fmt.Fprintf(i.out, "   %s\n", problem)
		if hinted, ok := errors.AsType[*Problem](problem); ok {
			fmt.Fprintf(i.out, "   %s\n", hinted.Advice)
		}
	}
}

var placeText = regexp.MustCompile(`^([A-Za-z]+) +(/[^\s?#]*)$`)

func (r *Request) place(text string) error {
	parts := placeText.FindStringSubmatch(text)
	if parts == nil {
		return &Problem{fmt.Sprintf("%q is no method and path", text), "such as POST /login"}
	}
	r.Method, r.Path = strings.ToUpper(parts[1]), parts[2]
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, r.Method) {
		return &Problem{fmt.Sprintf("%s is no method", r.Method), "such as POST /login"}
	}
	return nil
}

// form decides between the forms and places that credentials come in.
func (r *Request) form(to *Form, text string) error {
	switch word := strings.ToLower(text); word {
	case "json", "form", "multipart":
		*to, r.fieldPlace = Form(word), "body"
	case "basic", "query", "header":
		*to, r.fieldPlace = None, word
	default:
		return &Problem{fmt.Sprintf("%q is none of them", text), "one of json, form, multipart, basic, query, header"}
	}
	return nil
}

func proposed(place, name, header string) string {
	if place == "header" {
		return header
	}
	return name
}

var fieldText = regexp.MustCompile(`^[^\s"'{}\[\]:,]+$`)

func fieldName(to *string) func(string) error {
	return func(text string) error {
		if !fieldText.MatchString(text) || slices.Contains(strings.Split(text, "."), "") {
			return &Problem{fmt.Sprintf("%q is no field's name", text), "such as username, or user.name for a member of a member"}
		}
		*to = text
		return nil
	}
}

// fill makes the request's fields from the names of two.
func (r *Request) fill(place, login, secret string) {
	field := func(role, name, value string) Field {
		f := Field{Place: place, Path: []string{name}, Value: body.NewString(value), Role: role, Need: true}
		if r.Form == JSON {
			f.Path = strings.Split(name, ".")
		}
		return f
	}
	r.Fields = []Field{field("identifier", login, "ada"), field("secret", secret, "x")}
}

var carrierText = regexp.MustCompile(`^([A-Za-z0-9-]+): *(?:([A-Za-z][A-Za-z0-9_-]*) +)?(\S+)$`)

func (d *Draft) carrier(text string) error {
	parts := carrierText.FindStringSubmatch(text)
	if parts == nil {
		return &Problem{fmt.Sprintf("%q is no header", text), "such as Authorization: Bearer TOKEN, or X-Auth-Token: TOKEN"}
	}
	d.Carriers = []Carrier{{In: "header", Name: parts[1], Scheme: parts[2]}}
	return nil
}

var lengthText = regexp.MustCompile(`^([0-9]{1,6}) *(s|m|h|d)$`)

func length(text string) (time.Duration, error) {
	parts := lengthText.FindStringSubmatch(text)
	if parts == nil {
		return 0, &Problem{fmt.Sprintf("%q is no length of time", text), "such as 90s, 15m, 12h or 8d"}
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n == 0 {
		return 0, &Problem{fmt.Sprintf("%q is no length of time", text), "at least one second"}
	}
	return time.Duration(n) * map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[parts[2]], nil
}
