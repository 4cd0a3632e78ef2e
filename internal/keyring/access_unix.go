//go:build unix

package keyring

import (
	"fmt"
	"os"
	"syscall"
)

// checkAccess refuses a key file that others can read or write. The group may
// read a file that is not ours: a credential mounted by systemd or Kubernetes is
// root's, and the group, or an access list that shows as one, is our only way in.
func checkAccess(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	forbidden := os.FileMode(0o077)
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int64(s.Uid) != int64(os.Geteuid()) {
		forbidden = 0o037
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return fmt.Errorf("master key %s: not a regular file", file.Name())
	case mode.Perm()&forbidden != 0:
		return fmt.Errorf("master key %s: other users have access to it (mode %04o): run chmod 600 %s", file.Name(), mode.Perm(), file.Name())
	}
	return nil
}
