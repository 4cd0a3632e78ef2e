//go:build !linux

package hashgate

// lowerPriority does nothing: priorities of single threads are Linux's own.
func lowerPriority(int) {}
