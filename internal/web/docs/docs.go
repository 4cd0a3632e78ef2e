// Package docs serves the documentation of the dialects at one place: a page for
// each, its OpenAPI file, and Swagger UI to try it with.
//
// What the pages say is internal/dialect/page's and internal/dialect/openapi's. All
// that they need is served here; they ask nothing of other hosts.
package docs

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/dialect/openapi"
	"github.com/chancery-auth/chancery/internal/dialect/page"
	"github.com/chancery-auth/chancery/internal/web"
)

// Path is where documentation is served, under the prefix of its dialects.
const Path = "/docs"

// Options say what is documented.
type Options struct {
	Contracts []Contract // at least one, in the order of the configuration
	Log       *slog.Logger
}

// A Contract is a dialect at the place.
type Contract struct {
	Dialect  *dialect.Dialect
	Resource string // the URL of something behind that wants a token; "" for none
}

// A Handler serves the documentation of one place; it sees paths without the
// place's prefix. It is made by [New].
type Handler struct {
	options Options
	files   map[string]func() (*file, error) // by path, each made once
}

// policy lets a page load what is served beside it, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// New returns the documentation of some dialects.
func New(options Options) *Handler {
	h := &Handler{options: options, files: map[string]func() (*file, error){}}
	for name, made := range assetFiles {
		h.files["/-/"+name] = made
	}
	for i, c := range options.Contracts {
		h.contract(i, "/"+c.Dialect.Name())
	}
	if len(options.Contracts) == 1 {
		h.contract(0, "")
	} else {
		h.add("", h.index)
	}
	return h
}

// contract adds the files of one dialect below a path.
func (h *Handler) contract(i int, at string) {
	d := h.options.Contracts[i].Dialect
	root := Path[1:] + "/" // from the page to what all share
	if at != "" {
		root = ""
	}
	self := strings.TrimPrefix(Path+at, Path+"/") // the page's own name, seen from itself
	if at == "" {
		self = Path[1:]
	}
	h.add(at, func() ([]byte, string, error) {
		text, err := page.Render(d, page.Options{
			Stylesheet: root + "-/page.css", Script: root + "-/page.js", OpenAPI: self + "/openapi.json", Try: self + "/try",
			Others: h.others(i, root), Resource: h.options.Contracts[i].Resource,
		})
		return text, ".html", err
	})
	h.add(at+"/openapi.json", func() ([]byte, string, error) {
		text, err := openapi.Write(d)
		return text, ".json", err
	})
	h.add(at+"/try", func() ([]byte, string, error) {
		up, expand := "", "list"
		if at != "" {
			up = "../"
		}
		if len(d.Paths()) == 1 { // that are served
			expand = "full"
		}
		var b bytes.Buffer
		err := tryTemplate.Execute(&b, struct{ Title, Assets, Page, OpenAPI, Expand string }{d.Title(), up + "-/", "../" + self, "openapi.json", expand})
		return b.Bytes(), ".html", err
	})
}

// others are the pages of the place's other dialects.
func (h *Handler) others(self int, root string) []page.Link {
	var links []page.Link
	for i, c := range h.options.Contracts {
		if i != self {
			links = append(links, page.Link{Title: c.Dialect.Title(), Address: root + c.Dialect.Name()})
		}
	}
	return links
}

func (h *Handler) index() ([]byte, string, error) {
	var b bytes.Buffer
	err := indexTemplate.Execute(&b, h.others(-1, Path[1:]+"/"))
	return b.Bytes(), ".html", err
}

// add serves what is made, at the first request for it.
func (h *Handler) add(at string, content func() ([]byte, string, error)) {
	if h.files[at] == nil {
		h.files[at] = sync.OnceValues(func() (*file, error) {
			text, extension, err := content()
			if err != nil {
				return nil, err
			}
			packed, err := pack(text)
			return newFile(text, packed, extension), err
		})
	}
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first := h.options.Contracts[0].Dialect
	note := web.Note(r)
	note.Dialect, note.Realm, note.Route = first.Name(), first.Realm(), "docs"
	defer web.Recover(r, func(error) { web.Reply(w, http.StatusInternalServerError, "internal error") })

	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	name := strings.TrimPrefix(r.URL.Path, Path)
	made := h.files[name]
	switch {
	case name == "/":
		header.Set("Location", ".."+Path)
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	case made == nil:
		note.Outcome = core.NotFound
		web.Reply(w, http.StatusNotFound, "not found")
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		note.Outcome = core.MethodNotAllowed
		header.Set("Allow", "GET, HEAD")
		web.Reply(w, http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	f, err := made()
	if err == nil {
		err = f.serve(w, r)
	}
	if err != nil {
		web.Report(r, h.options.Log, err)
		web.Reply(w, http.StatusInternalServerError, "internal error")
		return
	}
}
