package draft

import (
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

var (
	statusLine = regexp.MustCompile(`^HTTP/[0-9.]+ ([0-9]{3})`)
	statusWord = regexp.MustCompile(`^([0-9]{3})(?:\s+|$)`)
)

// ParseReply reads what `curl -i` prints: a status line, headers, an empty line and
// the body. A status and the body alone will do, as in 401 {"error": "denied"}.
func ParseReply(printed string) (*Reply, error) {
	rest := strings.ReplaceAll(strings.TrimPrefix(printed, "\ufeff"), "\r\n", "\n")
	r := &Reply{}
	header := http.Header{}
	for statusLine.MatchString(rest) { // 100 Continue and redirects come before
		head, after, _ := strings.Cut(rest, "\n\n")
		lines := strings.Split(head, "\n")
		r.Status, _ = strconv.Atoi(statusLine.FindStringSubmatch(lines[0])[1])
		header = http.Header{}
		for _, line := range lines[1:] {
			if name, value, ok := strings.Cut(line, ":"); ok {
				header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
			}
		}
		rest = after
	}
	rest = strings.TrimSpace(rest)
	if found := statusWord.FindString(rest); r.Status == 0 && found != "" {
		r.Status, _ = strconv.Atoi(strings.TrimSpace(found))
		rest = rest[len(found):]
	}
	if r.Status != 0 && (r.Status < 200 || r.Status > 599) {
		return nil, &Problem{fmt.Sprintf("%d is no status of a reply", r.Status), "give what `curl -i` prints, or a status and a body, such as 401 {\"error\": \"denied\"}"}
	}
	r.Type = header.Get("Content-Type")
	for _, name := range []string{"Www-Authenticate", "Pragma"} {
		if v := header.Get(name); v != "" {
			r.Headers = append(r.Headers, Header{name, v})
		}
	}
	r.tokenHeaders(header)
	return r, r.readBody(rest)
}

// tokenHeaders keeps the headers that may hold a token.
func (r *Reply) tokenHeaders(header http.Header) {
	for name, values := range header {
		if name != "Www-Authenticate" && (jwt.MatchString(values[0]) || tokenName(name) || name == "Authorization") {
			r.Headers = append(r.Headers, Header{name, values[0]})
		}
	}
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		if tokenName(cookie.Name) || jwt.MatchString(cookie.Value) {
			r.Cookies = append(r.Cookies, cookie)
		}
	}
}

func (r *Reply) readBody(content string) error {
	typ, _, _ := mime.ParseMediaType(r.Type)
	isJSON := body.IsJSON(typ) || strings.HasSuffix(typ, "+json")
	if !isJSON && (typ != "" || !strings.HasPrefix(content, "{") && !strings.HasPrefix(content, "[")) || content == "" {
		r.Text = content
		if content == "" {
			r.Type = ""
		}
		return nil
	}
	v, err := body.ParseJSON([]byte(content), limits)
	if err != nil {
		return &Problem{"the reply is said to be JSON, and is not: " + reason(err), "give it whole, as `curl -i` prints it"}
	}
	r.JSON = &v
	if r.Type == "application/json" {
		r.Type = "" // as it is anyway
	}
	return nil
}

var jwt = regexp.MustCompile(`^(?:[Bb]earer )?(eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$`)
