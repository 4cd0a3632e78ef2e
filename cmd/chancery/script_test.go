package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/chancery-auth/chancery/internal/cli"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// TestMain lets the scripts run this very program as `chancery`.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"chancery": func() { os.Exit(cli.Main()) }})
}

// TestSQLite and TestPostgres run every script of testdata/script with the whole
// program, its sockets and its database. commands_test.go has the commands that
// the scripts use beside testscript's own.
func TestSQLite(t *testing.T) {
	runScripts(t, "sqlite", func(_ *testing.T, folder string) string {
		return "sqlite:" + filepath.Join(folder, "chancery.db")
	})
}

func TestPostgres(t *testing.T) {
	runScripts(t, "postgres", func(t *testing.T, _ string) string { return pgtest.URL(t) })
}

func runScripts(t *testing.T, engine string, database func(t *testing.T, folder string) string) {
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("found no scripts: %v", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Files:               []string{script},
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				Cmds:                commands,
				Condition:           func(name string) (bool, error) { return name == engine, nil },
				Setup: func(env *testscript.Env) error {
					env.Setenv("CHANCERY_DATABASE", database(t, env.WorkDir))
					env.Setenv("CHANCERY_LISTEN", "127.0.0.1:0")
					env.Setenv("CHANCERY_ADMIN_LISTEN", "127.0.0.1:0")
					env.Setenv("CHANCERY_ISSUER", "http://127.0.0.1:8080")
					env.Setenv("CHANCERY_DRAIN", "1ms")
					return nil
				},
			})
		})
	}
}
