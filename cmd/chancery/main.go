// Command chancery turns credentials into bearer tokens, in the words of the API
// that it serves. `chancery demo` shows it; internal/cli holds the commands.
package main

import (
	"os"

	"github.com/chancery-auth/chancery/internal/cli"
)

func main() { os.Exit(cli.Main()) }
