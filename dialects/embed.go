// Package dialects holds the login contracts that come with Chancery, one file
// each. It knows nothing of their form; internal/dialect reads them.
package dialects

import "embed"

// Files are the dialect files, by name: "pagfast.yaml".
//
//go:embed *.yaml
var Files embed.FS

// Examples are contracts to begin one's own from, or to look something up in, by
// name: "examples/keystone.yaml". No server offers them by itself.
//
//go:embed examples/*.yaml
var Examples embed.FS
