//go:build !race

package token

const timeFactor = 1
