package dialect

import (
	"slices"
	"strings"
)

const tokenFact = "token.value"

// carry finds the carrier of each route: where the token comes in a cookie alone, its
// calls bring it in that cookie, and all else as the main sign-in's token is brought.
func (info *Description) carry() {
	usual, cookies := 0, []int{} // carriers by whose cookies alone some sign-in gives a token
	for i := range info.Routes {
		at, gives := info.given(&info.Routes[i])
		if gives && info.Carriers[at].In == "cookie" {
			cookies = append(cookies, at)
		}
	}
	if i := info.Main(); i >= 0 {
		usual, _ = info.given(&info.Routes[i])
	}
	for i := range info.Routes {
		r := &info.Routes[i]
		at, gives := info.given(r)
		if !gives {
			at = usual
			if own := info.named(r, cookies); own >= 0 {
				at = own
			}
		}
		r.Carrier = at
	}
}

// Main is the sign-in that people look for first, by its index: the one that takes
// most requests. It is -1 where there is none.
func (info *Description) Main() int {
	best := -1
	for i := range info.Routes {
		if r := &info.Routes[i]; r.Enabled && r.Operation == Authenticate &&
			(best < 0 || r.Path == info.Routes[best].Path && r.Conditions < info.Routes[best].Conditions) {
			best = i
		}
	}
	return best
}

// given is the carrier that fits a route's token by the place where its reply has it:
// false where it gives none.
func (info *Description) given(r *RouteInfo) (carrier int, gives bool) {
	plain := max(0, slices.IndexFunc(info.Carriers, func(c CarrierInfo) bool { return c.In != "cookie" }))
	for k := range r.OK {
		reply := &r.OK[k]
		if !reply.tells(tokenFact) {
			continue
		}
		gives = true
		cookie := slices.IndexFunc(info.Carriers, func(c CarrierInfo) bool { return c.In == "cookie" && reply.alone(c.Name) })
		if cookie < 0 {
			return plain, true
		}
		carrier = cookie
	}
	return carrier, gives
}

// alone reports whether the reply gives the token in that cookie and nowhere else.
func (r *ReplyInfo) alone(cookie string) bool {
	if _, _, found := r.Schema.Find(tokenFact); found {
		return false
	}
	in := slices.ContainsFunc(r.Cookies, func(c CookieInfo) bool { return c.Name == cookie && c.Schema.Fact == tokenFact })
	for _, h := range r.Headers {
		switch {
		case h.Schema.Fact != tokenFact:
		case h.Name == "Set-Cookie" && strings.HasPrefix(h.Schema.Before, cookie+"="):
			in = true
		case h.Name != "Set-Cookie":
			return false
		}
	}
	return in
}

// named is the carrier among some whose cookie the route's replies take away or its
// requests hold, or else the one in whose place an input stands; -1 for none.
func (info *Description) named(r *RouteInfo, cookies []int) int {
	for _, i := range cookies {
		for _, reply := range r.OK {
			if slices.ContainsFunc(reply.Cookies, func(c CookieInfo) bool { return c.Name == info.Carriers[i].Name }) {
				return i
			}
		}
	}
	return slices.IndexFunc(info.Carriers, func(c CarrierInfo) bool {
		at := func(s SourceInfo) bool {
			return s.Place == c.In && strings.EqualFold(strings.Join(s.Path, "."), c.Name)
		}
		return slices.ContainsFunc(r.Holds, func(h ConditionInfo) bool { return h.Present && at(h.From) }) ||
			slices.ContainsFunc(r.Inputs, func(in InputInfo) bool { return at(in.From[0]) })
	})
}
