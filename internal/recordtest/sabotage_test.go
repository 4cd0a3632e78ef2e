package recordtest

import (
	"bytes"
	"mime"
	"mime/multipart"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// madeUp are the files of a contract that nobody has.
func madeUp(t testing.TB) sources {
	t.Helper()
	var read [3][]byte
	for i, ending := range []string{".json", ".seed.yaml", ".yaml"} {
		var err error
		if read[i], err = os.ReadFile(filepath.Join("testdata/made-up", "made-up"+ending)); err != nil {
			t.Fatal(err)
		}
	}
	return sources{read[0], read[1], read[2]}
}

// TestMadeUp passes as it is; TestSabotage then breaks it at one place at a time.
func TestMadeUp(t *testing.T) {
	t.Parallel()
	h := play(t, "made-up", madeUp(t), sqlite)
	for _, fault := range h.faults {
		t.Error(fault)
	}
	if r := h.report; r.successes != 6 || len(r.cases) != 5 || len(r.token) != 5 || r.presentations != 2 || len(r.endpoints) != 1 || r.inferred != 4 {
		t.Errorf("report = %+v", r)
	}
}

// TestSabotage: a record that says something else than the server does, or a
// server that does something else than the record says, fails, and says where.
func TestSabotage(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string   // record, dialect or seed
		edit []string // what is there once, and what takes its place
		want string   // part of a fault
	}{
		{"a literal", "record", []string{`"version": 2`, `"version": 3`}, "/success/body/version: 2, want 3"},
		{"a number for a text", "record", []string{`"version": 2`, `"version": "2"`}, `/success/body/version: 2, want "2"`},
		{"null for a value", "record", []string{`"email": null`, `"email": "<user.email>"`}, "/success/body/user/email: null is not"},
		{"the order of members", "record", []string{`"token": "<jwt>", "version": 2`, `"version": 2, "token": "<jwt>"`}, "/success/body: order: the members are"},
		{"a member too few", "dialect", []string{"version: 2", "version?: null"}, "/success/body: the members are"},
		{"a member too many", "dialect", []string{"version: 2", "version: 2\n        more: 1"}, "/success/body: the members are"},
		{"a placeholder of another family", "record", []string{`"name": "<user.username>"`, `"name": "<token_uuid>"`}, "/success/body/user/name"},
		{"a placeholder that nobody knows", "record", []string{`"name": "<user.username>"`, `"name": "<whatever>"`}, "nobody knows the placeholder <whatever>"},
		{"somebody else", "dialect", []string{`login: "${account.login}"}}`, `login: eve}}`}, `/endpoints/0/response/body/login: "eve" is not "ada"`},
		{"the order of roles", "dialect", []string{"roles: \"${account.roles}\"", "roles: [a, b]"}, "/success/body/user/roles"},
		{"two tokens that must be one", "dialect", []string{"sid=${token.value}", "sid=${token.value}x"}, "/success"},
		{"a lifetime on the wire", "dialect", []string{"expires_in: ${token.lifetime}", "expires_in: ${token.lifetime + 60}"}, "/success/body/expires_in: 660 is not the lifetime"},
		{"an expiry on the wire", "dialect", []string{"ends: ${iso(token.expires_at, 6)}", "ends: ${iso(now, 6)}"}, "/success/body/ends"},
		{"a lifetime in the file", "dialect", []string{"lifetime: 600s", "lifetime: 900s"}, "/success/body/expires_in: 900 is not the lifetime, 10m0s"},
		{"a lifetime in the record", "record", []string{`"expires_in": "<expires_in_seconds>", "ends": "<iso_expiry>"`, `"expires_in": 600, "ends": "<any>"`, `"lifetime_seconds": 600`, `"lifetime_seconds": 900`},
			"/token/lifetime_seconds: the token lives 10m0s, want 900 s"},
		{"the algorithm", "dialect", []string{"algorithm: HS384", "algorithm: HS256"}, `/token/algorithm: the algorithm is "HS256"`},
		{"a claim", "dialect", []string{"use: access,", "use: other,"}, "/token/claims"},
		{"a status", "dialect", []string{"status: 201\n      headers", "status: 200\n      headers"}, "/success/status: status 200, want 201"},
		{"a header", "dialect", []string{"X-Reason: credentials", "X-Reason: other"}, "/failures/bad_credentials/headers/X-Reason"},
		{"a header that is not there", "dialect", []string{`X-Token-Id: "${token.id}", `, ""}, "/success/headers/X-Token-Id: the header is there 0 times"},
		{"parameters of the type", "dialect", []string{"type: application/json; charset=utf-8", "type: application/json"}, "/success/content_type"},
		{"a type that JSON is not", "dialect", []string{"json: {error: denied, code: 7}", "text: denied"}, "want JSON"},
		{"a failure's status", "dialect", []string{"inactive: {status: 403", "inactive: {status: 401"}, "inactive: /failures/inactive/status"},
		{"a body that must be empty", "dialect", []string{"inactive: {status: 403, empty: true}", "inactive: {status: 403, text: gone}"}, "/failures/inactive/body: the body is not empty"},
		{"the words for a field", "dialect", []string{"required: The field ${issue.field} is missing.", "required: A field is missing."}, "/failures/missing_field/body/message"},
		{"the name of a field", "dialect", []string{`$members: {"${i.field}": ["${i}"]}`, `$members: {"it": ["${i}"]}`}, "/failures/missing_field/body/errors"},
		{"a field that may be left out", "dialect", []string{"grant_type: {from: body.grant_type, required: true,", "grant_type: {from: body.grant_type,"}, "without grant_type: it succeeded"},
		{"a constant that may be another", "dialect", []string{", equals: password}", "}"}, "with another grant_type: it succeeded"},
		{"a choice beside the choices", "dialect", []string{"one_of: [1, 2]", "min: 0"}, "with a kind that is no choice: it succeeded"},
		{"a choice that nobody makes", "seed", []string{"- {fields: {kind: 2}}", ""}, "/login/fields/3/enum/1: nothing has looked at it"},
		{"an optional field that is always sent", "seed", []string{"- {fields: {kind: null}}", ""}, "/login/fields/3/required: nothing has looked at it"},
		{"a content type that is not taken", "dialect", []string{"accept: [json, form]", "accept: [json]"}, "POST /sign-in application/x-www-form-urlencoded way 0: /success/status"},
		{"another scheme", "dialect", []string{"scheme: Token", "scheme: Bearer"}, "presentation by header Authorization Token"},
		{"a way to present that is not there", "dialect", []string{"- {in: header, name: X-Token}", ""}, "presentation by header X-Token"},
		{"an endpoint that is not there", "dialect", []string{"path: /me", "path: /you"}, "profile GET /me: /endpoints/0/response/status: status 404"},
		{"a case that nobody can bring about", "record", []string{`"inactive": {`, `"locked": {`}, "the dialect's file has no sample for it"},
		{"a member that nobody knows", "record", []string{`"endpoints": [`, `"shape": "round", "endpoints": [`}, "/shape: nothing has looked at it"},
		{"a flag that nobody can show", "record", []string{`"format": "jwt"`, `"format": "jwt", "rotates_every_request": true`}, "/token/rotates_every_request: nobody knows"},
		{"an example of the file", "dialect", []string{"expect: {status: 201}", "expect: {status: 200}"}, "the file's examples: login: status: got 201, want 200"},
		{"a skip without a reason", "seed", []string{"ways:", "skip: {/success/body: no}\nways:"}, "say why"},
		{"a skip of nothing", "seed", []string{"ways:", "skip: {/success/nobody: it is not there at all}\nways:"}, "the record has no such pointer"},
		{"a member of the seed that nobody knows", "seed", []string{"ways:", "wais:"}, "wais"},
		{"an inferred pointer to nothing", "record", []string{`"inferred": ["/failures/inactive"]`, `"inferred": ["/failures/actives"]`}, "the record has nothing at /failures/actives"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := madeUp(t)
			file := map[string]*[]byte{"record": &from.record, "dialect": &from.dialect, "seed": &from.seed}[tt.in]
			for edit := range slices.Chunk(tt.edit, 2) {
				if n := strings.Count(string(*file), edit[0]); n != 1 {
					t.Fatalf("the %s holds %q %d times, want once", tt.in, edit[0], n)
				}
				*file = []byte(strings.Replace(string(*file), edit[0], edit[1], 1))
			}
			h := play(t, "made-up", from, sqlite)
			if all := strings.Join(h.faults, "\n"); !strings.Contains(all, tt.want) {
				t.Errorf("faults:\n%s\nwant one that says %q", all, tt.want)
			}
		})
	}
}

// TestFamilies holds each family of placeholders to values that are of it and to
// values that are not.
func TestFamilies(t *testing.T) {
	const jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"
	now := time.Now()
	epoch := func(t time.Time) string { return nodeOf(t.Unix()).text }
	iso := func(t time.Time, layout string) string { return `"` + t.UTC().Format(layout) + `"` }
	const micros = "2006-01-02T15:04:05.000000Z"
	for _, tt := range []struct {
		want      string
		good, bad []string
	}{
		{"<jwt>", []string{`"` + jwt + `"`}, []string{`"a.b.c"`, `"` + jwt + `."`, `"x"`, "1", "null", `"eyJhbGciOiJub25lIn0.eyJz.c2ln"`}},
		{"<token>", []string{`"abc-DEF_1.2"`}, []string{`""`, `"a b"`, "1", "null", `["a"]`}},
		{"<token_uuid>", []string{`"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6"`}, []string{`"65d0f5c9"`, `"65D0F5C9-7FB0-455C-9036-9E72F0A8D0F6"`}},
		{"<refresh_token_uuid>", []string{`"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6"`}, []string{`"r"`}},
		{"<paseto>", []string{`"v4.local.abc"`}, []string{`"v5.local.abc"`, `"` + jwt + `"`}},
		{"<expires_in_seconds>", []string{"600", "599"}, []string{"590", `"600"`, "0", "600.5", "10"}},
		{"<expires_in_seconds|string>", []string{`"600"`}, []string{"600", `"500"`}},
		{"<expires_in_minutes>", []string{"10"}, []string{"600", "12"}},
		{"<expires_in_ms>", []string{"600000"}, []string{"600"}},
		{"<refresh_expires_in_seconds>", []string{"7200"}, []string{"600"}},
		{"<iso_expiry>", []string{iso(now.Add(10*time.Minute), time.RFC3339)}, []string{iso(now, time.RFC3339), `"tomorrow"`, "600"}},
		{"<iso_expiry_micros>", []string{iso(now.Add(10*time.Minute), micros)}, []string{iso(now.Add(10*time.Minute), time.RFC3339)}},
		{"<iso_issued_at_micros>", []string{iso(now, micros)}, []string{iso(now.Add(time.Minute), micros)}},
		{"<epoch_expiry>", []string{epoch(now.Add(10 * time.Minute))}, []string{epoch(now), `"1"`}},
		{"<epoch_ms_expiry>", []string{epoch(now.Add(10*time.Minute)) + "000"}, []string{epoch(now.Add(10 * time.Minute))}},
		{"<epoch_refresh_expiry>", []string{epoch(now.Add(2 * time.Hour))}, []string{epoch(now)}},
		{"<now_epoch_ms>", []string{epoch(now) + "000"}, []string{epoch(now)}},
		{"<epoch_now>", []string{epoch(now)}, []string{"0"}},
		{"<iso_now>", []string{iso(now, time.RFC3339)}, []string{`"2001-01-01T00:00:00Z"`}},
		{"<user.id>", []string{`"u1"`}, []string{`"u2"`, "1"}},
		{"<user.rank>", []string{"7"}, []string{`"7"`, "8"}},
		{"<user.rank|string>", []string{`"7"`}, []string{"7"}},
		{"<user.active>", []string{"true"}, []string{"false", `"true"`}},
		{"<user.roles|space_joined>", []string{`"a b"`}, []string{`"b a"`, `["a","b"]`}},
		{"<user.shoes>", nil, []string{`"42"`}},
		{"<request.audience>", []string{`"aud1"`}, []string{`"aud2"`}},
		{"<client_id>", []string{`"c1"`}, []string{`"c2"`}},
		{"<issuer>", []string{`"` + issuer + `"`}, []string{`"https://other.example"`}},
		{"<field>", []string{`"password"`, `"user.password"`}, []string{`"username"`, `""`}},
		{"<path>", []string{`"/sign-in"`, `"user"`}, []string{`"/other"`}},
		{"<code>", []string{"7", `"E7"`}, []string{`""`, "null", "true"}},
		{"<message>", []string{`"Sorry."`}, []string{`" "`, "1", "null"}},
		{"<uri>", []string{`"https://a.example/b"`}, []string{`"/b"`, `"a b"`}},
		{"<retry_after_seconds>", []string{"1"}, []string{"0", `"1"`}},
		{"<rl.remaining>", []string{"0"}, []string{"-1"}},
		{"<rl.limit>", []string{nodeOf(freeFailures).text}, []string{"1"}},
		{"<any>", []string{"null", `""`, "{}"}, nil},
		{`<json_string:{"a":"<jwt>","b":1}>`, []string{`"{\"a\":\"` + jwt + `\",\"b\":1}"`}, []string{`"{\"b\":1,\"a\":\"` + jwt + `\"}"`, `"{}"`, `"x"`}},
		{"Bearer <jwt>", []string{`"Bearer ` + jwt + `"`}, []string{`"bearer ` + jwt + `"`, `"Bearer x"`}},
		{"<token_id>|<token>", []string{`"5|abc"`}, []string{`"abc"`, `"5|"`}},
		{"wait <retry_after_seconds> s", []string{`"wait 5 s"`}, []string{`"wait 0 s"`, `"wait 5 seconds"`}},
		{"plain", []string{`"plain"`}, []string{`"Plain"`, "null"}},
	} {
		for _, good := range tt.good {
			if faults := compared(t, nodeOf(tt.want), good); len(faults) > 0 {
				t.Errorf("%s refuses %s: %s", tt.want, good, faults)
			}
		}
		for _, bad := range tt.bad {
			if faults := compared(t, nodeOf(tt.want), bad); len(faults) == 0 {
				t.Errorf("%s takes %s", tt.want, bad)
			}
		}
	}
}

// compared holds a value to a record's, with something known of whoever asked.
func compared(t testing.TB, want *node, got string) []string {
	t.Helper()
	have, err := parseTree([]byte(got))
	if err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	c := someComparison()
	c.value(want, have)
	return c.faults
}

func someComparison() *comparison {
	c := &comparison{skipped: func(string) bool { return false }, held: map[string]string{}}
	c.sample.account.ID, c.sample.account.Active, c.sample.account.Roles = "u1", true, []string{"a", "b"}
	c.sample.account.Attributes = map[string]any{"rank": 7}
	c.sent = map[string]any{"audience": "aud1", "client_id": "c1"}
	c.missing = []field{{name: "user.password"}}
	c.path, c.lifetime, c.refreshLifetime = "/sign-in", 600*time.Second, 2*time.Hour
	c.began, c.ended = time.Now(), time.Now()
	return c
}

// TestXML compares documents as trees.
func TestXML(t *testing.T) {
	const want = `<login v="1"><token>{token}</token><role>a</role><role>b</role><none/></login>`
	for _, tt := range []struct {
		name, got string
		same      bool
	}{
		{"the same", `<?xml version="1.0"?><login v="1"><token>abc</token><role>a</role><role>b</role><none/></login>`, true},
		{"blanks between elements", "<login v=\"1\">\n <token>abc</token> <role>a</role><role>b</role><none></none></login>", true},
		{"another order", `<login v="1"><role>a</role><token>abc</token><role>b</role><none/></login>`, false},
		{"another value", `<login v="1"><token>abc</token><role>a</role><role>c</role><none/></login>`, false},
		{"another attribute", `<login v="2"><token>abc</token><role>a</role><role>b</role><none/></login>`, false},
		{"no attribute", `<login><token>abc</token><role>a</role><role>b</role><none/></login>`, false},
		{"an element more", `<login v="1"><token>abc</token><role>a</role><role>b</role><none/><more/></login>`, false},
		{"an element less", `<login v="1"><token>abc</token><role>a</role><role>b</role></login>`, false},
		{"no placeholder's value", `<login v="1"><token/><role>a</role><role>b</role><none/></login>`, false},
		{"no XML", `{"token":"abc"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := someComparison()
			c.xml(nodeOf(want), []byte(tt.got))
			if got := len(c.faults) == 0; got != tt.same {
				t.Errorf("faults = %q, want any: %v", c.faults, !tt.same)
			}
		})
	}
}

// TestRequests writes bodies in every form that records know.
func TestRequests(t *testing.T) {
	values := func(names ...string) (all []value) {
		for i, name := range names {
			all = append(all, value{field{node: &node{}, name: name, in: "body"}, []any{"a&b", 2}[i%2]})
		}
		return all
	}
	for _, tt := range []struct {
		contentType string
		values      []value
		want        string
	}{
		{"application/json", values("a.b.c", "a.d"), `{"a":{"b":{"c":"a&b"},"d":2}}`},
		{"application/vnd.x+json;version=1.0", values("a"), `{"a":"a&b"}`},
		{"application/x-www-form-urlencoded", values("a", "b"), `a=a%26b&b=2`},
		{"text/xml", values("login/user", "login/@v"), `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<login v="2"><user>a&amp;b</user></login>`},
	} {
		got, contentType, err := writeBody(form{contentType: tt.contentType}, tt.values)
		if err != nil || string(got) != tt.want || contentType != tt.contentType {
			t.Errorf("writeBody(%s) = %s, %s, %v, want %s", tt.contentType, got, contentType, err, tt.want)
		}
	}
}

// TestMultipart writes a body that ends.
func TestMultipart(t *testing.T) {
	body, contentType, err := writeBody(form{contentType: "multipart/form-data"}, []value{{field{node: &node{}, name: "a"}, 2}})
	if err != nil {
		t.Fatal(err)
	}
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	read, err := multipart.NewReader(bytes.NewReader(body), parameters["boundary"]).ReadForm(1 << 10)
	if err != nil || read.Value["a"][0] != "2" {
		t.Errorf("the form is %+v, %v", read, err)
	}
}

// TestTOTP compares with RFC 6238, appendix B, of which six digits are taken.
func TestTOTP(t *testing.T) {
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 20000000000: "353130"} {
		if got, err := totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", time.Unix(at, 0)); got != want || err != nil {
			t.Errorf("totp(%d) = %s, %v, want %s", at, got, err, want)
		}
	}
}
