package draft

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
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
	r.Date, _ = http.ParseTime(header.Get("Date"))
	r.readHeaders(header)
	return r, r.readBody(rest)
}

var (
	// keptHeaders are those that say the same in each reply.
	keptHeaders = []string{"Www-Authenticate", "Pragma", "Content-Language", "Referrer-Policy", "X-Frame-Options", "X-Xss-Protection", "Content-Security-Policy"}
	// serversHeaders are those that every server sets for itself.
	serversHeaders = []string{
		"Content-Type", "Content-Length", "Date", "Server", "Via", "Connection", "Keep-Alive", "Transfer-Encoding", "Trailer", "Upgrade", "Set-Cookie",
		"Cache-Control", "X-Content-Type-Options", "Retry-After", "Allow", "Proxy-Connection", "Te",
	}
)

// readHeaders keeps the headers that may hold a token, and those that say the same in
// each reply.
func (r *Reply) readHeaders(header http.Header) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		v := header[name][0]
		switch {
		case slices.Contains(serversHeaders, name):
		case slices.Contains(keptHeaders, name) || strings.HasSuffix(name, "-Version"):
			r.Headers = append(r.Headers, Header{Name: name, Value: v})
		case jwt.MatchString(v) || tokenName(name) || name == "Authorization":
			r.Headers = append(r.Headers, Header{name, v, true})
		default:
			r.Left = append(r.Left, name)
		}
	}
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		if tokenName(cookie.Name) || jwt.MatchString(cookie.Value) {
			r.Cookies = append(r.Cookies, cookie)
		} else {
			r.Left = append(r.Left, "the cookie "+cookie.Name)
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
