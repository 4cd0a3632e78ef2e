// Package token signs and verifies compact JWS, and reads the claims inside.
//
// It is pure: keys and payloads are handed in, nothing is fetched or stored. It
// does not know which key belongs to whom (internal/keyring), what claims a
// dialect wants or whether an account still stands (core).
//
// Nothing in a token says how it is verified: the algorithm is our key's, and of
// the header only kid is used, to choose among our own keys (RFC 8725).
package token
