package contracttest

import (
	"strings"
	"testing"
)

// sections are the contracts' sections, each proved by subtests on a world.
var sections = []struct {
	name string
	run  func(*testing.T, *world)
}{
	{"1.1", envelopes},
	{"1.2", formBodies},
	{"1.3", grantTypes},
	{"1.4", validationErrors},
	{"1.5", jsonBodies},
	{"1.6", methodsAndPaths},
	{"1.7", bearerParsing},
	{"1.8", corsOff},
	{"A1", loginA},
	{"A2", tokenTestA},
	{"A3", recoveryA},
	{"A4", resetA},
	{"B1", loginB},
	{"B2", protectedB},
	{"B3", optionalB},
	{"C1", loginC},
	{"C2", protectedC},
	{"D1", loginD},
	{"D2", keyLifeD},
	{"D3", protectedD},
	{"6", rulesForAll},
	{"7", decisions},
	{"8", documentDefects},
	{"9", drift},
}

// TestSQLite proves the contracts on the default store.
func TestSQLite(t *testing.T) {
	t.Parallel()
	w := openWorld(t, withB3)
	for _, section := range sections {
		t.Run(section.name, func(t *testing.T) { section.run(t, w) })
	}
}

// A row is one request with the reply that the contract gives it.
type row struct {
	name string
	send request
	want expected
}

// prove sends each row's request and compares the reply.
func (w *world) prove(t *testing.T, c contract, rows []row) {
	t.Helper()
	for _, tt := range rows {
		sub(t, tt.name, func(t *testing.T) { c.expect(t, w.send(t, c, tt.send), tt.want) })
	}
}

// detail is a 422 of A and B with the given items.
func detail(items ...string) expected {
	return expected{status: 422, body: `{"detail":[` + strings.Join(items, ",") + `]}`}
}

// missing is the item for a field that is not there.
func missing(name, input string) string {
	return `{"type":"missing","loc":["body","` + name + `"],"msg":"Field required","input":` + input + `}`
}

// notAString is the item for a JSON value of another type.
func notAString(name, input string) string {
	return `{"type":"string_type","loc":["body","` + name + `"],"msg":"Input should be a valid string","input":` + input + `}`
}

// badGrant is the item for a grant_type that is not password.
func badGrant(sent string) string {
	return `{"type":"string_pattern_mismatch","loc":["body","grant_type"],"msg":"String should match pattern '^password$'","input":` +
		pyString(sent) + `,"ctx":{"pattern":"^password$"}}`
}

// noFields is the answer to a form that was not read.
func noFields() expected { return detail(missing("username", "null"), missing("password", "null")) }

// aAndB runs a proof of the rules that A and B share once for each.
func aAndB(t *testing.T, f func(*testing.T, contract)) {
	t.Helper()
	for _, c := range []contract{contractA, contractB} {
		t.Run(c.name, func(t *testing.T) { f(t, c) })
	}
}
