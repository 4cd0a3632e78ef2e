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
	in     *bufio.Reader
	out    io.Writer
	person bool
	n      int
	err    error // that ended it
}

// ErrStopped is that somebody ended the questions before the last.
var ErrStopped = errors.New("the questions were ended before the last: nothing is written")

// Ask drafts from the answers to eight questions. An empty answer takes what the question
// proposes; one that cannot be understood is asked for again. The end of the input takes
// what is proposed from there on, unless a person types it, who means to stop.
func Ask(in io.Reader, out io.Writer, person bool) (Draft, error) {
	i := &interview{in: bufio.NewReader(in), out: out, person: person}
	fmt.Fprintln(out, "Eight questions about the API's sign-in. Press return to take what is proposed; Ctrl-C\nends them, and nothing is written.")
	d := Draft{Origin: "the answers to eight questions"}
	r := &d.Request
	var login, secret string
	i.ask("Where do clients sign in? A method and a path.", "POST /login", func(text string) error { return r.place(text) })
	i.ask("How do they send what they sign in with? json, form, multipart, basic, query or header.", "json", func(text string) error { return r.form(&r.Form, text) })
	place, basic := r.fieldPlace, r.fieldPlace == "basic"
	if !basic {
		inwards := ""
		if r.Form == JSON {
			inwards = " Dots lead inwards, as in user.name."
		}
		i.ask("Which field is the login name?"+inwards, proposed(place, "username", "X-Access-Key"), r.fieldName(&login, &secret))
		i.ask("And which is the password, or the secret?", proposed(place, "password", "X-Access-Secret"), r.fieldName(&secret, &login))
	}
	i.ask("What comes back? A status and a body, on one line.", `200 {"token": "eyJ…", "expires_in": 3600}`, func(text string) (err error) {
		d.Success, err = answered(text)
		return err
	})
	i.ask("And for a wrong password?", `401 {"error": "bad_credentials", "message": "The credentials are wrong"}`, func(text string) (err error) {
		d.Refusal, err = ParseReply(text)
		return err
	})
	i.ask("How do later calls bring the token? A header as it is sent.", "Authorization: Bearer TOKEN", func(text string) error { return d.carrier(text) })
	i.ask("How long does a token live?", "1h", func(text string) (err error) {
		d.Lifetime, err = length(text)
		return err
	})
	if i.err != nil {
		return d, i.err
	}
	if basic {
		r.addBasic("ada", "x")
		return d, nil
	}
	r.fill(place, login, secret)
	return d, nil
}

const maxLength = 10 * 365 * 24 * time.Hour

// usualToken stands for a JWT of which nothing is known.
const usualToken = "eyJ9.eyJ9.x" //nolint:gosec // no token

// answered reads the reply to a right password, which holds a token.
func answered(text string) (*Reply, error) {
	r, err := ParseReply(strings.ReplaceAll(text, "eyJ…", usualToken))
	if err != nil {
		return nil, err
	}
	if g := (&guesser{}); g.findToken(r) == "" || r.Status == 0 && r.JSON == nil && len(r.Text) < 16 {
		return nil, &Problem{fmt.Sprintf("%q holds nothing like a token", text), `a status and a body, such as 200 {"token": "eyJ…"}, or 200 and the token alone`}
	}
	return r, nil
}

// ask asks until the answer is understood, or the input ends; nothing once it has ended.
func (i *interview) ask(question, proposal string, take func(string) error) {
	if i.n++; i.err != nil {
		return
	}
	for {
		fmt.Fprintf(i.out, "\n%d. %s\n   [%s] ", i.n, question, proposal)
		line, err := i.in.ReadString('\n')
		ended := errors.Is(err, io.EOF)
		if err != nil {
			fmt.Fprintln(i.out)
		}
		switch {
		case err != nil && !ended:
			i.err = err
			return
		case ended && i.person:
			i.err = ErrStopped
			return
		}
		problem := take(cmp.Or(strings.TrimSpace(line), proposal))
		if problem == nil {
			return
		}
		if ended {
			i.err = fmt.Errorf("question %d: %w", i.n, problem)
			return
		}
		fmt.Fprintf(i.out, "   %s\n", problem)
		if hinted, ok := errors.AsType[*Problem](problem); ok {
			fmt.Fprintf(i.out, "   %s\n", hinted.Advice)
		}
	}
}

var placeText = regexp.MustCompile(`^(?:([A-Za-z]+) +)?(?:https?://[^/\s]+)?(/[^\s?#]*)$`)

func (r *Request) place(text string) error {
	parts := placeText.FindStringSubmatch(text)
	if parts == nil {
		return &Problem{fmt.Sprintf("%q is no method and path", text), "such as POST /login, without a query"}
	}
	r.Method, r.Path, r.Fields = strings.ToUpper(cmp.Or(parts[1], "post")), parts[2], nil
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, r.Method) {
		return &Problem{fmt.Sprintf("%s is no method", r.Method), "such as POST /login"}
	}
	r.readPath()
	return r.checkPath()
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

// fieldName takes the name of a field, which is not that of the other one.
func (r *Request) fieldName(to, other *string) func(string) error {
	return func(text string) error {
		text = strings.Trim(text, `"'`)
		switch {
		case !fieldText.MatchString(text) || slices.Contains(strings.Split(text, "."), ""):
			return &Problem{fmt.Sprintf("%q is no field's name", text), "such as username, or user.name for a member of a member"}
		case r.fieldPlace == "header" && !headerName.MatchString(text):
			return &Problem{fmt.Sprintf("%q is no header's name", text), "such as X-Access-Key"}
		case r.fieldPlace == "body" && r.Form != JSON && strings.Contains(text, "."):
			return &Problem{fmt.Sprintf("%q has a dot, by which only members of JSON are found", text), "such as username"}
		case strings.EqualFold(text, *other):
			return &Problem{fmt.Sprintf("%q is the login name already", text), "the password has a field of its own"}
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
	r.Fields = append(r.Fields, field("identifier", login, "ada"), field("secret", secret, "x"))
}

var cookieText = regexp.MustCompile(`^[Cc]ookie: *([^\s=;]+)=\S*$`)

var carrierText = regexp.MustCompile(`^([A-Za-z0-9-]+): *(?:([A-Za-z][A-Za-z0-9_-]*) +)?(\S+)$`)

func (d *Draft) carrier(text string) error {
	parts := carrierText.FindStringSubmatch(text)
	cookie := cookieText.FindStringSubmatch(text)
	switch {
	case cookie != nil:
		d.Carriers = []Carrier{{In: "cookie", Name: cookie[1]}}
	case parts != nil:
		d.Carriers = []Carrier{{In: "header", Name: parts[1], Scheme: parts[2]}}
	case strings.EqualFold(text, "Bearer") || strings.EqualFold(text, "Authorization"):
		d.Carriers = nil // the usual one
	case headerName.MatchString(text) && strings.Contains(text, "-"):
		d.Carriers = []Carrier{{In: "header", Name: text}}
	default:
		return &Problem{fmt.Sprintf("%q is no header", text), "such as Authorization: Bearer TOKEN, X-Auth-Token: TOKEN, or Cookie: session=TOKEN"}
	}
	return nil
}

// lengthText is a number and its unit, or several, as in 1h30m; seconds where there is none.
var (
	lengthText = regexp.MustCompile(`^(?:[0-9]{1,8} *(?:s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?) *)+$|^[0-9]{1,8}$`)
	lengthPart = regexp.MustCompile(`([0-9]+) *([a-z]?)[a-z]*`)
	units      = map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
)

const lengths = "a number and s, m, h, d or w, such as 90s, 15m, 1h30m or 90d"

func length(text string) (time.Duration, error) {
	lower := strings.ToLower(text)
	if !lengthText.MatchString(lower) {
		return 0, &Problem{fmt.Sprintf("%q is no length of time", text), lengths}
	}
	whole := time.Duration(0)
	for _, part := range lengthPart.FindAllStringSubmatch(lower, -1) {
		n, err := strconv.Atoi(part[1])
		unit := units[part[2]]
		if err != nil || n > int((maxLength-whole)/unit) {
			return 0, &Problem{fmt.Sprintf("%q is longer than ten years", text), lengths}
		}
		whole += time.Duration(n) * unit
	}
	if whole == 0 {
		return 0, &Problem{fmt.Sprintf("%q is no length of time", text), "at least one second"}
	}
	return whole, nil
}
