// Package securitytest holds docs/security.md to the tests that it names, and
// proves what the tests of single packages cannot: what only the whole server
// shows, over its sockets and in its files, and what the source as a whole obeys.
//
// It owns the table of docs/security.md ([lines]) and does not repeat what
// internal/contracttest proves of the wire. CHANCERY_TEST_LONG=1 runs its tests
// at full length:
//
//	CHANCERY_TEST_LONG=1 go test -timeout 1h ./internal/securitytest
package securitytest
