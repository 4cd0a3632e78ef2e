// Package recordtest holds dialects/examples to the records of the login contracts
// that they word: it opens the whole server for each, plays the record against it
// over a real socket, and compares what comes back, structurally: literals exactly,
// placeholders by their meaning, members in the record's order.
//
// A contract is two files, testdata/records/NAME.json and dialects/examples/NAME.yaml,
// and, where a record cannot say how a case comes about, testdata/records/NAME.seed.yaml:
// README.md has its members. A further contract needs no Go code. Every leaf of a
// record must have been looked at, or be named in the seed with the reason why not.
//
//	go test -run TestRecords -v ./internal/recordtest    # prints what was covered
package recordtest
