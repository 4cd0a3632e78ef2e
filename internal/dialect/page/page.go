// Package page writes the documentation page of a dialect: what to send, what comes
// back, what can go wrong, and programs that do it, in five languages.
//
// It knows a dialect by its description alone. The page needs no script and asks
// nothing of other hosts; internal/web/docs serves it with what is in [Assets].
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"slices"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// Options say what a page shows beside its dialect.
type Options struct {
	// Links from the page, relative to its own address.
	Stylesheet, Script, OpenAPI, Try string // Try is "" where there is nothing to try it with
	// Others are the other contracts that are documented beside this one.
	Others []Link
	// Resource is the URL of something that wants a token, for the samples. Where
	// it is "", they ask the contract itself, or an address that is made up.
	Resource string
	// Values replace the inputs' sample values, by the route's index; it may be nil.
	Values func(route int) map[string]string
	// Token is the one that samples bring that get none themselves.
	Token string
}

// A Link is an address with its words.
type Link struct{ Title, Address string }

//go:embed assets
var assets embed.FS

// Assets are the files that a page needs beside itself: page.css and page.js.
func Assets() fs.FS {
	files, _ := fs.Sub(assets, "assets") // which is embedded
	return files
}

//go:embed page.html.tmpl
var pageFile string

var pageTemplate = template.Must(template.New("page").Parse(pageFile))

// Render writes the page.
func Render(d *dialect.Dialect, options Options) ([]byte, error) {
	v, err := newView(d, options)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return b.Bytes(), nil
}

// Samples writes the programs for a route, as the page shows them.
func Samples(d *dialect.Dialect, route int, options Options) ([]Sample, error) {
	return (&composer{d, d.Describe(), options}).samples(route)
}

// A composer makes the programs of a page.
type composer struct {
	d       *dialect.Dialect
	info    dialect.Description
	options Options
}

// compose makes a route's call; a token that it brings comes by the carrier.
func (c *composer) compose(route, carrier int) (dialect.Request, error) {
	values := c.d.SampleValues(route)
	if c.options.Values != nil {
		maps.Copy(values, c.options.Values(route))
	}
	r, err := c.d.Compose(route, values)
	if err == nil && c.info.Routes[route].Bearer {
		c.d.Present(&r, carrier, marker)
	}
	return r, err
}

func (c *composer) samples(index int) ([]Sample, error) {
	route := c.info.Routes[index]
	request, err := c.compose(index, route.Carrier)
	if err != nil {
		return nil, err
	}
	p := program{Title: c.info.Title}
	call := newStep(request, c.info.BaseURL)
	call.Assign = ":="
	found, gives := find{}, false
	if len(route.OK) > 0 {
		found, gives = findToken(route.OK[len(route.OK)-1])
	}
	switch {
	case gives && !route.Bearer:
		call.Find = found
		p.Login = &call
		if p.Call, err = c.next(route.Carrier); err != nil {
			return nil, err
		}
		p.Call.Assign = "="
	case route.Bearer:
		p.Call, p.Token = call, c.options.Token
		if p.Token == "" {
			p.Token = "your-token"
		}
	default:
		p.Call = call
	}
	return p.samples()
}

// next is the call that uses a token, which it brings by the carrier.
func (c *composer) next(carrier int) (step, error) {
	if c.options.Resource == "" {
		i := slices.IndexFunc(c.info.Routes, func(r dialect.RouteInfo) bool { return r.Enabled && r.Operation == dialect.Whoami })
		if i >= 0 {
			r, err := c.compose(i, carrier)
			return newStep(r, c.info.BaseURL), err
		}
	}
	r := dialect.Request{Method: "GET", Form: dialect.BodyEmpty}
	c.d.Present(&r, carrier, marker)
	address := c.options.Resource
	if address == "" {
		address = "https://api.example.com/resource"
	}
	return newStep(r, address), nil
}
