//go:build race

package securitytest

// raceFactor allows for the race detector, which makes pure computing slower.
const raceFactor = 20
