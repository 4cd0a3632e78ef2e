package docs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/chancery-auth/chancery/internal/dialect/page"
)

// A file is what is served at one path.
type file struct {
	content        []byte // nil where it is unpacked for who wants it so
	packed         []byte // by gzip
	mediaType, tag string
}

var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".json": "application/json", ".txt": "text/plain; charset=utf-8",
}

func newFile(content, packed []byte, extension string) *file {
	digest := sha256.Sum256(packed)
	return &file{content, packed, mediaTypes[extension], hex.EncodeToString(digest[:8])}
}

func pack(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that there is
	_, err := w.Write(content)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r) //nolint:gosec // our own file
}

// serve writes the file, packed where the client takes that.
func (f *file) serve(w http.ResponseWriter, r *http.Request) error {
	content, tag := f.content, f.tag
	header := w.Header()
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
		content, tag = f.packed, f.tag+"-gzip"
	} else if content == nil {
		var err error
		if content, err = unpack(f.packed); err != nil {
			return err
		}
	}
	header.Set("Content-Type", f.mediaType)
	header.Set("Cache-Control", "no-cache") // which is to ask whether it has changed
	header.Set("Vary", "Accept-Encoding")
	header.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	return nil
}

// takesGzip reads an Accept-Encoding header.
func takesGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.TrimSpace(name) == "gzip" {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(params), "q="), "0.") != "" || params == ""
		}
	}
	return false
}

//go:embed assets
var assets embed.FS

var (
	tryTemplate   = template.Must(template.ParseFS(assets, "assets/try.html"))
	indexTemplate = template.Must(template.ParseFS(assets, "assets/index.html"))
)

// assetFiles are what pages load beside themselves, each read once.
var assetFiles = func() map[string]func() (*file, error) {
	all := map[string]func() (*file, error){}
	for _, name := range []string{
		"page.css", "page.js", "try.css", "try.js", "swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt",
	} {
		all[name] = sync.OnceValues(func() (*file, error) { return readAsset(name) })
	}
	return all
}()

// readAsset reads a file of the pages' or our own; large ones are kept packed.
func readAsset(name string) (*file, error) {
	if packed, err := assets.ReadFile("assets/" + name + ".gz"); err == nil {
		return newFile(nil, packed, path.Ext(name)), nil
	}
	var files fs.FS = page.Assets()
	if !strings.HasPrefix(name, "page.") {
		files, _ = fs.Sub(assets, "assets") // which is embedded
	}
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	packed, err := pack(content)
	return newFile(content, packed, path.Ext(name)), err
}
