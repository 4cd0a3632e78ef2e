// Package openapi writes the OpenAPI 3.1 document of a dialect: its routes, their
// inputs and replies with examples, and the ways to present a token.
//
// It knows a dialect by its description alone ([dialect.Dialect.Describe]); what a
// value looks like is schema.go's, what a route looks like operation.go's.
package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// Write is the document as indented JSON.
func Write(d *dialect.Dialect) ([]byte, error) {
	w := &writer{d: d, info: d.Describe(), examples: map[string]dialect.Example{}, samples: map[int]map[string]string{}}
	for _, e := range d.Examples() {
		w.examples[e.Name] = e
	}
	w.share()
	text, err := encode(w.document())
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// A writer writes one document.
type writer struct {
	d        *dialect.Dialect
	info     dialect.Description
	examples map[string]dialect.Example
	samples  map[int]map[string]string // the values of sample calls, by route
	schemas  object                    // the document's components
	names    map[string]string         // of those, by their JSON
	shared   map[string]string         // what they are to be called, likewise
}

func (w *writer) document() object {
	var about object
	about.add("title", w.info.Title)
	about.add("description", w.info.About)
	about.add("version", w.info.Version)
	doc := object{{"openapi", "3.1.0"}, {"info", about}}
	doc.add("servers", []any{object{{"url", w.info.BaseURL}}})
	doc.add("tags", w.tags())
	doc.add("paths", w.paths())
	var components object
	components.add("schemas", w.schemas)
	components.add("securitySchemes", w.securitySchemes())
	doc.add("components", components)
	return doc
}

// A group is the routes of one method and path, in the order in which they are asked.
type group struct {
	method string
	routes []int
}

func (w *writer) paths() object {
	var paths []string
	groups := map[string][]group{}
	for i, route := range w.info.Routes {
		if !route.Enabled {
			continue
		}
		if groups[route.Path] == nil {
			paths = append(paths, route.Path)
		}
		for _, method := range route.Methods {
			all := groups[route.Path]
			at := slices.IndexFunc(all, func(g group) bool { return g.method == method })
			if at < 0 {
				at, all = len(all), append(all, group{method: method})
			}
			all[at].routes = append(all[at].routes, i)
			groups[route.Path] = all
		}
	}
	all := object{}
	for _, path := range paths {
		var item object
		for _, g := range groups[path] {
			item.add(strings.ToLower(g.method), w.operation(path, g))
		}
		all.add(path, item)
	}
	return all
}

// The tags put what belongs together under one heading.
const (
	tagSignIn  = "Sign in"
	tagTokens  = "Tokens"
	tagAccount = "Accounts"
	tagOther   = "Information"
)

func tagOf(operation dialect.Operation) string {
	switch operation {
	case dialect.Authenticate, dialect.Resume:
		return tagSignIn
	case dialect.Refresh, dialect.Extend, dialect.Revoke, dialect.RevokeAll, dialect.Introspect, dialect.Whoami:
		return tagTokens
	case dialect.Register, dialect.RequestVerification, dialect.Verify, dialect.RequestRecovery, dialect.ResetPassword:
		return tagAccount
	default:
		return tagOther
	}
}

// tags are those that some operation has, in the order in which they are of use.
func (w *writer) tags() []any {
	var all []any
	for _, tag := range []string{tagSignIn, tagTokens, tagAccount, tagOther} {
		if slices.ContainsFunc(w.info.Routes, func(r dialect.RouteInfo) bool { return r.Enabled && tagOf(r.Operation) == tag }) {
			all = append(all, object{{"name", tag}})
		}
	}
	return all
}
