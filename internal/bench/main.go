// Command bench measures a running server against the ceilings of the machine it
// runs on, in one run, and prints docs/performance.md's tables.
//
// The server, and the bare net/http handler beside which it is judged, are
// processes of their own, so that their processor time and memory can be read
// from the system. All load goes to loopback and ends by itself.
//
//	go run ./internal/bench
//	go run ./internal/bench -only storm -seconds 30
//	go run ./internal/bench -database postgres://…
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	role := flag.String("role", "", "internal: what a child process does")
	dir := flag.String("dir", "", "folder for the database; default: a temporary one")
	database := flag.String("database", "", "postgres:// URL of an empty database; default: SQLite")
	seconds := flag.Int("seconds", 5, "length of each load run")
	profile := flag.String("profile", "", "file for a CPU profile of the server")
	only := flag.String("only", "", "names of the scenarios to run, with commas; default: all")
	flag.Parse()
	if err := run(*role, bench{dir: *dir, database: *database, duration: time.Duration(*seconds) * time.Second, profile: *profile}, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(role string, b bench, only string) error {
	switch role {
	case "server":
		return serveChancery(b.dir, b.database, b.profile)
	case "bare":
		return serveBare()
	}
	if b.dir == "" {
		var err error
		if b.dir, err = os.MkdirTemp("", "chancery-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(b.dir)
	}
	if err := seed(context.Background(), config(b.dir, b.database, "127.0.0.1:0", "127.0.0.1:0")); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	defer b.stop()
	for _, s := range scenarios {
		if only != "" && !strings.Contains(","+only+",", ","+s.name+",") {
			continue
		}
		fmt.Printf("\n### %s\n\n", s.title)
		if err := s.run(&b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
