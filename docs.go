package chancery

import (
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/web/docs"
	"github.com/chancery-auth/chancery/internal/web/login"
)

// document adds the documentation of each place to its first mount that has one. A
// path that the configuration protects there comes first.
func (s *Server) document(mounts []login.Mount, mounted []mount) {
	for i := range mounts {
		at := &mounts[i]
		options := docs.Options{Log: s.log}
		first, taken := -1, false
		for j := range mounts {
			if !sharesPlace(mounts[j], *at) {
				continue
			}
			taken = taken || slices.ContainsFunc(mounts[j].Protected, func(p login.Protected) bool { return covers(p.Path, docs.Path) })
			if mounted[j].documented() {
				if first < 0 {
					first = j
				}
				options.Contracts = append(options.Contracts, docs.Contract{Dialect: mounts[j].Dialect, Resource: s.resource(mounted[j])})
			}
		}
		if first == i && !taken {
			at.Protected = append(at.Protected, login.Protected{Path: docs.Path, Handler: docs.New(options)})
		}
	}
}

func sharesPlace(a, b login.Mount) bool {
	return strings.EqualFold(a.Host, b.Host) && a.Prefix == b.Prefix
}

func (m mount) documented() bool { return m.Docs == nil || *m.Docs }

// covers reports whether a protected path is place, or leads to it.
func covers(protected, place string) bool {
	rest, found := strings.CutPrefix(place, protected)
	return found && (rest == "" || strings.HasSuffix(protected, "/") || rest[0] == '/')
}

// resource is the URL of a path behind a mount, "" for none.
func (s *Server) resource(m mount) string {
	if len(m.Protect) == 0 {
		return ""
	}
	return strings.TrimSuffix(s.config.Issuer, "/") + m.Prefix + m.Protect[0].Path
}
