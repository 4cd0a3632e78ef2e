//go:build !race

package securitytest

const raceFactor = 1
