package dialect

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// tables makes the tables of the manual from what the loader itself reads files by.
var tables = map[string]func(t *testing.T) string{
	"operations":   operationTable,
	"roles":        roleTable,
	"facts":        factTable,
	"outcomes":     outcomeTable,
	"rules":        ruleTable,
	"expressions":  expressionTable,
	"placeholders": placeholderTable,
	"settings":     settingTable,
	"limits":       limitTable,
	"members":      memberTables,
}

var tableText = regexp.MustCompile(`(?s)<!-- table: ([a-z]+) -->\n(.*?)<!-- end -->`)

// TestManual: the tables of docs/dialects.md are those that the code makes. With
// -update they are written.
func TestManual(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "dialects.md")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	made := tableText.ReplaceAllStringFunc(string(source), func(found string) string {
		parts := tableText.FindStringSubmatch(found)
		name := parts[1]
		seen = append(seen, name)
		if tables[name] == nil {
			t.Errorf("docs/dialects.md has a table %q that nothing makes", name)
			return found
		}
		table := "\n" + strings.Trim(tables[name](t), "\n") + "\n\n"
		if table != parts[2] && !*update {
			t.Errorf("the table %s of docs/dialects.md is out of date: run go test ./internal/dialect -run TestManual -update", name)
		}
		return "<!-- table: " + name + " -->\n" + table + "<!-- end -->"
	})
	for name := range tables {
		if !slices.Contains(seen, name) {
			t.Errorf("docs/dialects.md lacks the table %s", name)
		}
	}
	if *update && made != string(source) {
		if err := os.WriteFile(file, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A sheet is a table of Markdown.
type sheet struct{ strings.Builder }

func newSheet(names ...string) *sheet {
	t := &sheet{}
	t.row(names...)
	t.WriteString(strings.Repeat("|---", len(names)) + "|\n")
	return t
}

func (t *sheet) row(cells ...string) {
	for _, cell := range cells {
		t.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
	}
	t.WriteString("|\n")
}

// code writes names as code.
func code(names ...string) string {
	for i, name := range names {
		names[i] = "`" + name + "`"
	}
	return strings.Join(names, ", ")
}

func codeOr(names []string, otherwise string) string {
	if len(names) == 0 {
		return otherwise
	}
	return code(slices.Clone(names)...)
}

func operationTable(*testing.T) string {
	t := newSheet("operation", "what it does", "inputs it needs", "inputs it takes beside", "its reply knows the facts of", "members of `do`")
	for i := range operations {
		o := &operations[i]
		need := codeOr(o.need, "none")
		if len(o.oneOf) > 0 {
			need = strings.TrimPrefix(codeOr(o.need, "")+" and ", " and ") + code(slices.Clone(o.oneOf[:1])...) + " or " + code(slices.Clone(o.oneOf[1:])...)
		}
		if o.bearer {
			need = strings.TrimPrefix(need+", a bearer token", "none, ")
		}
		t.row(code(string(o.name)), o.doc, need, codeOr(o.may, "none"), o.reply.String(), codeOr(o.members, "none"))
	}
	return t.String()
}

func roleTable(tt *testing.T) string {
	var roles []string
	for i := range operations {
		roles = append(roles, slices.Concat(operations[i].need, operations[i].oneOf, operations[i].may)...)
	}
	slices.Sort(roles)
	t := newSheet("input", "what it is", "secret", "of the operations")
	for _, role := range slices.Compact(roles) {
		if inputDocs[role] == "" {
			tt.Errorf("inputDocs says nothing of %s", role)
		}
		var of []string
		for i := range operations {
			if operations[i].takes(role) {
				of = append(of, string(operations[i].name))
			}
		}
		secret := ""
		if slices.Contains(secretRoles, role) {
			secret = "yes"
		}
		t.row(code(role), inputDocs[role], secret, code(of...))
	}
	return t.String()
}

// factTable has a table for each object, as most of its facts are known together.
func factTable(*testing.T) string {
	var b strings.Builder
	all := Facts()
	for len(all) > 0 {
		object, _, _ := strings.Cut(all[0].Name, ".")
		n := slices.IndexFunc(all, func(f Fact) bool { return f.Name != object && !strings.HasPrefix(f.Name, object+".") })
		if n < 0 || object == "issues" {
			n = max(n, 1)
		}
		if !strings.Contains(all[0].Name, ".") { // the last ones stand alone
			n = 1
			for n < len(all) && !strings.Contains(all[n].Name, ".") {
				n++
			}
		}
		together := !slices.ContainsFunc(all[:n], func(f Fact) bool { return f.Where != all[0].Where })
		columns := []string{"fact", "type", "what it tells"}
		if together {
			fmt.Fprintf(&b, "\nKnown in: %s.\n\n", shortWhere(all[0].Where))
		} else {
			b.WriteString("\n")
			columns = append(columns, "known in")
		}
		t := newSheet(columns...)
		for _, f := range all[:n] {
			typ := f.Type
			if f.Nullable {
				typ += " or null"
			}
			cells := []string{code(f.Name), typ, f.Doc}
			if !together {
				cells = append(cells, shortWhere(f.Where))
			}
			t.row(cells...)
		}
		b.WriteString(t.String())
		all = all[n:]
	}
	return b.String()
}

// shortWhere leaves the places out that are all there are.
func shortWhere(text string) string {
	for _, group := range []struct {
		in   where
		name string
	}{{everywhere, "everywhere"}, {inReply, "every reply to a success"}} {
		if rest, ok := strings.CutPrefix(text, group.in.String()); ok && (rest == "" || group.in == everywhere) {
			return group.name
		}
		if strings.Contains(text, group.in.String()) {
			text = strings.Replace(text, group.in.String(), group.name, 1)
		}
	}
	return text
}

func outcomeTable(*testing.T) string {
	t := newSheet("outcome", "cause", "what clients are told to do")
	for _, o := range Outcomes() {
		name := code(string(o.Kind))
		for k := o.Kind; k.Parent() != ""; k = k.Parent() {
			name = "· " + name
		}
		t.row(name, o.Cause, o.Remedy)
	}
	return t.String()
}

// ruleWords are those of the rules that are no member of an input.
var ruleWords = map[string]string{
	ruleType:         "what it must be",
	ruleWhen:         "a `when` of the routes that share the path: none of them takes the request",
	ruleUnknownInput: "a member of the body that no input reads, where `unknown_inputs: refuse` says so",
	ruleRefused:      "the password policy; `issue.reason` says why",
}

func ruleTable(tt *testing.T) string {
	t := newSheet("rule", "what is broken", "outcome, unless `else` says another")
	for _, rule := range ruleNames {
		words := ruleWords[rule]
		if slot := inputShape.slot(rule); slot != nil && words == "" {
			words = slot.Doc
		}
		if words == "" {
			tt.Errorf("nothing is said of the rule %s", rule)
		}
		t.row(code(rule), words, code(string(ruleKind(rule))))
	}
	return t.String()
}

// shownExpressions are the functions and forms that contracts need.
var shownExpressions = []struct{ expression, words string }{
	{"iso(token.expires_at, 0)", "an instant as ISO 8601, with so many digits of a second; a fraction of zeros is left out"},
	{"iso(account.created_at, 6)", "the same with microseconds"},
	{"iso_full(token.expires_at, 3)", "the same with all its digits"},
	{"epoch(token.expires_at)", "an instant in seconds since 1970"},
	{"epoch_ms(token.expires_at)", "and in milliseconds"},
	{"token.lifetime / 60", "numbers: `+ - * / %`"},
	{"'a' in account.roles", "whether a list holds a value"},
	{"account.roles.join(' ')", "a list as one text"},
	{"account.login.split('@')", "a text as a list"},
	{"size(account.roles) > 0 ? account.roles[0] : 'none'", "an item of a list; without the condition the file is refused, as there may be none"},
	{"account.login.lowerAscii()", "letters; also `upperAscii()`, `trim()`, `replace(a, b)`, `substring(a, b)`, `charAt(n)`, `indexOf(a)`"},
	{"account.login.startsWith('ada')", "tests; also `endsWith`, `contains`, `matches` with a pattern of RE2"},
	{"size(account.roles)", "how long a list or a text is"},
	{"account.name == null ? 'nobody' : account.name", "a choice; what is absent is null"},
	{"account.verified ? dyn(account.login) : dyn(null)", "a computed member that may be absent, as in `login?: …`: null has no type of its own, `dyn` lets it stand beside a text"},
	{"account.verified && !account.active", "and, or (`||`), not"},
	{"account.roles.exists(r, r.startsWith('a'))", "whether one item is so; also `all`, `filter`, `map`"},
	{"iso(account.created_at + duration(string(token.lifetime) + 's'), 0)", "seconds after an instant; so too `now + duration(string(limit.retry_after) + 's')`"},
	{"string(token.lifetime)", "a number as a text; also `int(…)`, `double(…)`"},
}

// expressionTable shows what expressions make, by running them.
func expressionTable(tt *testing.T) string {
	source := []byte(strings.Replace(plainDialect, "ok: {}", "ok:\n      json:\n", 1))
	at := strings.Index(string(source), "json:\n") + len("json:\n")
	var members strings.Builder
	for i, e := range shownExpressions {
		fmt.Fprintf(&members, "        m%d: %q\n", i, "${"+e.expression+"}")
	}
	source = slices.Insert(source, at, []byte(members.String())...)
	d, err := Load("shown.yaml", source, Options{Realm: "shown", Issuer: "https://auth.example.com", BaseURL: "https://auth.example.com"})
	if err != nil {
		tt.Fatal(err)
	}
	grant := shownGrant()
	s := newScope(d, &Call{dialect: d})
	s.fill(&grant)
	s.tokenValue = core.NewSecret("x")
	made, _, err := d.routes[0].ok.variants[0].json.append(nil, s)
	if err != nil {
		tt.Fatal(err)
	}
	tree, err := body.ParseJSON(made, body.DefaultLimits)
	if err != nil {
		tt.Fatal(err)
	}
	t := newSheet("expression", "makes", "what it is")
	for i, e := range shownExpressions {
		t.row(code("${"+e.expression+"}"), code(string(body.AppendJSON(nil, tree.Members()[i].Value()))), e.words)
	}
	return t.String()
}

// shownGrant is what the manual's expressions speak of.
func shownGrant() core.Grant {
	return core.Grant{
		Account: core.Account{
			ID: "65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6", Login: "Ada@example.com", Roles: []string{"a", "b"}, Active: true,
			CreatedAt: probeTime.Add(123456 * time.Microsecond), UpdatedAt: probeTime,
		},
		TokenID: "JBSWY3DPEHPK3PXPJBSWY3DPEH", IssuedAt: probeTime, ExpiresAt: probeTime.Add(longLifetime / 31),
	}
}

// plainDialect is the least that is a dialect.
const plainDialect = `dialect: plain
tokens: {access: {algorithm: HS256, lifetime: 1h, claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}}
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs: {identifier: {from: body.user, required: true}, secret: {from: body.password, required: true}}
    do: {operation: authenticate, issue: access}
    ok: {}
errors:
  invalid_request: {status: 400, empty: true}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`

var placeholderWords = map[string]string{
	"<jwt>": "a JWT", "<uuid>": "a UUID", "<iso>": "an instant as ISO 8601, with its zone", "<text>": "text that is not empty",
	"<token>": "a bearer token of whatever form", "<integer>": "a whole number, not in quotes", "<any>": "anything at all",
}

func placeholderTable(tt *testing.T) string {
	t := newSheet("placeholder", "stands for")
	for _, name := range []string{"<jwt>", "<token>", "<uuid>", "<iso>", "<integer>", "<text>", "<any>"} {
		t.row(code(name), placeholderWords[name])
	}
	for name := range placeholders {
		if placeholderWords[name] == "" {
			tt.Errorf("nothing is said of the placeholder %s", name)
		}
	}
	return t.String()
}

// settingTable lists the settings of the dialects that are built in.
func settingTable(tt *testing.T) string {
	t := newSheet("dialect", "setting", "default")
	files, err := fs.Glob(dialects.Files, "*.yaml")
	if err != nil {
		tt.Fatal(err)
	}
	for _, file := range files {
		source, err := fs.ReadFile(dialects.Files, file)
		if err != nil {
			tt.Fatal(err)
		}
		r := &reader{file: file, dialect: &Dialect{issuer: "${issuer}", baseURL: "${base_url}"}}
		s := r.section(r.parse(source), &dialectShape)
		for _, m := range r.members(s.get("settings"), "settings") {
			value := m.value.Value
			if value == "" {
				value = `""`
			}
			t.row(code(strings.TrimSuffix(file, ".yaml")), code(m.name.Value), code(value))
		}
	}
	return t.String()
}

func limitTable(*testing.T) string {
	t := newSheet("what", "at most")
	for _, l := range []struct {
		what string
		most int
	}{
		{"bytes of a file", maxFile}, {"values in it, each alias counted as what it stands for", maxNodes}, {"levels of nesting", maxDepth}, {"faults that are told", maxFaults},
		{"expressions", maxExpressions}, {"characters of an expression", maxExpression}, {"loops inside each other", maxLoops},
		{"routes", maxRoutes}, {"routes of one method and path", maxGroup}, {"tokens", maxPolicies}, {"replies among which one is chosen", maxVariants},
		{"headers of a reply, and cookies", maxHeaders}, {"languages", maxLanguages}, {"messages", maxMessages}, {"examples", maxExamples},
		{"names in a route's `with`", maxGranted}, {"characters of an opaque token", maxOpaque},
	} {
		t.row(l.what, fmt.Sprint(l.most))
	}
	return t.String()
}

// memberTables has a table for each mapping of the language.
func memberTables(*testing.T) string {
	var b strings.Builder
	for _, shape := range Language() {
		fmt.Fprintf(&b, "\n#### %s\n\n%s\n\n", shape.Name, shape.Doc)
		if shape.Own != nil {
			names := "any name"
			if len(shape.Names) > 0 {
				names = "the names are those of the [outcomes](#outcomes) and, of `issues`, of the [rules](#rules) too"
				if !slices.Contains(shape.Names, string(kindNames[0])) {
					names = "the names are those of the [rules](#rules)"
				}
				if len(shape.Names) == len(kindNames) {
					names = "the names are those of the [outcomes](#outcomes)"
				}
			} else if shape.Pattern != "" {
				names = "names match " + code(shape.Pattern)
			}
			fmt.Fprintf(&b, "Each member: %s; %s. %s\n", shape.Own.Doc, strings.TrimSpace(holds(shape.Own)), strings.ToUpper(names[:1])+names[1:]+".")
			continue
		}
		t := newSheet("member", "holds", "what it says")
		for i := range shape.Members {
			m := &shape.Members[i]
			words := m.Doc
			if m.Need {
				words = "**Needed.** " + words
			}
			if m.Default != "" {
				words += ". Default: " + m.Default
			}
			t.row(code(m.Name), holds(m), words)
		}
		b.WriteString(t.String())
	}
	return b.String()
}

// holds says what may stand in a slot.
func holds(s *Slot) string {
	var all []string
	for _, k := range []struct {
		is    Kind
		words func() string
	}{
		{KindText, func() string { return "text" }},
		{KindWord, func() string {
			if len(s.Words) > 20 {
				return "an [outcome](#outcomes)"
			}
			return code(slices.Clone(s.Words)...)
		}},
		{KindWhole, func() string { return "a whole number" }},
		{KindBool, func() string { return "`true` or `false`" }},
		{KindDuration, func() string { return "a length of time, such as `90s`, `15m`, `1h30m`, `8d`" }},
		{KindTemplate, func() string { return "a tree with expressions in it" }},
		{KindTextTemplate, func() string { return "text with expressions in it" }},
		{KindExpression, func() string { return "an expression alone" }},
		{KindAny, func() string { return "any value" }},
		{KindList, func() string { return "a list: " + holds(s.Item) }},
		{KindShape, func() string {
			return "[" + s.Of.Name + "](#" + strings.ReplaceAll(strings.ReplaceAll(s.Of.Name, " ", "-"), ".", "") + ")"
		}},
	} {
		if s.Is&k.is != 0 {
			all = append(all, k.words())
		}
	}
	return strings.Join(all, ", or ")
}

var (
	fencedPart     = regexp.MustCompile("(?ms)^```yaml part\n(.*?)^```$")
	fencedSmallest = regexp.MustCompile("(?ms)^```yaml smallest.yaml\n(.*?)^```$")
)

// TestManualParts: each part of a file that the manual shows loads, laid over the
// smallest dialect as the manual says.
func TestManualParts(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "docs", "dialects.md"))
	if err != nil {
		t.Fatal(err)
	}
	smallest := fencedSmallest.FindSubmatch(source)
	parts := fencedPart.FindAllSubmatchIndex(source, -1)
	if smallest == nil || len(parts) < 25 {
		t.Fatalf("docs/dialects.md has %d parts", len(parts))
	}
	for _, at := range parts {
		line := strings.Count(string(source[:at[2]]), "\n") + 1
		t.Run(fmt.Sprintf("line %d", line), func(t *testing.T) {
			file := laidOver(t, smallest[1], source[at[2]:at[3]])
			if _, err := Load("part.yaml", file, Options{Realm: "manual", Issuer: "https://auth.example.com", BaseURL: "https://auth.example.com"}); err != nil {
				t.Errorf("%v\n%s", err, file)
			}
		})
	}
}

// laidOver adds a part to a file: mappings member by member, null taking one away,
// and routes after those of other places.
func laidOver(t *testing.T, below, above []byte) []byte {
	read := func(source []byte) *yaml.Node {
		var document yaml.Node
		if err := yaml.Load(source, &document); err != nil {
			t.Fatal(err)
		}
		return document.Content[0]
	}
	base := read(below)
	lay(base, read(above))
	out, err := yaml.Dump(base)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func lay(below, above *yaml.Node) {
	for i := 0; i+1 < len(above.Content); i += 2 {
		name, value := above.Content[i], above.Content[i+1]
		at := slices.IndexFunc(below.Content, func(n *yaml.Node) bool { return n.Value == name.Value && n.Kind == yaml.ScalarNode })
		switch {
		case at < 0:
			below.Content = slices.Insert(below.Content, 0, name, value) // an anchor stands before its aliases
		case value.Tag == "!!null":
			below.Content = slices.Delete(below.Content, at, at+2)
		case name.Value == "routes":
			place := func(route *yaml.Node) string { return memberOf(memberOf(route, "on"), "path").Value }
			kept := slices.DeleteFunc(below.Content[at+1].Content, func(old *yaml.Node) bool {
				return slices.ContainsFunc(value.Content, func(n *yaml.Node) bool { return place(n) == place(old) })
			})
			below.Content[at+1].Content = append(kept, value.Content...)
		case value.Kind == yaml.MappingNode && below.Content[at+1].Kind == yaml.MappingNode && name.Value != "claims" && name.Value != "lifetime":
			lay(below.Content[at+1], value)
		default:
			below.Content[at+1] = value
		}
	}
}
