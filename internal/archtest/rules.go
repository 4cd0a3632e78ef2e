package archtest

// Module is the path that the packages below are relative to.
const Module = "github.com/chancery-auth/chancery"

// A Rule says what the packages of one row may import of this module. Every
// package may import its own subpackages.
type Rule struct {
	Package string   // "" is the root; "internal/web/*" is each package one level below
	May     []string // packages of this module, subpackages included; "*" is any below cmd and cli
	Never   []string // packages of anybody, subpackages included
	Only    []string // the only packages outside the standard library and this module; nil allows any
	Why     string   // the end of the sentence "… imports …, but "
}

var io = []string{"net/http", "database/sql", "os"}

// Rules holds a row for each package that is not a test.
var Rules = []Rule{
	{Package: "cmd/chancery", May: []string{"internal/cli"}, Why: "main only calls the command line"},
	{Package: "internal/cli", May: []string{"", "core", "internal/dialect", "internal/seed", "internal/strictyaml"},
		Why: "the command line reaches the rest through the chancery package"},
	{Package: "", May: []string{"*"}, Why: "nothing calls back up to the command line"},

	{Package: "core", Never: []string{"net", "net/http", "database/sql", "os"}, Why: "the rules do no I/O and know nothing around them"},
	{Package: "core/storetest", May: []string{"core"}, Why: "it holds stores to core's interfaces alone"},
	{Package: "dialects", Why: "contracts are data"},
	{Package: "client", Only: []string{}, Why: "its users get nothing of the server's"},
	{Package: "verify", May: []string{"internal/token"}, Only: []string{"github.com/go-jose/go-jose/v4"}, Why: "its users get nothing of the server's"},

	{Package: "internal/token", May: []string{"core"}, Never: io, Why: "tokens are computed, without I/O"},
	{Package: "internal/argon2id", Never: io, Why: "hashes are computed, without I/O"},
	{Package: "internal/password", May: []string{"core", "internal/argon2id"}, Never: io, Why: "hashes are computed, without I/O"},
	{Package: "internal/strictyaml", Never: io, Why: "it reads text that it is given"},
	{Package: "internal/seed", May: []string{"core", "internal/dialect"}, Why: "it tells core what a file declares"},
	{Package: "internal/passwordlist", May: []string{"core"}, Why: "it makes a file for core"},
	{Package: "internal/bench", May: []string{"", "core"}, Why: "it drives a running server from outside"},
	{Package: "internal/contracttest", Why: "it asks a running server alone; its tests may use all"},
	{Package: "internal/archtest", Why: "it looks at the packages from outside"},

	{Package: "internal/hashgate", May: []string{"core", "internal/password"}, Why: sideBySide},
	{Package: "internal/keyring", May: []string{"core", "internal/token"}, Why: sideBySide},
	{Package: "internal/store", May: []string{"core"}, Why: sideBySide},
	{Package: "internal/counter", May: []string{"core"}, Why: sideBySide},
	{Package: "internal/mail", May: []string{"core"}, Why: sideBySide},
	{Package: "internal/metrics", May: []string{"core"}, Why: sideBySide},
	{Package: "internal/dialect", May: []string{"core"}, Why: sideBySide},
	{Package: "internal/web", May: []string{"core", "internal/dialect"}, Why: sideBySide},
	{Package: "internal/web/*", May: []string{"core", "internal/dialect", "internal/web"}, Why: sideBySide},
}

const sideBySide = "packages side by side meet in core, and wire.go joins them"
