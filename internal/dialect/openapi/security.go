package openapi

import (
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// carrierName is the name of a carrier's security scheme.
func (w *writer) carrierName(i int) string {
	c := w.info.Carriers[i]
	if c.In == "header" && c.Name == "Authorization" && strings.EqualFold(c.Scheme, "Bearer") {
		return "bearer"
	}
	return strings.ToLower(strings.Trim(notWord.ReplaceAllString(c.In+"_"+c.Name+"_"+c.Scheme, "_"), "_"))
}

const (
	basicScheme  = "basic"
	oauth2Scheme = "oauth2"
)

func (w *writer) securitySchemes() object {
	var all object
	for i, c := range w.info.Carriers {
		scheme := object{{"type", "apiKey"}, {"in", c.In}, {"name", c.Name}}
		switch {
		case w.carrierName(i) == "bearer":
			scheme = object{{"type", "http"}, {"scheme", "bearer"}}
		case c.Scheme != "":
			scheme.add("description", "The word "+c.Scheme+", a blank, and the token.")
		default:
			scheme.add("description", "The token.")
		}
		all.set(w.carrierName(i), scheme)
	}
	if slices.ContainsFunc(w.info.Routes, takesBasic) {
		all.add(basicScheme, object{{"type", "http"}, {"scheme", "basic"}})
	}
	if flows := w.flows(); flows != nil {
		all.add(oauth2Scheme, object{{"type", "oauth2"}, {"flows", flows}})
	}
	return all
}

func takesBasic(route dialect.RouteInfo) bool {
	return slices.ContainsFunc(route.Inputs, func(in dialect.InputInfo) bool {
		return slices.ContainsFunc(in.From, func(s dialect.SourceInfo) bool { return s.Place == "basic" })
	})
}

// security is what a call of a group needs, each item one way; nil for nothing.
func (w *writer) security(g group) []any {
	bearer, basic, needed := false, false, true
	for _, i := range g.routes {
		route := w.info.Routes[i]
		bearer = bearer || route.Bearer
		if !route.Bearer && !takesBasic(route) {
			needed = false // that one takes anybody
		}
		if takesBasic(route) {
			basic = true
			for _, in := range route.Inputs {
				if in.From[0].Place == "basic" && (len(in.From) > 1 || in.Need != dialect.Always) {
					needed = false // there is another way
				}
			}
		}
	}
	var all []any
	if bearer {
		for i := range w.info.Carriers {
			way := object{{w.carrierName(i), []any{}}}
			all = append(all, way)
		}
		if w.flows() != nil {
			all = append(all, object{{oauth2Scheme, []any{}}})
		}
	}
	if basic {
		all = append(all, object{{basicScheme, []any{}}})
	}
	if len(all) > 0 && !needed {
		all = append(all, object{})
	}
	return all
}

// flows are the OAuth 2.0 flows that the dialect's routes serve as they are, so
// that tools can sign in by themselves; nil for none.
func (w *writer) flows() object {
	var all object
	refresh := ""
	for _, route := range w.info.Routes {
		if route.Operation == dialect.Refresh && isTokenRoute(route) {
			refresh = w.info.BaseURL + route.Path
		}
	}
	for _, route := range w.info.Routes {
		if !route.Enabled || route.Operation != dialect.Authenticate || !isTokenRoute(route) {
			continue
		}
		flow := object{{"tokenUrl", w.info.BaseURL + route.Path}}
		flow.add("refreshUrl", refresh)
		flow = append(flow, member{"scopes", object{}})
		switch {
		case reads(route, "body.username") && reads(route, "body.password"):
			all.set("password", flow)
		case reads(route, "body.client_id") && reads(route, "body.client_secret") && !reads(route, "body.username"):
			all.set("clientCredentials", flow)
		}
	}
	return all
}

// isTokenRoute reports whether a route takes a form and gives an access_token.
func isTokenRoute(route dialect.RouteInfo) bool {
	path, _, found := route.OK[len(route.OK)-1].Schema.Find("token.value")
	return found && slices.Equal(path, []string{"access_token"}) &&
		slices.ContainsFunc(route.Accept, func(a dialect.AcceptInfo) bool { return a.Form == dialect.BodyForms })
}

func reads(route dialect.RouteInfo, source string) bool {
	return slices.ContainsFunc(route.Inputs, func(in dialect.InputInfo) bool {
		return slices.ContainsFunc(in.From, func(s dialect.SourceInfo) bool { return s.String() == source })
	})
}
