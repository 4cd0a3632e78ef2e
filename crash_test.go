package chancery_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store"
)

// The test binary runs itself again as a server that can be killed: this variable
// names its folder.
const serverFolder = "CHANCERY_TEST_SERVER_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serverFolder); dir != "" {
		if err := runServer(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writers is how many clients sign in at once, each with an access key of its own.
const writers = 100

func writerKey(n int) string    { return fmt.Sprintf("%040x", n) }
func writerSecret(n int) string { return fmt.Sprintf("%048d", n) }

func crashConfig(dir string) chancery.Config {
	return chancery.Config{
		Listen:        "127.0.0.1:0",
		AdminListen:   "127.0.0.1:0",
		Database:      "sqlite:" + filepath.Join(dir, "chancery.db"),
		MasterKeyFile: filepath.Join(dir, "master-key.json"),
		Issuer:        "http://127.0.0.1:8080",
		Serve:         []chancery.Mount{{Dialect: "pagfast", Realm: "partners"}},
	}
}

// runServer serves until it is killed. It prints its address and process id, and the login name
// of each account that it has created meanwhile, once that is acknowledged.
func runServer(dir string) error {
	ctx := context.Background()
	server, err := chancery.Open(ctx, crashConfig(dir), chancery.Options{})
	if err != nil {
		return err
	}
	go func() {
		<-server.Ready()
		fmt.Println(server.Addr(), os.Getpid())
		for n := 0; os.Getenv("CHANCERY_TEST_QUIET") == ""; n++ {
			login := fmt.Sprintf("account-%d-%d", os.Getpid(), n)
			if _, err := server.Registry().CreateAccount(ctx, core.AccountSpec{Realm: "partners", Login: login, Active: true}, core.Origin{Actor: "test"}); err == nil {
				fmt.Println("created", login)
			}
		}
	}()
	return server.Run(ctx)
}

// killed is a server process and what it acknowledged.
type killed struct {
	command *exec.Cmd
	address string
	tokens  [writers]atomic.Int64 // acknowledged, by key
	created []string              // acknowledged accounts; read once lines is done
	lines   sync.WaitGroup
}

func startKilled(t *testing.T, dir string) *killed {
	t.Helper()
	k := &killed{command: exec.Command(os.Args[0])}
	k.command.Env = append(os.Environ(), serverFolder+"="+dir)
	k.command.Stderr = os.Stderr
	stdout, err := k.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := k.command.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(stdout)
	line, err := reader.ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("ready after %v, want 2s at most (R1)", took)
	}
	k.address, _, _ = strings.Cut(line, " ")
	k.lines.Go(func() {
		scanner := bufio.NewScanner(reader)
		for scanner.Scan() {
			if login, ok := strings.CutPrefix(scanner.Text(), "created "); ok {
				k.created = append(k.created, login)
			}
		}
	})
	return k
}

// load signs in with every key again and again until the server is gone.
func (k *killed) load(t *testing.T) *sync.WaitGroup {
	var clients sync.WaitGroup
	for n := range writers {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
			defer client.CloseIdleConnections()
			body := fmt.Sprintf(`{"accessKey":%q,"secret":%q}`, writerKey(n), writerSecret(n))
			for {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+k.address+"/login", strings.NewReader(body))
				if err != nil {
					return
				}
				request.Header.Set("Content-Type", "application/json")
				response, err := client.Do(request)
				if err != nil {
					return // killed
				}
				token, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err == nil && response.StatusCode == http.StatusCreated && len(token) > 0 {
					k.tokens[n].Add(1)
				}
			}
		})
	}
	return &clients
}

// R1, R4: a server that is killed at any moment under 100 writers has lost nothing
// that it acknowledged: every token has its audit record, every account is there
// with its own. CHANCERY_TEST_ROUNDS=200 runs it whole.
func TestKilledServerLosesNothing(t *testing.T) {
	rounds := 5
	if text := os.Getenv("CHANCERY_TEST_ROUNDS"); text != "" {
		rounds, _ = strconv.Atoi(text)
	} else if testing.Short() {
		rounds = 1
	}
	dir := t.TempDir()
	seedKeys(t, dir)
	issued, accounts := [writers]int64{}, []string(nil)
	for round := range rounds {
		k := startKilled(t, dir)
		clients := k.load(t)
		time.Sleep(time.Duration(100+37*(round%17)) * time.Millisecond)
		if err := k.command.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		clients.Wait()
		k.lines.Wait()
		_ = k.command.Wait()
		for n := range writers {
			issued[n] += k.tokens[n].Load()
		}
		accounts = append(accounts, k.created...)
		checkNothingLost(t, dir, issued[:], accounts)
		if t.Failed() {
			t.Fatalf("in round %d", round+1)
		}
	}
	total := int64(0)
	for _, n := range issued {
		total += n
	}
	if total == 0 || len(accounts) == 0 {
		t.Fatalf("%d tokens and %d accounts: nothing was tried", total, len(accounts))
	}
	t.Logf("%d rounds, %d tokens and %d accounts acknowledged, 0 lost", rounds, total, len(accounts))
}

func seedKeys(t *testing.T, dir string) {
	t.Helper()
	server, err := chancery.Open(t.Context(), crashConfig(dir), chancery.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	seedPartners(t, server, writers)
}

// seedPartners makes the realm of contract D with one partner and n active keys.
func seedPartners(t *testing.T, server *chancery.Server, n int) {
	t.Helper()
	origin := core.Origin{Actor: "test"}
	registry := server.Registry()
	attributes := map[string]core.AttributeType{}
	for _, name := range []string{"realm", "ca", "cid", "domain"} {
		attributes[name] = core.StringAttribute
	}
	if _, err := registry.PutRealm(t.Context(), core.RealmInfo{Name: "partners", Attributes: attributes}, origin); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.CreateAccount(t.Context(), core.AccountSpec{Realm: "partners", Login: "partner", Active: true, Verified: true}, origin); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		spec := core.AccessKeySpec{Realm: "partners", Owner: "partner", Identifier: writerKey(i), Secret: core.NewSecret(writerSecret(i)), State: core.KeyStateActive}
		if _, _, err := registry.CreateAccessKey(t.Context(), spec, origin); err != nil {
			t.Fatal(err)
		}
	}
}

func checkNothingLost(t *testing.T, dir string, issued []int64, accounts []string) {
	t.Helper()
	opened, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "chancery.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	granted, created := map[core.KeyID]int64{}, map[core.AccountID]bool{}
	for after := int64(0); ; {
		events, err := opened.Events(t.Context(), "partners", after, 5000)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events {
			switch {
			case event.Action == core.ActionExchange && event.Outcome == "":
				granted[event.Key]++
			case event.Action == core.ActionAccountCreated:
				created[event.Account] = true
			}
			after = event.Sequence
		}
		if len(events) == 0 {
			break
		}
	}
	for n, acknowledged := range issued {
		key, err := opened.AccessKeyByIdentifier(t.Context(), "partners", writerKey(n))
		if err != nil {
			t.Fatal(err)
		}
		if granted[key.ID] < acknowledged {
			t.Errorf("key %d: %d tokens were answered, %d are on record", n, acknowledged, granted[key.ID])
		}
	}
	for _, login := range accounts {
		account, err := opened.AccountByLogin(t.Context(), "partners", core.CanonicalLogin(login))
		if err != nil {
			t.Errorf("account %s was acknowledged and is lost: %v", login, err)
		} else if !created[account.ID] {
			t.Errorf("account %s has no audit record", login)
		}
	}
}

// R18 in small: more logins at once than can be hashed in time are each answered
// within 5 s, rightly or with 503 and Retry-After, and a bearer check meanwhile
// answers quickly.
func TestStormOfLogins(t *testing.T) {
	const logins = 200
	dir := t.TempDir()
	config := crashConfig(dir)
	config.Serve = []chancery.Mount{{Dialect: "kyc", Realm: "customers"}}
	server, err := chancery.Open(t.Context(), config, chancery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	<-server.Ready()
	base := "http://" + server.Addr()

	const password = "correct horse battery staple"
	hash, err := server.Registry().Passwords.Hash(t.Context(), "customers", core.NewSecret(password))
	if err != nil {
		t.Fatal(err)
	}
	for n := range logins {
		spec := core.AccountSpec{Realm: "customers", Login: fmt.Sprintf("user%d", n), Active: true, Verified: true, PasswordHash: hash}
		if _, err := server.Registry().CreateAccount(t.Context(), spec, core.Origin{Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	login := func(n int) (*http.Response, error) {
		form := strings.NewReader(fmt.Sprintf("username=user%d&password=%s", n, strings.ReplaceAll(password, " ", "+")))
		return http.Post(base+"/auth/jwt/login", "application/x-www-form-urlencoded", form) //nolint:noctx // bounded by the test
	}
	response, err := login(0)
	if err != nil {
		t.Fatal(err)
	}
	var token struct {
		Value string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&token); err != nil || token.Value == "" {
		t.Fatalf("first login: status %d, %v", response.StatusCode, err)
	}
	response.Body.Close()

	var clients sync.WaitGroup
	var ok, busy atomic.Int64
	var slowest atomic.Int64
	for n := range logins {
		clients.Go(func() {
			begin := time.Now()
			response, err := login(n)
			if err != nil {
				t.Errorf("login %d: %v", n, err)
				return
			}
			defer response.Body.Close()
			took := time.Since(begin)
			slowest.Store(max(slowest.Load(), int64(took)))
			switch {
			case took > 5*time.Second:
				t.Errorf("login %d: answered after %v", n, took)
			case response.StatusCode == http.StatusOK:
				ok.Add(1)
			case response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "":
				busy.Add(1)
			default:
				t.Errorf("login %d: status %d", n, response.StatusCode)
			}
		})
	}
	var worst time.Duration
	for range 50 {
		begin := time.Now()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/-/forward-auth/customers/kyc", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token.Value)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("bearer check during the storm: status %d", response.StatusCode)
		}
		worst = max(worst, time.Since(begin))
		time.Sleep(10 * time.Millisecond)
	}
	clients.Wait()
	if ok.Load() == 0 {
		t.Error("no login came through")
	}
	if worst > time.Second {
		t.Errorf("the slowest bearer check took %v", worst)
	}
	t.Logf("%d in, %d told to come back, slowest answer %v, slowest bearer check %v", ok.Load(), busy.Load(), time.Duration(slowest.Load()), worst)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", server.Addr()); err == nil { //nolint:noctx // expected to fail at once
		t.Error("the server still listens after it has stopped")
	}
}
