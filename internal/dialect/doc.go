// Package dialect puts a login contract into words. It reads a dialect file
// ([Load]), decodes requests and encodes replies by it ([Dialect.Match] is the way
// in), and gives core the contract's terms ([Dialect.Terms]).
//
// It owns the form of dialect files and the bytes on the wire. It does not decide
// who may sign in: that is core's. It does not read bodies or echo them: its
// subpackage body does. internal/web/login joins it with core.
package dialect
