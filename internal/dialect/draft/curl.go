package draft

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A curlCommand is what a curl command says, before it is judged.
type curlCommand struct {
	method, url string
	json        bool
	get         bool
	query       []string // of --url-query
	data        []string // of -d and its like, to be joined with &
	parts       [][2]string
	header      [][2]string
	user        string
	notes       []string
}

// FromCurl drafts from a curl command, as it is typed or as a browser copies it.
func FromCurl(text string) (Draft, error) {
	c, err := parseCurl(text)
	if err != nil {
		return Draft{}, err
	}
	d := Draft{Origin: "a curl command", Notes: c.notes}
	if d.Request, err = c.request(&d); err != nil {
		return Draft{}, err
	}
	return d, nil
}

// CurlRequest is the HTTP request that a curl command sends: its path with the
// query, its headers and its body.
func CurlRequest(text string) (*http.Request, error) {
	c, err := parseCurl(text)
	if err != nil {
		return nil, err
	}
	target, err := c.target()
	if err != nil {
		return nil, err
	}
	content := c.content()
	r, err := http.NewRequest(c.verb(), target.RequestURI(), strings.NewReader(content)) //nolint:noctx // it is looked at, not sent
	if err != nil {
		return nil, &Problem{err.Error(), "correct the URL of the command"}
	}
	for _, h := range c.header {
		r.Header.Add(h[0], h[1])
	}
	if typ := c.mediaType(); typ != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", typ)
	}
	if c.user != "" {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.user)))
	}
	return r, nil
}

// flagTakes says, for the flags of curl that have a value, what becomes of it.
var flagTakes = map[string]func(*curlCommand, string){
	"request": func(c *curlCommand, v string) { c.method = v },
	"url":     func(c *curlCommand, v string) { c.url = v },
	"header": func(c *curlCommand, v string) {
		name, value, _ := strings.Cut(v, ":")
		c.header = append(c.header, [2]string{textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)})
	},
	"data":           (*curlCommand).addData,
	"data-ascii":     (*curlCommand).addData,
	"data-binary":    (*curlCommand).addData,
	"data-raw":       func(c *curlCommand, v string) { c.data = append(c.data, v) },
	"data-urlencode": (*curlCommand).addEncoded,
	"json":           func(c *curlCommand, v string) { c.json = true; c.addData(v) },
	"form":           (*curlCommand).addPart,
	"form-string":    (*curlCommand).addText,
	"url-query":      func(c *curlCommand, v string) { c.query = append(c.query, v) },
	"user":           func(c *curlCommand, v string) { c.user = v },
	"cookie": func(c *curlCommand, v string) {
		c.notes = append(c.notes, cookiesUnread)
	},
	"oauth2-bearer": func(c *curlCommand, v string) { c.header = append(c.header, [2]string{"Authorization", "Bearer " + v}) },
}

// flagIgnores are those whose value says nothing of the contract.
var flagIgnores = []string{
	"output", "write-out", "max-time", "connect-timeout", "retry", "retry-delay", "proxy", "cookie-jar", "cert", "key", "cacert", "capath",
	"dump-header", "resolve", "connect-to", "user-agent", "referer", "range", "limit-rate", "interface", "dns-servers", "config",
	"speed-time", "speed-limit", "time-cond", "continue-at", "quote", "proxy-user", "proxy-header", "preproxy", "socks4", "socks5", "socks5-hostname", "proto",
	"aws-sigv4", "pass", "cert-type", "key-type", "pinnedpubkey", "netrc-file", "login-options", "max-filesize", "retry-max-time", "keepalive-time", "output-dir", "request-target",
	"tls13-ciphers", "curves", "doh-url", "local-port", "expect100-timeout", "rate", "etag-save", "etag-compare", "service-name", "tlsuser", "tlspassword",
	"max-redirs", "ciphers", "tls-max", "unix-socket", "noproxy", "stderr", "trace", "trace-ascii", "upload-file", "variable",
}

var shortFlags = map[byte]string{
	'X': "request", 'H': "header", 'd': "data", 'F': "form", 'u': "user", 'b': "cookie", 'o': "output", 'w': "write-out", 'm': "max-time",
	'x': "proxy", 'c': "cookie-jar", 'E': "cert", 'D': "dump-header", 'A': "user-agent", 'e': "referer", 'r': "range", 'K': "config", 'T': "upload-file",
	'G': "get", 'I': "head", 'y': "speed-time", 'Y': "speed-limit", 'z': "time-cond", 'C': "continue-at", 'Q': "quote", 'U': "proxy-user",
}

func parseCurl(text string) (*curlCommand, error) {
	words, err := shellWords(strings.TrimPrefix(strings.TrimSpace(text), "$ "))
	if err != nil {
		return nil, err
	}
	if len(words) == 0 || !slices.Contains([]string{"curl", "curl.exe"}, words[0]) {
		return nil, &Problem{"this is no curl command", "begin it with the word curl, such as: curl -X POST https://api.example.com/login -d 'username=ada&password=x'"}
	}
	c := &curlCommand{}
	for words = words[1:]; len(words) > 0; {
		word := words[0]
		words = words[1:]
		switch {
		case strings.HasPrefix(word, "--") && len(word) > 2:
			words, err = c.flag(word[2:], "", words)
		case strings.HasPrefix(word, "-") && len(word) > 1:
			words, err = c.shorts(word[1:], words)
		case c.url == "":
			c.url = word
		default:
			c.notes = append(c.notes, "The command has a second URL, which was left out.")
		}
		if err != nil {
			return nil, err
		}
	}
	if c.url == "" {
		return nil, &Problem{"the curl command has no URL", "give the address of the sign-in too"}
	}
	return c, c.filesNotRead()
}

// shorts reads -sSXPOST: letters, of which the last may have a value.
func (c *curlCommand) shorts(letters string, rest []string) ([]string, error) {
	for i := range len(letters) {
		name := shortFlags[letters[i]]
		if name == "" {
			continue // such as -s, which says nothing of the contract
		}
		if name == "get" || name == "head" {
			if _, err := c.flag(name, "", nil); err != nil {
				return nil, err
			}
			continue
		}
		return c.flag(name, letters[i+1:], rest)
	}
	return rest, nil
}

// flag takes a flag, whose value is attached to it or the next word.
func (c *curlCommand) flag(name, attached string, rest []string) ([]string, error) {
	switch name {
	case "get":
		c.get = true
		return rest, nil
	case "head":
		c.method = http.MethodHead
		return rest, nil
	}
	take := flagTakes[name]
	if take == nil && !slices.Contains(flagIgnores, name) {
		return rest, nil // such as --silent
	}
	if attached == "" {
		if len(rest) == 0 {
			return nil, &Problem{fmt.Sprintf("the curl command ends after --%s, which wants a value", name), "give the whole command in single quotes"}
		}
		attached, rest = rest[0], rest[1:]
	}
	if take != nil {
		take(c, attached)
	}
	return rest, nil
}

// file marks a value that stands in a file.
const file = "\x00file:"

func (c *curlCommand) addData(value string) {
	if name, ok := strings.CutPrefix(value, "@"); ok {
		value = file + name
	}
	c.data = append(c.data, value)
}

func (c *curlCommand) addEncoded(value string) {
	name, text, named := strings.Cut(value, "=")
	switch {
	case !named:
		c.data = append(c.data, url.QueryEscape(name))
	case name == "":
		c.data = append(c.data, url.QueryEscape(text))
	default:
		c.data = append(c.data, name+"="+url.QueryEscape(text))
	}
}

var partEnd = regexp.MustCompile(`;\s*(?:type|filename|headers|encoder)=.*$`)

func (c *curlCommand) addText(value string) {
	name, text, _ := strings.Cut(value, "=")
	c.parts = append(c.parts, [2]string{name, text})
}

func (c *curlCommand) addPart(value string) {
	name, text, _ := strings.Cut(partEnd.ReplaceAllString(value, ""), "=")
	if strings.HasPrefix(text, "@") || strings.HasPrefix(text, "<") {
		c.notes = append(c.notes, fmt.Sprintf("The part %s is a file, and was taken for a text.", name))
		text = "file"
	}
	c.parts = append(c.parts, [2]string{name, text})
}

// filesNotRead refuses a body that is in a file.
func (c *curlCommand) filesNotRead() error {
	for _, data := range c.data {
		if name, ok := strings.CutPrefix(data, file); ok {
			from := "in the file " + name
			if name == "-" {
				from = "on standard input"
			}
			return &Problem{"the body is " + from + ", which is not read", "write what is there in the place of @" + name + ", in single quotes"}
		}
	}
	return nil
}

func (c *curlCommand) verb() string {
	switch {
	case c.method != "":
		return strings.ToUpper(c.method)
	case !c.get && (len(c.data) > 0 || len(c.parts) > 0):
		return http.MethodPost
	}
	return http.MethodGet
}

func (c *curlCommand) headerValue(name string) string {
	for _, h := range c.header {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// mediaType is the Content-Type that the command sends.
func (c *curlCommand) mediaType() string {
	switch {
	case c.headerValue("Content-Type") != "":
		return c.headerValue("Content-Type")
	case len(c.parts) > 0:
		return "multipart/form-data; boundary=" + boundary
	case c.get || len(c.data) == 0:
		return ""
	case c.json:
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

const boundary = "chancery-draft"

// content is the body.
func (c *curlCommand) content() string {
	if len(c.parts) > 0 {
		var b strings.Builder
		for _, part := range c.parts {
			fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", boundary, part[0], part[1])
		}
		return b.String() + "--" + boundary + "--\r\n"
	}
	if c.get {
		return ""
	}
	separator := "&"
	if c.json {
		separator = ""
	}
	return strings.Join(c.data, separator)
}

// target is the URL, with the data of --get in its query. Who stands in it signs in, as
// with --user.
func (c *curlCommand) target() (*url.URL, error) {
	text := c.url
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, &Problem{fmt.Sprintf("%q is no URL", c.url), "write it as in https://api.example.com/login"}
	}
	if c.get && len(c.data) > 0 {
		u.RawQuery = strings.Trim(u.RawQuery+"&"+strings.Join(c.data, "&"), "&")
	}
	for _, more := range c.query {
		u.RawQuery = strings.Trim(u.RawQuery+"&"+more, "&")
	}
	if u.Path == "" {
		u.Path = "/"
	}
	if password, _ := u.User.Password(); u.User != nil && c.user == "" {
		c.user = u.User.Username() + ":" + password
	}
	return u, nil
}

const cookiesUnread = "The command sends cookies, which nothing reads."

// unread are headers that say nothing of a contract.
var unread = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Content-Type", "Content-Length", "Host", "Connection",
	"Origin", "Referer", "Dnt", "Cache-Control", "Pragma", "Priority", "Te", "Upgrade-Insecure-Requests", "X-Requested-With",
}

// braces are those around a part of the path that differs from call to call.
var braces = strings.NewReplacer("%7B", "{", "%7D", "}")

// request judges what the command sends.
func (c *curlCommand) request(d *Draft) (Request, error) {
	u, err := c.target()
	if err != nil {
		return Request{}, err
	}
	r := Request{Method: c.verb(), Path: braces.Replace(u.EscapedPath())}
	r.readPath()
	for _, pair := range pairs(u.RawQuery) {
		r.Fields = append(r.Fields, Field{Place: "query", Path: []string{pair[0]}, Value: body.NewString(pair[1])})
	}
	c.readHeaders(&r, d)
	if c.user != "" {
		name, password, _ := strings.Cut(c.user, ":")
		r.addBasic(name, password)
	}
	if len(c.parts) > 0 {
		r.Form = Multipart
		for _, part := range c.parts {
			r.Fields = append(r.Fields, Field{Place: "body", Path: []string{part[0]}, Value: body.NewString(part[1])})
		}
		return r, r.assign()
	}
	if err := r.readBody(c.mediaType(), c.content()); err != nil {
		return r, err
	}
	return r, r.assign()
}

func (c *curlCommand) readHeaders(r *Request, d *Draft) {
	for _, h := range c.header {
		name, value := h[0], h[1]
		scheme, credentials, _ := strings.Cut(value, " ")
		switch {
		case name == "Cookie":
			d.Notes = append(d.Notes, cookiesUnread)
		case slices.Contains(unread, name) || strings.HasPrefix(name, "Sec-"):
		case name == "Authorization" && strings.EqualFold(scheme, "basic"):
			if decoded, err := base64.StdEncoding.DecodeString(credentials); err == nil {
				user, password, _ := strings.Cut(string(decoded), ":")
				r.addBasic(user, password)
			}
		case name == "Authorization":
			r.bearer = true
			d.Notes = append(d.Notes, "The request has an Authorization header of its own, which nothing reads.")
		default:
			r.Fields = append(r.Fields, Field{Place: "header", Path: []string{name}, Value: body.NewString(value)})
		}
	}
}
