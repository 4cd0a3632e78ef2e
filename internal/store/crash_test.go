package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// crashURL, when set, makes this test binary the process that is to be killed.
const crashURL = "CHANCERY_TEST_CRASH_URL"

func TestMain(m *testing.M) {
	if url := os.Getenv(crashURL); url != "" {
		writeUntilKilled(url)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const crashWriters = 60

// writeUntilKilled writes rows of several kinds and says on standard output
// which of them were acknowledged: "KIND NAME".
func writeUntilKilled(url string) {
	ctx := context.Background()
	s, err := Open(ctx, url, Options{})
	if err == nil {
		err = s.PutRealm(ctx, core.RealmInfo{Name: "demo"}, exchange(0))
	}
	if err == nil {
		err = s.CreateAccount(ctx, core.Account{ID: "owner", Realm: "demo", Login: "owner"}, exchange(0))
	}
	if err != nil && core.KindOf(err) != core.Conflict {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	var out sync.Mutex
	acknowledge := func(kind, name string, err error) {
		out.Lock()
		defer out.Unlock()
		if err != nil {
			fmt.Fprintln(os.Stderr, kind, name, err)
			os.Exit(1)
		}
		fmt.Println(kind, name)
	}
	var wg sync.WaitGroup
	for w := range crashWriters {
		refresh := core.StoredToken{Digest: core.NewSecret(fmt.Sprint(os.Getpid(), " ", w)).Digest(), Use: core.UseRefresh}
		id := core.SessionID(fmt.Sprintf("%d-%d", os.Getpid(), w))
		wg.Go(func() {
			if w%4 == 3 {
				opening := core.Opening{Session: core.Session{ID: id, Realm: "demo", Account: "owner"}, Tokens: []core.StoredToken{refresh}}
				if err := s.OpenSession(ctx, opening); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
			}
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, n)
				e := exchange(n)
				e.TokenID = name
				switch w % 4 {
				case 0:
					acknowledge("event", name, s.Record(ctx, e))
				case 1:
					a := core.Account{ID: core.AccountID(name), Realm: "demo", Login: name}
					acknowledge("account", name, s.CreateAccount(ctx, a, e))
				case 2:
					acknowledge("notice", name, s.Enqueue(ctx, core.Notice{ID: name, Realm: "demo"}, e))
				default:
					next := core.StoredToken{Digest: core.NewSecret(name).Digest(), Use: core.UseRefresh, ID: name}
					acknowledge("rotation", name, s.RotateToken(ctx, "demo", refresh.Digest, time.Now(), []core.StoredToken{next}, e))
					refresh = next
				}
			}
		})
	}
	wg.Wait()
}

// rounds is how often a process is killed; more for the long run.
func rounds(t *testing.T) int {
	t.Helper()
	if given := os.Getenv("CHANCERY_TEST_ROUNDS"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 5
}

// Whatever a killed process has acknowledged is there afterwards, a change
// together with its record, and the file is sound (R1, R4).
func TestKill(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		acknowledged := map[string]bool{}
		for round := range rounds(t) {
			for line := range killed(t, url, time.Duration(100+37*(round%8))*time.Millisecond) {
				acknowledged[line] = true
			}
			checkKept(t, url, acknowledged)
		}
		t.Logf("%d rows acknowledged and kept", len(acknowledged))
	})
}

// killed runs the writing process for a while, kills it and returns what it
// acknowledged.
func killed(t *testing.T, url string, after time.Duration) map[string]bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), crashURL+"="+url)
	child.Stderr = os.Stderr
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	scanner := bufio.NewScanner(stdout)
	for scanner.Scan() {
		if len(lines) == 0 {
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		lines[scanner.Text()] = true
	}
	err = child.Wait()
	if len(lines) == 0 || child.ProcessState.Exited() {
		t.Fatalf("the process ended by itself after %d rows: %v", len(lines), err)
	}
	return lines
}

func checkKept(t *testing.T, url string, acknowledged map[string]bool) {
	t.Helper()
	begun := time.Now()
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("ready after %v, want 2 s at most", took)
	}
	if s.Path() != "" {
		var result string
		if err := s.reads.db.QueryRowContext(t.Context(), "pragma integrity_check").Scan(&result); err != nil || result != "ok" {
			t.Errorf("integrity_check: %s, %v", result, err)
		}
	}
	kept := keptRows(t, s)
	lost := 0
	for line := range acknowledged {
		kind, name, _ := strings.Cut(line, " ")
		if !kept[kind][name] || !kept["event"][name] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged rows are lost", lost, len(acknowledged))
	}
	var torn int
	const rotations = `select count(*) from sessions as s
		where (select count(*) from tokens as t where t.realm = s.realm and t.session = s.id and t.replaced_at = 0) <> 1`
	if err := s.reads.db.QueryRowContext(t.Context(), rotations).Scan(&torn); err != nil || torn > 0 {
		t.Errorf("%d sessions have not exactly one refresh token that works: %v", torn, err)
	}
	for _, kind := range []string{"account", "notice", "rotation"} {
		for name := range kept[kind] {
			if !kept["event"][name] {
				t.Errorf("%s %s has no record", kind, name)
			}
		}
	}
}

// keptRows returns what is stored, by kind. It is one statement, so one snapshot:
// PostgreSQL may still be busy with the last commit of the process that is gone.
func keptRows(t *testing.T, s *Store) map[string]map[string]bool {
	t.Helper()
	rows, err := s.reads.db.QueryContext(t.Context(),
		`select 'event', token_id from audit union all select 'account', id from accounts where id <> 'owner'
		union all select 'notice', id from notices union all select 'rotation', token_id from tokens where token_id <> ''`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	kept := map[string]map[string]bool{"event": {}, "account": {}, "notice": {}, "rotation": {}}
	for rows.Next() {
		var kind, name string
		if err := rows.Scan(&kind, &name); err != nil {
			t.Fatal(err)
		}
		kept[kind][name] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return kept
}
