// Package web holds what the HTTP surfaces share. [Wrap] goes round every handler:
// it finds the client's address and the request's id, bounds URLs and bodies,
// catches panics and writes the access log. [Serve] runs a listener with its
// time limits and drains it at the end.
//
// It knows neither dialects nor rules. The surfaces are its subpackages: login,
// forwardauth, proxy and status.
package web
