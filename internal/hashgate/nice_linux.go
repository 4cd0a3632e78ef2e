package hashgate

import "syscall"

// lowerPriority makes the calling thread nicer. Where that is not permitted the
// thread goes on as it is.
func lowerPriority(niceness int) {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), niceness)
}
