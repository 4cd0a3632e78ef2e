//go:build !unix

package keyring

import "os"

// checkAccess does nothing: there are no permission bits to look at.
func checkAccess(*os.File) error { return nil }
