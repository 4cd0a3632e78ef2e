package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"

	"github.com/chancery-auth/chancery/internal/cli/demo"
)

// commands are what scripts can do beside testscript's own commands.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"serve-bg":   serveBackground,
	"serve-hup":  serveHangup,
	"serve-stop": serveStop,
	"http":       httpCall,
	"token":      token,
	"upstream":   upstream,
	"wait-for":   waitFor,
	"find":       find,
	"mail":       readMail,
	"sql":        sqlStatement,
	"occupy":     occupy,
}

const patience = 30 * time.Second

// A background is a server that a script has started.
type background struct {
	command *exec.Cmd
	exited  chan error
	log     func() string
}

var backgrounds sync.Map // by work folder

// serve-bg [args] starts `chancery serve` and waits until it listens. It sets
// $URL and $ADMIN.
func serveBackground(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("serve-bg cannot be negated: use ! exec chancery serve")
	}
	program, err := lookPath(ts, "chancery")
	ts.Check(err)
	command := exec.Command(program, append([]string{"serve"}, args...)...)
	command.Dir = ts.MkAbs(".")
	command.Env = environment(ts)
	stderr, err := command.StderrPipe()
	ts.Check(err)
	ts.Check(command.Start())
	b := &background{command: command, exited: make(chan error, 1)}
	var (
		mu    sync.Mutex
		log   bytes.Buffer
		ready = make(chan struct{ Address, AdminAddress string }, 1)
	)
	b.log = func() string { mu.Lock(); defer mu.Unlock(); return log.String() }
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			mu.Lock()
			log.WriteString(lines.Text() + "\n")
			mu.Unlock()
			var line struct {
				Msg, Address string
				AdminAddress string `json:"admin_address"`
			}
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				ready <- struct{ Address, AdminAddress string }{line.Address, line.AdminAddress}
			}
		}
		b.exited <- command.Wait()
	}()
	ts.Defer(func() { _ = command.Process.Kill() })
	select {
	case at := <-ready:
		ts.Setenv("URL", "http://"+at.Address)
		ts.Setenv("ADMIN", "http://"+at.AdminAddress)
	case err := <-b.exited:
		ts.Fatalf("chancery serve ended: %v\n%s", err, b.log())
	case <-time.After(patience):
		ts.Fatalf("chancery serve did not listen in time\n%s", b.log())
	}
	backgrounds.Store(ts.MkAbs("."), b)
}

func lookPath(ts *testscript.TestScript, program string) (string, error) {
	for _, folder := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(folder, program); isFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not in the script's PATH", program)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// environment is what scripts can set that the program reads.
func environment(ts *testscript.TestScript) []string {
	env := []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	for _, name := range []string{
		"CHANCERY_DATABASE", "CHANCERY_LISTEN", "CHANCERY_ADMIN_LISTEN", "CHANCERY_ISSUER", "CHANCERY_DRAIN",
		"CHANCERY_LOG_LEVEL", "CHANCERY_MAIL_FOLDER", "CHANCERY_MAIL_FROM", "TESTSCRIPT_COMMAND", "GOCOVERDIR",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// serve-hup TEXT sends HUP to the server and waits until a further line of its log
// holds TEXT.
func serveHangup(ts *testscript.TestScript, neg bool, args []string) {
	held, ok := backgrounds.Load(ts.MkAbs("."))
	if neg || len(args) != 1 || !ok {
		ts.Fatalf("usage: serve-hup TEXT, after serve-bg in the same folder")
	}
	b := held.(*background)
	before := len(b.log())
	ts.Check(b.command.Process.Signal(syscall.SIGHUP))
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(b.log()[before:], args[0]) {
			return
		}
	}
	ts.Fatalf("the log did not tell %q in time:\n%s", args[0], b.log())
}

// serve-stop sends TERM to the server and wants exit code 0. Its log is then in
// the file server.log.
func serveStop(ts *testscript.TestScript, neg bool, args []string) {
	held, ok := backgrounds.LoadAndDelete(ts.MkAbs("."))
	if neg || len(args) > 0 || !ok {
		ts.Fatalf("usage: serve-stop, after serve-bg in the same folder")
	}
	b := held.(*background)
	ts.Check(b.command.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-b.exited:
		if err != nil {
			ts.Fatalf("chancery serve: %v\n%s", err, b.log())
		}
	case <-time.After(patience):
		ts.Fatalf("chancery serve did not end in time\n%s", b.log())
	}
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(b.log()), 0o600))
}

// http METHOD URL [-H 'Name: value']… [-d body | -f file] [-show Name]… sends a
// request and prints status and media type, the headers to be shown, and the
// body, each on lines of their own. It does not follow redirects.
func httpCall(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: http METHOD URL [-H 'Name: value']... [-d body | -f file] [-show Name]...")
	}
	method, target, body := args[0], args[1], ""
	header, show := http.Header{}, []string(nil)
	for rest := args[2:]; len(rest) > 0; rest = rest[2:] {
		if len(rest) < 2 {
			ts.Fatalf("http: %s wants a value", rest[0])
		}
		switch rest[0] {
		case "-H":
			name, value, _ := strings.Cut(rest[1], ":")
			header.Add(name, strings.TrimSpace(value))
		case "-d":
			body = rest[1]
		case "-f":
			body = strings.TrimSuffix(ts.ReadFile(rest[1]), "\n")
		case "-show":
			show = append(show, rest[1])
		default:
			ts.Fatalf("http: unknown flag %s", rest[0])
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	ts.Check(err)
	request.Header = header
	reply, err := http.DefaultTransport.RoundTrip(request)
	ts.Check(err)
	defer func() { _ = reply.Body.Close() }()
	read, err := io.ReadAll(reply.Body)
	ts.Check(err)
	out := ts.Stdout()
	fmt.Fprintf(out, "%s\n", strings.TrimSpace(fmt.Sprint(reply.StatusCode, " ", reply.Header.Get("Content-Type"))))
	for _, name := range show {
		fmt.Fprintf(out, "%s: %s\n", name, strings.Join(reply.Header.Values(name), ", "))
	}
	fmt.Fprintf(out, "%s\n", read)
}

var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

// token NAME puts the token of the last output into the variable NAME.
func token(ts *testscript.TestScript, neg bool, args []string) {
	found := jwt.FindString(ts.ReadFile("stdout"))
	if neg || len(args) != 1 || found == "" {
		ts.Fatalf("usage: token NAME, after a command that printed a token")
	}
	ts.Setenv(args[0], found)
}

// find NAME REGEXP [FILE] puts what the first group of the expression finds in
// FILE, or else in the last output, into the variable NAME.
func find(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: find NAME REGEXP [FILE]")
	}
	file := "stdout"
	if len(args) == 3 {
		file = args[2]
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile(file))
	if len(found) < 2 {
		ts.Fatalf("%s holds nothing like %s", file, args[1])
	}
	ts.Setenv(args[0], found[1])
}

// upstream starts the demo's API and puts its address into $UPSTREAM.
func upstream(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: upstream")
	}
	server := httptest.NewServer(demo.Upstream())
	ts.Defer(server.Close)
	ts.Setenv("UPSTREAM", server.URL)
}

// wait-for GLOB waits for a file of that name, and puts the first into $FILE.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: wait-for GLOB")
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		files, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		if len(files) > 0 {
			ts.Setenv("FILE", files[0])
			return
		}
	}
	ts.Fatalf("no file %s came in time", args[0])
}

// mail FILE OUT writes recipient, subject and text of a mail to OUT, decoded.
func readMail(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mail FILE OUT")
	}
	message, err := mail.ReadMessage(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	ts.Check(err)
	part, err := multipart.NewReader(message.Body, params["boundary"]).NextPart() // the text comes first
	ts.Check(err)
	text, err := io.ReadAll(part)
	ts.Check(err)
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	ts.Check(err)
	out := fmt.Sprintf("To: %s\nSubject: %s\n\n%s", message.Header.Get("To"), subject, strings.ReplaceAll(string(text), "\r\n", "\n"))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(out), 0o600))
}

// sql STATEMENT changes the database behind the program's back.
func sqlStatement(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sql STATEMENT")
	}
	driver, source := "pgx", ts.Getenv("CHANCERY_DATABASE")
	if path, ok := strings.CutPrefix(source, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()
	}
	database, err := sql.Open(driver, source)
	ts.Check(err)
	defer func() { _ = database.Close() }()
	_, err = database.ExecContext(context.Background(), args[0])
	ts.Check(err)
}

// occupy listens on a free port and puts its address into $TAKEN.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: occupy")
	}
	server := httptest.NewServer(http.NotFoundHandler())
	ts.Defer(server.Close)
	ts.Setenv("TAKEN", strings.TrimPrefix(server.URL, "http://"))
}
