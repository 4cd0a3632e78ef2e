// Package dialect puts a login contract into words. It reads a dialect file
// ([Load]), decodes requests and encodes replies by it ([Dialect.Match] is the way
// in), and gives core the contract's terms ([Dialect.Terms]).
//
// It owns the form of dialect files and the bytes on the wire. It does not decide
// who may sign in: that is core's. It does not read bodies or echo them: its
// subpackage body does. internal/web/login joins it with core.
//
// A request meets the files in this order: path.go, accept.go and select.go find its
// route and how its body is read, decode.go and source.go read the inputs of input.go
// and ask the rules of rule.go, judge.go decides what core leaves to the file, encode.go
// writes a reply of variant.go and reply.go. What a file may hold is the one table of
// grammar.go (grammar_in.go for routes and inputs, grammar_out.go for all else), what a
// route may do that of operation.go (do.go reads it), what an expression may name that
// of fact.go, and what none may that of secrecy.go; template.go and expression.go compile
// what it writes, and render.go runs it. reader.go, share.go, member.go and locate.go read
// YAML, with what it shares written out, and find the place of every fault;
// reachable.go asks whether the parts suffice for each other, and trace.go tells the
// steps of a call to who wants an explanation.
package dialect
