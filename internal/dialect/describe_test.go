package dialect

import (
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
)

func TestDescribe(t *testing.T) {
	info := load(t, "kyc", nil).Describe()
	if len(info.Routes) == 0 || len(info.Tokens) != 1 || len(info.Carriers) != 1 || len(info.Version) != 12 {
		t.Fatalf("Describe() has %d routes, %d tokens, %d carriers, version %s", len(info.Routes), len(info.Tokens), len(info.Carriers), info.Version)
	}
	if token := info.Tokens[0]; token.Algorithm != "HS256" || token.Lifetime.Hours() != 1 || token.Format != core.FormatJWT || string(token.Claims.Members[1].Schema.Items.Const) != `"fastapi-users:auth"` {
		t.Errorf("Tokens = %+v", token)
	}
	login := info.Routes[0]
	if login.Operation != Authenticate || login.Bearer || login.Accept[0] != (AcceptInfo{"application/x-www-form-urlencoded", BodyForms}) || !slices.Contains(login.Examples, "wrong password") {
		t.Errorf("Routes[0] = %+v", login)
	}
	grant, secret := login.Inputs[0], login.Inputs[2]
	if grant.Need != Never || grant.From[0].String() != "body.grant_type" || grant.Rules[0].Pattern != "^password$" {
		t.Errorf("Inputs[0] = %+v", grant)
	}
	if secret.Need != Always || !secret.Secret || secret.Doc != "the password" {
		t.Errorf("Inputs[2] = %+v", secret)
	}
	path, _, ok := login.OK[0].Schema.Find("token.value")
	if !ok || !slices.Equal(path, []string{"access_token"}) || login.OK[0].Status != 200 {
		t.Errorf("OK[0] = %+v", login.OK[0])
	}
	i := slices.IndexFunc(login.Outcomes, func(o OutcomeInfo) bool { return o.Kind == core.BadCredentials })
	if i < 0 {
		t.Fatal("no words for bad credentials")
	}
	bad := login.Outcomes[i]
	if bad.Own || !slices.Contains(bad.Kinds, core.BadSecret) || slices.Contains(bad.Kinds, core.Unverified) || string(bad.Replies[0].Example) != `{"detail":"LOGIN_BAD_CREDENTIALS"}` || bad.Cause == "" {
		t.Errorf("bad_credentials = %+v", bad)
	}
}

// TestDescribeShowsWhatIsServed: every reply with a body has an example, which no
// placeholder of a secret got into, and the words for wrong requests name an input.
func TestDescribeShowsWhatIsServed(t *testing.T) {
	for _, d := range everything(t) {
		name, info := d.name, d.Describe()
		for _, route := range info.Routes {
			replies := slices.Clone(route.OK)
			for _, o := range route.Outcomes {
				replies = append(replies, o.Replies...)
				if o.Kind == "" || o.Cause == "" || o.Remedy == "" {
					t.Errorf("%s %s: outcome %+v", name, route.Path, o)
				}
			}
			for _, rp := range replies {
				if rp.Body != BodyEmpty && (rp.Example == nil || rp.Schema == nil) {
					t.Errorf("%s %s: the reply on line %d has no example", name, route.Path, rp.Line)
				}
				if rp.Body == BodyJSON && !json.Valid(rp.Example) {
					t.Errorf("%s %s: %s", name, route.Path, rp.Example)
				}
			}
		}
	}
}

// TestComposeIsDecoded: what is composed reaches its route, and every input with
// the value that it was given.
func TestComposeIsDecoded(t *testing.T) {
	for _, d := range everything(t) {
		name := d.name
		for i, rt := range d.routes {
			if rt.disabled {
				continue
			}
			values := d.SampleValues(i)
			composed, err := d.Compose(i, values)
			if err != nil {
				t.Errorf("%s %s: %v", name, rt.name(), err)
				continue
			}
			r, err := composed.HTTP(t.Context(), "https://api.example")
			if err != nil {
				t.Fatal(err)
			}
			call := d.Match(r)
			if call.Err() != nil || call.Redirect() != "" || call.Decode(r) != nil || call.route != rt {
				t.Errorf("%s %s: %+v does not reach its route", name, rt.name(), composed)
				continue
			}
			for _, in := range rt.inputs {
				if want, ok := values[in.name]; ok && writtenText(call.read[in.index].value) != want {
					t.Errorf("%s %s: input %s = %q, want %q", name, rt.name(), in.name, writtenText(call.read[in.index].value), want)
				}
			}
		}
	}
}

func TestComposeEverywhere(t *testing.T) {
	d := loadText(t, strings.Replace(fifth, "${issue.text}", "${issues[0].text}", 1))
	values := map[string]string{"identifier": "ada", "secret": "p&q", "ttl": "7", "label": "x", "methods": `["password"]`}
	r, err := d.Compose(0, values)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"ada","password":"p&q"}}}}}`; string(r.JSON) != want || r.Target() != "/v3/auth/tokens?ttl=7" || r.Header[0] != (Pair{"X-Label", "x"}) {
		t.Errorf("Compose() = %+v\nwant %s", r, want)
	}
	delete(values, "secret")
	if _, err := d.Compose(0, values); err == nil {
		t.Error("a needed input without a value was composed")
	}
	basic, err := d.Compose(2, map[string]string{"identifier": "u", "secret": "p", "tenant": "a/b"})
	if err != nil || basic.Basic == nil || *basic.Basic != (Pair{"u", "p"}) || basic.Path != "/basic/a%2Fb" {
		t.Errorf("Compose() = %+v, %v", basic, err)
	}
	d.Present(&basic, 0, "t")
	if basic.Header[0] != (Pair{"X-Auth-Token", "t"}) {
		t.Errorf("Present() made %+v", basic.Header)
	}
}

func TestSchemas(t *testing.T) {
	for _, tt := range []struct{ name, template, want string }{
		{"literals", `{a: 1, b: x, c: null, d: true}`, `object{a:integer=1 b:string="x" c:null=null d:boolean=true}`},
		{"facts", `{a: "${token.value}", b: "${token.lifetime}", c: "${account.email}", d: "${account.roles}"}`, `object{a:string(token.value) b:integer(token.lifetime) c:string|null(account.email) d:array(account.roles)[string]}`},
		{"settings", `{a: "${setting.count}", b: "${setting.label}!"}`, `object{a:integer=3(setting.count) b:string(setting.label)+"!"}`},
		{"instants", `{a: "${iso(token.expires_at, 3)}", b: "${epoch(token.expires_at)}"}`, `object{a:string:date-time b:integer}`},
		{"expressions", `{a?: "${input.tenant}", b: "${size(account.roles)}"}`, `object{a?:string|null(input.tenant) b:integer}`},
		{"lists", `[a, a, "${account.id}"]`, `array[any of string="a" string(account.id)]`},
		{"loops", `{a: {$for: r in account.roles, $yield: {n: "${r}"}}, b: {$for: r in account.roles, $members: {"${r}": 1}}}`, `object{a:array[object{n:string(r)}] b:object[others integer=1]}`},
		{"loops among items", `[x, {$for: r in account.roles, $yield: "${r}"}]`, `array[any of string="x" string(r)]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := loadText(t, filled(map[string]string{"OK": "json: " + tt.template}))
			if got := shown(d.Describe().Routes[0].OK[0].Schema); got != tt.want {
				t.Errorf("schema = %s\nwant     %s", got, tt.want)
			}
		})
	}
	t.Run("issues", func(t *testing.T) {
		d := loadText(t, filled(map[string]string{
			"ISSUES":  `{required: {r: "${issue.field}"}, invalid_request: other}`,
			"REFUSAL": `json: {list: "${issues}", map: {$for: i in issues, $members: {"${i.field}": ["${i}"]}}}`,
		}))
		const one = `any of string="other" object{r:string(issue.field)}`
		for _, o := range d.Describe().Routes[0].Outcomes {
			if o.Kind != core.InvalidRequest {
				continue
			}
			if got, want := shown(o.Replies[0].Schema), `object{list:array[`+one+`] map:object[others array[`+one+`]]}`; got != want {
				t.Errorf("schema = %s\nwant     %s", got, want)
			}
		}
	})
}

// shown is a schema in one line.
func shown(s *Schema) string {
	text := strings.Join(s.Type, "|")
	if s.Format != "" {
		text += ":" + s.Format
	}
	if s.Const != nil {
		text += "=" + string(s.Const)
	}
	if s.Fact != "" {
		text += "(" + s.Fact + ")"
	}
	if s.After != "" {
		text += `+"` + s.After + `"`
	}
	if s.Members != nil {
		members := make([]string, len(s.Members))
		for i, m := range s.Members {
			members[i] = m.Name + map[bool]string{true: "?"}[m.Optional] + ":" + shown(m.Schema)
		}
		text += "{" + strings.Join(members, " ") + "}"
	}
	if s.AnyOf != nil {
		choices := make([]string, len(s.AnyOf))
		for i, one := range s.AnyOf {
			choices[i] = shown(one)
		}
		text += "any of " + strings.Join(choices, " ")
	}
	if s.Items != nil {
		text += "[" + shown(s.Items) + "]"
	}
	if s.Others != nil {
		text += "[others " + shown(s.Others) + "]"
	}
	return text
}

func TestOutcomesAreAllTold(t *testing.T) {
	for _, doc := range Outcomes() {
		if !strings.HasSuffix(doc.Cause, ".") || !strings.HasSuffix(doc.Remedy, ".") {
			t.Errorf("%s has no advice: %+v", doc.Kind, doc.Advice)
		}
	}
	if len(outcomeDocs) != len(kindNames) {
		t.Errorf("%d outcomes have advice, there are %d", len(outcomeDocs), len(kindNames))
	}
}

// everything is all dialects that come with Chancery, the examples included, with
// all that a setting can switch on.
func everything(t testing.TB) []*Dialect {
	t.Helper()
	var found []*Dialect
	for files, pattern := range map[fs.FS]string{dialects.Files: "*.yaml", dialects.Examples: "examples/*.yaml"} {
		names, err := fs.Glob(files, pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			source, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			options := testOptions()
			options.Settings = map[string]any{}
			if strings.Contains(string(source), "frontend_url:") {
				options.Settings["frontend_url"] = "https://app.example"
			}
			d, err := Load(name, source, options)
			if err != nil {
				t.Fatal(err)
			}
			for setting, value := range d.Settings() {
				if value == false {
					options.Settings[setting] = true
				}
			}
			if d, err = Load(name, source, options); err != nil {
				t.Fatalf("Load(%s):\n%v", name, err)
			}
			found = append(found, d)
		}
	}
	return found
}
