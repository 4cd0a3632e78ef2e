// Package archtest holds the import rule: who may import whom. It reads the
// import clauses of the source itself, as a test that asks `go list` passes from
// the test cache after a bad import.
//
// It knows nothing of what the packages do. To add a package, give it a row in
// [Rules] and say there what it may lean on; ARCHITECTURE.md draws the picture.
package archtest
