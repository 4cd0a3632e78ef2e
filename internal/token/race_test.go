//go:build race

package token

// The race detector makes plain Go, such as Ed25519's arithmetic, ten times slower.
func init() { timeFactor = 10 }
