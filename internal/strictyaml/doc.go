// Package strictyaml reads YAML that people write for Chancery: configuration and
// identities. Everything that is wrong is told at once, each with its place in
// the file: members that do not exist (with the nearest name that does), members
// given twice, values of another type.
//
// It does not know what the values mean. Dialect files have a reader of their
// own in internal/dialect.
package strictyaml
