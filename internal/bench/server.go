package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

// What the measured server holds. All accounts share one password and its hash,
// so that seeding a thousand does not take a minute.
const (
	accounts = 1_000
	keys     = 256
	password = "correct horse battery staple"

	passwordRealm = "a"
	keyRealm      = "d"
)

func login(n int) string     { return fmt.Sprintf("user%d@example.com", n%accounts) }
func accessKey(n int) string { return fmt.Sprintf("%040x", n%keys) }
func keySecret(n int) string { return fmt.Sprintf("%048d", n%keys) }

// config is the default configuration, everything on, for two of the contracts.
func config(dir, database, public, admin string) chancery.Config {
	if database == "" {
		database = "sqlite:" + filepath.Join(dir, "chancery.db")
	}
	return chancery.Config{
		Listen:        public,
		AdminListen:   admin,
		Database:      database,
		MasterKeyFile: filepath.Join(dir, "master-key.json"),
		Mail:          chancery.MailConfig{Folder: dir},
		Serve: []chancery.Mount{
			{Dialect: "instant-classification", Realm: passwordRealm, Settings: map[string]any{"frontend_url": "https://app.example.com"}},
			{Dialect: "pagfast", Realm: keyRealm},
		},
	}
}

// seed makes the accounts and access keys.
func seed(ctx context.Context, c chancery.Config) error {
	registry, closer, err := chancery.OpenRegistry(ctx, c, chancery.Options{})
	if err != nil {
		return err
	}
	defer closer.Close()
	origin := core.Origin{Actor: "bench"}
	attributes := map[string]core.AttributeType{"realm": core.StringAttribute, "ca": core.StringAttribute, "cid": core.StringAttribute, "domain": core.StringAttribute}
	for _, realm := range []core.RealmInfo{{Name: passwordRealm}, {Name: keyRealm, Attributes: attributes}} {
		if _, err := registry.PutRealm(ctx, realm, origin); err != nil {
			return err
		}
	}
	hash, err := registry.Passwords.Hash(ctx, passwordRealm, core.NewSecret(password))
	if err != nil {
		return err
	}
	for n := range accounts {
		if _, err := registry.CreateAccount(ctx, core.AccountSpec{Realm: passwordRealm, Login: login(n), Active: true, Verified: true, PasswordHash: hash}, origin); err != nil {
			return err
		}
	}
	_, err = registry.CreateAccount(ctx, core.AccountSpec{Realm: keyRealm, Login: "partner", Active: true, Verified: true, Roles: []string{"Partner"},
		Attributes: core.Attributes{"realm": "Partner", "ca": "0ea70001-0f58-44a2-80ad-953633ff2cc7", "cid": "29263739-2cf8-483d-af15-6151dc8448b4", "domain": "/partners-int"}}, origin)
	if err != nil {
		return err
	}
	for n := range keys {
		if _, _, err := registry.CreateAccessKey(ctx, core.AccessKeySpec{Realm: keyRealm, Owner: "partner", Identifier: accessKey(n), Secret: core.NewSecret(keySecret(n)), State: core.KeyStateActive}, origin); err != nil {
			return err
		}
	}
	return nil
}

// serveChancery is the measured server.
func serveChancery(dir, database, profile string) error {
	if profile != "" {
		file, err := os.Create(profile) //nolint:gosec // named on the command line
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	public, admin := freeAddress(), freeAddress()
	logs, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logs.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	c := chancery.Tune(config(dir, database, public, admin))
	c.Drain = time.Millisecond
	server, err := chancery.Open(ctx, c, chancery.Options{Log: slog.New(slog.NewJSONHandler(logs, nil))})
	if err != nil {
		return err
	}
	defer server.Close()
	failed := make(chan error, 1)
	go func() { failed <- server.Run(ctx) }()
	select {
	case <-server.Ready():
	case err := <-failed:
		return err
	}
	err = say(addresses{Public: server.Addr()})
	stop()
	<-failed
	return err
}

// serveBare is the ceiling of every rate: net/http with nothing behind it. POST
// reads 110 bytes and answers 151; GET answers nothing.
func serveBare() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	answer := make([]byte, 151)
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	return say(addresses{Public: listener.Addr().String()})
}

func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer listener.Close()
	return listener.Addr().String()
}
