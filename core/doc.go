// Package core holds the rules: who may have a token, for what, and for how long.
// [Authority.Exchange] is the way in, and the only code that mints a token.
//
// It does no I/O: storage, hashing, signing and counting are interfaces declared
// here, beside the rules that need them. It does not know HTTP: a refusal is an
// [Error] with a [Kind], which internal/dialect puts into a contract's words.
package core
