// Package contracttest proves the wire contracts of the built-in dialects: it
// opens the whole server, speaks to it over real sockets and compares bytes.
//
// It owns the list of what the contracts say ([rows]), row by row, each with the
// tests that prove it, and docs/contracts.md, which is that list for readers. It
// does not know how the server works inside; where a state cannot be reached from
// outside (a token with foreign claims, a ticket whose hour has passed) it says so
// beside the helper that makes it. The contracts themselves are in dialects/.
//
// The tests read three variables. CHANCERY_TEST_REQUIRE=1 makes a missing
// interpreter or database a failure instead of a skip. CHANCERY_TEST_LONG=1 runs
// the statistical and heavy tests at full length:
//
//	CHANCERY_TEST_LONG=1 go test -timeout 4h -run 'Timing|Storm|Mutated' ./internal/contracttest
package contracttest
