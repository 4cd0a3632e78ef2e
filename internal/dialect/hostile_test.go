package dialect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a hostile file may cost, and by which variable the child knows its file.
const (
	hostileTime   = time.Second
	hostileMemory = 64 << 20
	hostileChild  = "CHANCERY_TEST_HOSTILE"
)

// base is the dialect that hostile files grow from.
func base() string { return filled(nil) }

// withReply is base with another body in the login's success.
func withReply(reply string) string { return filled(map[string]string{"OK": reply}) }

// lines repeats a line, numbered.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}

// routesOf is a file of many routes, each with what format holds.
func routesOf(n int, format string) string {
	return routesIn(base(), n, format)
}

func routesIn(text string, n int, format string) string {
	return strings.Replace(text, "issues:\n", lines(n, format)+"issues:\n", 1)
}

// hostile are files that are made to cost the loader, or whoever runs it, dearly.
var hostile = []struct {
	name string
	make func() string
}{
	{"lists in lists", func() string { return withReply("json: " + strings.Repeat("[", 100_000)) }},
	{"closed lists in lists", func() string { return withReply("json: " + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000)) }},
	{"mappings in mappings", func() string {
		return withReply("json: " + strings.Repeat("{a: ", 50_000) + strings.Repeat("}", 50_000))
	}},
	{"blocks in blocks", func() string {
		var b strings.Builder
		for i := range 600 {
			b.WriteString(strings.Repeat(" ", i) + "a:\n")
		}
		return b.String()
	}},
	{"deepest lists that are taken", func() string {
		return withReply("json: [" + strings.Repeat(strings.Repeat("[", 36)+strings.Repeat("]", 36)+",", 3_000) + "]")
	}},
	{"alias bomb", func() string {
		text := "dialect: bomb\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
		for i := range 12 {
			text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
		}
		return text
	}},
	{"an alias in itself", func() string { return "dialect: &a [*a]\n" }},
	{"merged mappings", func() string { return "dialect: x\na: &a {b: 1}\nc: {<<: *a}\n" }},
	{"merged mappings without number", func() string {
		text := "dialect: bomb\nshared:\n  - &a0 {" + strings.ReplaceAll(lines(900, "m%d: 1,"), "\n", " ") + "}\n"
		return text + strings.Repeat("  - {<<: ["+strings.TrimSuffix(strings.Repeat("*a0, ", 20), ", ")+"]}\n", 100)
	}},
	{"a merge of itself", func() string { return "dialect: x\nshared: &a {b: {<<: *a}}\n" }},
	{"a merge of texts", func() string { return "dialect: x\nshared: {a: &a b, c: {<<: *a}}\n" }},
	{"an anchor that there is not", func() string { return "dialect: *a\n" }},
	{"deep parts in deep parts", func() string {
		text := "dialect: x\nshared:\n  - &a0 " + strings.Repeat("[", 15) + strings.Repeat("]", 15) + "\n"
		for i := range 5 {
			text += fmt.Sprintf("  - &a%d %s*a%d%s\n", i+1, strings.Repeat("[", 10), i, strings.Repeat("]", 10))
		}
		return text
	}},
	{"faults that are shared", func() string {
		text := strings.Replace(base(), "routes:\n", "shared: &ok\n  json:\n"+lines(40, `    m%d: "${account.nme + 'x'}"`)+"routes:\n", 1)
		return routesIn(text, 10, `  - {on: {method: POST, path: /r%d}, do: whoami, ok: *ok}`)
	}},
	{"more bytes than are read", func() string { return base() + strings.Repeat("# nothing\n", 100_000) }},
	{"more values than are read", func() string { return withReply("json: [" + strings.Repeat("1,", 100_000) + "]") }},
	{"one long line", func() string { return withReply("json: {a: \"" + strings.Repeat("é", 120_000) + "\", b: \"${\"}") }},
	{"a name without end", func() string { return strings.Repeat("a", 200_000) + ": 1\n" }},
	{"members without number", func() string { return base() + lines(15_000, "m%d: 1") }},
	{"expressions without number", func() string {
		return withReply("json:\n" + lines(2_000, `        m%d: "${account.login + account.login + 'x'}"`))
	}},
	{"expressions that are none", func() string { return withReply("json:\n" + lines(2_000, `        m%d: "${a + }"`)) }},
	{"expressions of brackets", func() string {
		return withReply("json:\n" + lines(400, `        m%d: "${`+strings.Repeat("(", 240)+"1"+strings.Repeat(")", 240)+`}"`))
	}},
	{"an expression that is too long", func() string { return withReply(`json: "${` + strings.Repeat("1+", 60_000) + `1}"`) }},
	{"facts without number", func() string {
		return withReply("json:\n" + lines(400, `        m%d: "${acount.x.y.z + accout.b + tokn.c}"`))
	}},
	{"loops in loops of an expression", func() string {
		all := "account.roles"
		return withReply(`json: "${` + all + `.map(a, ` + all + `.map(b, ` + all + `.map(c, ` + all + `.map(d, a + b + c + d))))}"`)
	}},
	{"a list that doubles", func() string {
		return withReply(`json: "${[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, [1,2,3,4,5,6,7,8,9,10].map(c, [1,2,3,4,5,6,7,8,9,10].map(d, [1,2,3,4,5,6,7,8,9,10].map(e, [1,2,3,4,5,6,7,8,9,10].map(f, f))))))}"`)
	}},
	{"dear expressions of constants", func() string {
		return withReply("json:\n" + lines(490, `        m%d: "${[1,2,3,4,5,6,7,8,9].map(a, [1,2,3,4,5,6,7,8,9].map(b, [1,2,3,4,5,6,7,8,9].map(c, [1,2,3,4,5,6,7,8,9].map(d, a+b+c+d))))}"`))
	}},
	{"a pattern that never ends", func() string {
		return strings.Replace(base(), "{from: body.tenant}", `{from: body.tenant, pattern: "`+strings.Repeat("(a{1,999}){1,999}", 20)+`"}`, 1)
	}},
	{"a pattern inside an expression", func() string {
		return withReply(`json: "${account.login.matches('` + strings.Repeat("(a{1,9}){1,9}", 30) + `')}"`)
	}},
	{"a text that doubles", func() string {
		return withReply(`json: "${account.login.replace('', account.login).replace('', account.login).replace('', account.login).replace('', account.login).replace('', account.login)}"`)
	}},
	{"a text that doubles by map", func() string {
		return withReply(`json: "${['aaaaaaaaaa']` + strings.Repeat(".map(a,a+a)", 38) + `}"`)
	}},
	{"a list that doubles by map", func() string {
		return withReply(`json: "${[[1,2]]` + strings.Repeat(".map(a,a+a)", 38) + `[0]}"`)
	}},
	{"quotes of quotes", func() string {
		return withReply(`json: "${` + strings.Repeat("strings.quote(", 30) + "account.login" + strings.Repeat(")", 30) + `}"`)
	}},
	{"digits without number", func() string { return withReply(`json: "${'%.1000000000f'.format([1.5])}"`) }},
	{"the most that is taken, and one thing wrong", func() string {
		text := strings.Replace(base(), "      tenant:", lines(90, "      m%d: {from: body.m, required: \"${input.size == 2}\"}")+"      tenant:", 1)
		return strings.Replace(text, "      empty: true", "      json:\n"+lines(380, "        m%d: \"${input.m1 == null ? account.login + 'x' : input.m2}\"")+"        x: \"${input.none}\"", 1)
	}},
	{"the most loops that are taken, and one thing wrong", func() string {
		return withReply("json:\n" + lines(240, `        m%d: {$for: r%[1]d in account.roles, $yield: "${r%[1]d + account.login}"}`) + "        x: ${x}")
	}},
	{"loops in loops of a template", func() string {
		return withReply("json: " + strings.Repeat("{$for: r in account.roles, $yield: ", 30) + "1" + strings.Repeat("}", 30))
	}},
	{"xml in xml", func() string {
		return withReply("xml: " + strings.Repeat("{a: ", 30_000) + "1" + strings.Repeat("}", 30_000))
	}},
	{"xml without end", func() string { return withReply("xml: {a: [" + strings.Repeat("{b: 1},", 20_000) + "]}") }},
	{"names that escape XML", func() string { return withReply(`xml: {"a><script": 1}`) }},
	{"names that escape a header", func() string { return withReply(`headers: {"X-A\r\nSet-Cookie": "a"}` + "\n      empty: true") }},
	{"texts that escape a header", func() string { return withReply(`headers: {X-A: "a\r\nSet-Cookie: b"}` + "\n      empty: true") }},
	{"values that escape a cookie", func() string {
		return withReply(`cookies: [{name: a, value: "b; Domain=evil.example"}]` + "\n      empty: true")
	}},
	{"names that escape a path", func() string { return strings.Replace(base(), "path: /login", "path: /../../etc/passwd", 1) }},
	{"names that escape a path by percent", func() string { return strings.Replace(base(), "path: /login", "path: /%2e%2e/admin", 1) }},
	{"a dialect that is a path", func() string { return strings.Replace(base(), "dialect: minimal", "dialect: ../../x", 1) }},
	{"routes without number", func() string {
		return routesOf(2_000, `  - {on: {method: POST, path: /r%d}, do: whoami, ok: {empty: true}}`)
	}},
	{"routes on one path", func() string {
		return routesOf(49, `  - {on: {method: POST, path: /r, when: {body.a: %d}}, accept: [json], do: whoami, ok: {empty: true}}`)
	}},
	{"variants without number", func() string {
		return withReply("- {when: true, empty: true}\n" + lines(2_000, `      - {when: "${account.login == 'a%d'}", empty: true}`))
	}},
	{"inputs without number", func() string {
		return strings.Replace(base(), "      tenant:", lines(3_000, "      m%d: {from: body.m, required: \"${input.size == 2}\"}")+"      tenant:", 1)
	}},
	{"messages without number", func() string {
		return strings.Replace(base(), "routes:\n", "messages:\n  languages: [en]\n  texts:\n"+lines(4_000, "    m%d: {en: \"${account.login + 'x'}\"}")+"routes:\n", 1)
	}},
	{"languages without number", func() string {
		return strings.Replace(base(), "routes:\n", "messages: {languages: ["+strings.TrimSuffix(strings.Repeat("en, ", 5_000), ", ")+"], texts: {}}\nroutes:\n", 1)
	}},
	{"settings without number", func() string {
		return strings.Replace(base(), "settings: {", "settings: {"+strings.ReplaceAll(lines(9_000, "s%d: 1,"), "\n", " "), 1) + "x: 1\n"
	}},
	{"examples without number", func() string {
		return base() + "examples:\n" + lines(2_000, "  - {name: e%d, send: {path: x}, expect: {status: 1}}")
	}},
	{"headers without number", func() string { return withReply("headers:\n" + lines(9_000, "        X-%d: a") + "      empty: true") }},
	{"bytes that are no text", func() string { return "dialect: \xff\xfe\x00\n" }},
	{"UTF-16", func() string { return "\xff\xfed\x00i\x00a\x00" }},
	{"two documents", func() string { return base() + "---\n" + base() }},
	{"tags without number", func() string { return "dialect: [" + strings.Repeat("!!python/object:os.system x,", 5_000) + "]\n" }},
}

// TestHostile loads each hostile file in a process of its own, which must refuse it
// with a message within a second and 64 MiB of memory, all told.
func TestHostile(t *testing.T) {
	if which := os.Getenv(hostileChild); which != "" {
		loadHostile(t, which)
		return
	}
	for i, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 8*hostileTime)
			defer cancel()
			child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHostile$", "-test.count=1") //nolint:gosec // this binary
			child.Env = append(os.Environ(), hostileChild+"="+strconv.Itoa(i), "GOMAXPROCS=2", "GOGC=50", "GOMEMLIMIT=48MiB")
			out, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%.2000s", err, out)
			}
			t.Logf("%s", out)
		})
	}
}

// peak is the most memory that this process has taken, in bytes: what its parent
// took is not in it, as it would be in what the system tells the parent.
func peak(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	text, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// loadHostile is the child: it loads one file.
func loadHostile(t *testing.T, which string) {
	i, err := strconv.Atoi(which)
	if err != nil || i >= len(hostile) {
		t.Fatalf("no hostile file %q", which)
	}
	source := []byte(hostile[i].make())
	runtime.GC()
	debug.FreeOSMemory()
	begun := time.Now()
	_, err = Load("hostile.yaml", source, testOptions())
	took := time.Since(begun)
	if err == nil {
		t.Fatal("it is taken")
	}
	faults, ok := errors.AsType[Faults](err)
	if !ok || len(faults) == 0 || faults[0].Message == "" || faults[0].Hint == "" {
		t.Fatalf("Load() = %.200v, want faults that say what to do", err)
	}
	most := peak(t)
	fmt.Printf("%s, %d MiB, %d faults, the first: %.200s\n", took.Round(time.Millisecond), most>>20, len(faults), faults[0])
	if took > hostileTime && !racing {
		t.Errorf("it took %s, want %s at most", took, hostileTime)
	}
	if most > hostileMemory && !racing {
		t.Errorf("the process took %d MiB, want %d at most", most>>20, hostileMemory>>20)
	}
}
