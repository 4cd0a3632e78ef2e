package login

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rs/cors"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/web"
)

// A mountGroup is the mounts of one host and prefix, in the order of the configuration.
type mountGroup struct {
	host, prefix string
	mounts       []*Mount
	static       map[route]*Mount // of the routes without parameters
	guarded      []Protected      // the longest path first
	cors         *cors.Cors       // nil where scripts of other origins are kept out
}

type route struct{ method, path string }

// groups are all mount groups by host, those with the longest prefix first.
type groups map[string][]*mountGroup

func group(mounts []Mount) groups {
	all := make(groups)
	for i := range mounts {
		mount := &mounts[i]
		host := strings.ToLower(mount.Host)
		at := slices.IndexFunc(all[host], func(g *mountGroup) bool { return g.prefix == mount.Prefix })
		if at < 0 {
			at = len(all[host])
			all[host] = append(all[host], &mountGroup{host: host, prefix: mount.Prefix, static: make(map[route]*Mount)})
		}
		all[host][at].add(mount)
	}
	for _, ofHost := range all {
		for _, g := range ofHost {
			g.cors = corsFor(g.mounts)
		}
		slices.SortStableFunc(ofHost, func(a, b *mountGroup) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	}
	return all
}

func (g *mountGroup) add(mount *Mount) {
	g.mounts = append(g.mounts, mount)
	for _, text := range mount.Dialect.Paths() {
		method, path, _ := strings.Cut(text, " ")
		if _, taken := g.static[route{method, path}]; !taken && !strings.Contains(path, "{") {
			g.static[route{method, path}] = mount
		}
	}
	g.guarded = append(g.guarded, mount.Protected...)
	slices.SortStableFunc(g.guarded, func(a, b Protected) int { return cmp.Compare(len(b.Path), len(a.Path)) })
}

// find returns the group of a request and the request without the group's
// prefix: a group of its very host first, then one of any host. It is nil where
// nothing is mounted.
func (gs groups) find(r *http.Request) (*mountGroup, *http.Request) {
	path := r.URL.EscapedPath()
	if g := under(gs[web.Host(r)], path); g != nil {
		return g, g.strip(r)
	}
	if g := under(gs[""], path); g != nil {
		return g, g.strip(r)
	}
	return nil, r
}

func under(ofHost []*mountGroup, path string) *mountGroup {
	for _, g := range ofHost {
		if rest, found := strings.CutPrefix(path, g.prefix); found && strings.HasPrefix(rest, "/") {
			return g
		}
	}
	return nil
}

func (g *mountGroup) strip(r *http.Request) *http.Request {
	if g.prefix == "" {
		return r
	}
	stripped := *r
	stripped.URL = new(url.URL)
	*stripped.URL = *r.URL
	stripped.URL.Path = strings.TrimPrefix(r.URL.Path, g.prefix)
	stripped.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, g.prefix)
	return &stripped
}

// match finds the mount that has a route for a request: one that takes it as it
// is, and failing that the first that knows its path, to redirect it or to refuse
// its method.
func (g *mountGroup) match(r *http.Request) (*Mount, *dialect.Call) {
	if mount := g.static[route{r.Method, r.URL.Path}]; mount != nil {
		if call := mount.Dialect.Match(r); call.Err() == nil && call.Redirect() == "" {
			return mount, call
		}
	}
	var (
		nearMount *Mount
		nearCall  *dialect.Call
	)
	for _, mount := range g.mounts {
		call := mount.Dialect.Match(r)
		err := call.Err()
		switch {
		case err == nil && call.Redirect() == "":
			return mount, call
		case nearCall == nil && (err == nil || core.KindOf(err) == core.MethodNotAllowed):
			nearMount, nearCall = mount, call
		}
	}
	return nearMount, nearCall
}

// protected returns the handler of the longest protected path that a request is
// for, or nil. An ambiguous path is under no protected path (S62).
func (g *mountGroup) protected(r *http.Request) http.Handler {
	if len(g.guarded) == 0 || web.Ambiguous(r) {
		return nil
	}
	for _, p := range g.guarded {
		rest, found := strings.CutPrefix(r.URL.Path, p.Path)
		if found && (rest == "" || strings.HasSuffix(p.Path, "/") || rest[0] == '/') {
			return p.Handler
		}
	}
	return nil
}
