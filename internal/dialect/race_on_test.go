//go:build race

package dialect

// racing: the race detector makes everything many times slower.
const racing = true
