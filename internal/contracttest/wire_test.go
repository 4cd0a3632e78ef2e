package contracttest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A request is written to the socket as it stands: no library mends it.
type request struct {
	method  string
	target  string
	host    string   // "" takes the contract's
	fields  []string // header lines beside Host, Content-Length and Connection
	body    string
	chunked bool
	bare    bool // no Content-Length, whatever the body
}

func (r request) with(lines ...string) request {
	r.fields = append(slices.Clone(r.fields), lines...)
	return r
}

func (r request) inChunks() request {
	r.chunked = true
	return r
}

func (r request) as(method string) request {
	r.method = method
	return r
}

func (r request) at(target string) request {
	r.target = target
	return r
}

// text writes the request for a connection that ends after it.
func (r request) text() string { return r.lines("Connection: close") }

// lines writes the request with further header lines.
func (r request) lines(more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method, r.target, r.host)
	for _, line := range append(slices.Clone(r.fields), more...) {
		b.WriteString(line + "\r\n")
	}
	switch {
	case r.chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for rest := r.body; rest != ""; {
			size := min(len(rest), 7) // fields are split between chunks
			fmt.Fprintf(&b, "%x\r\n%s\r\n", size, rest[:size])
			rest = rest[size:]
		}
		b.WriteString("0\r\n\r\n")
	case r.bare || (r.body == "" && r.method != "POST"):
		b.WriteString("\r\n")
	default:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
	}
	return b.String()
}

// A field is one header line of a reply.
type field struct{ name, value string }

// A reply is what came over the socket.
type reply struct {
	status int
	fields []field // in the order of the wire
	body   string
}

// get returns the value of a header field that must be there at most once.
func (r reply) get(name string) (value string, ok bool) {
	for _, f := range r.fields {
		if strings.EqualFold(f.name, name) {
			return f.value, true
		}
	}
	return "", false
}

func (r reply) count(name string) (n int) {
	for _, f := range r.fields {
		if strings.EqualFold(f.name, name) {
			n++
		}
	}
	return n
}

// String is the reply without what differs between any two: Date and request id.
func (r reply) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", r.status)
	for _, f := range r.fields {
		if !strings.EqualFold(f.name, "Date") && !strings.EqualFold(f.name, "X-Request-Id") {
			fmt.Fprintf(&b, "%s: %s\n", f.name, f.value)
		}
	}
	return b.String() + "\n" + r.body
}

const patience = 30 * time.Second // for one reply; the machine may be busy

// dial opens a connection to the server's plain listener.
func dial(address string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// sendText writes text to a new connection and reads one reply.
func sendText(address, text, method string) (reply, error) {
	conn, err := dial(address)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	// A server may answer and close before it has read all: that is its right, and
	// the reply is what counts.
	go func() { _, _ = io.WriteString(conn, text) }()
	return readReply(bufio.NewReader(conn), method)
}

// readReply parses one reply by hand, past any 1xx.
func readReply(r *bufio.Reader, method string) (reply, error) {
	for {
		got, err := readHead(r)
		if err != nil || got.status >= 200 {
			if err == nil {
				err = got.readBody(r, method)
			}
			return got, err
		}
	}
}

func readHead(r *bufio.Reader) (reply, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return reply{}, fmt.Errorf("no status line: %w", err)
	}
	parts := strings.SplitN(strings.TrimSuffix(line, "\r\n"), " ", 3)
	if len(parts) < 2 || parts[0] != "HTTP/1.1" {
		return reply{}, fmt.Errorf("status line %q is not HTTP/1.1", line)
	}
	var got reply
	if got.status, err = strconv.Atoi(parts[1]); err != nil {
		return got, fmt.Errorf("status line %q: %w", line, err)
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return got, fmt.Errorf("in the header: %w", err)
		}
		line, whole := strings.CutSuffix(line, "\r\n")
		if line == "" {
			return got, nil
		}
		name, value, colon := strings.Cut(line, ": ")
		if !colon && strings.HasSuffix(line, ":") {
			name, colon = strings.TrimSuffix(line, ":"), true
		}
		if !whole || !colon {
			return got, fmt.Errorf("header line %q", line)
		}
		got.fields = append(got.fields, field{name, value})
	}
}

func (r *reply) readBody(from *bufio.Reader, method string) error {
	if method == "HEAD" || r.status == 204 || r.status == 304 {
		return nil
	}
	var body []byte
	var err error
	length, hasLength := r.get("Content-Length")
	switch coding, _ := r.get("Transfer-Encoding"); {
	case coding == "chunked":
		body, err = io.ReadAll(httputil.NewChunkedReader(from))
	case hasLength:
		var n int
		if n, err = strconv.Atoi(length); err != nil {
			return err
		}
		body = make([]byte, n)
		_, err = io.ReadFull(from, body)
	default:
		body, err = io.ReadAll(from)
	}
	r.body = string(body)
	return err
}

// An expected reply. Header fields that are "" must not be there.
type expected struct {
	status    int
	body      string
	pattern   string // a regular expression for the body, where the contract leaves room
	challenge string // WWW-Authenticate
	allow     string
	noStore   bool
}

// expect compares a reply with what the contract says, envelope included.
func (c contract) expect(t *testing.T, got reply, want expected) {
	t.Helper()
	if got.status != want.status {
		t.Errorf("status = %d, want %d; body %q", got.status, want.status, clip(got.body))
	}
	switch {
	case want.pattern != "":
		if !matches(want.pattern, got.body) {
			t.Errorf("body = %q, want a match of %q", clip(got.body), want.pattern)
		}
	case got.body != want.body:
		t.Errorf("body\n got %q\nwant %q", clip(got.body), clip(want.body))
	}
	mediaType := c.mediaType
	if want.status < 300 && c.successType != "" {
		mediaType = c.successType
	}
	for _, f := range []struct{ name, want string }{
		{"Content-Type", mediaType},
		{"Content-Length", strconv.Itoa(len(got.body))},
		{"X-Content-Type-Options", "nosniff"}, // S57
		{"WWW-Authenticate", want.challenge},
		{"Allow", want.allow},
		{"Transfer-Encoding", ""},
		{"Access-Control-Allow-Origin", ""}, // 1.8: off
	} {
		if value, ok := got.get(f.name); value != f.want || ok != (f.want != "") || got.count(f.name) > 1 {
			t.Errorf("%s: %q (%d times), want %q", f.name, value, got.count(f.name), f.want)
		}
	}
	if value, _ := got.get("Cache-Control"); want.noStore && !strings.Contains(value, "no-store") {
		t.Errorf("Cache-Control: %q, want no-store", value)
	}
}

// clip keeps failures readable.
func clip(text string) string {
	if len(text) > 600 {
		return text[:600] + "…"
	}
	return text
}
