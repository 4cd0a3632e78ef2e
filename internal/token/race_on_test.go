//go:build race

package token

// timeFactor widens bounds on time: the race detector makes plain Go, such as
// Ed25519's arithmetic, ten times slower.
const timeFactor = 10
