package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/cli/demo"
	"github.com/chancery-auth/chancery/internal/seed"
)

// demoResources are the paths of the demo's API, one behind each contract.
var demoResources = []struct{ dialect, resource string }{
	{"instant-classification", "/api/v1/classify"},
	{"kyc", "/api/v1/resource"},
	{"datafiniti", "/v4/data"},
	{"pagfast", "/partners"},
}

func (p *program) demoCommand() *cobra.Command {
	var listen, folder string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Show four of the built-in contracts on one port, with sample identities",
		Long: `Show four of the built-in contracts on one port, with sample identities, an API
behind them, and sample clients. Everything is kept in a temporary folder and removed at the
end, unless --dir names one. Nothing else needs to be set up.`,
		Example: "  chancery demo\n  chancery demo --dir ./demo --listen 127.0.0.1:9000",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) (err error) {
			if folder == "" {
				if folder, err = os.MkdirTemp("", "chancery-demo-"); err != nil {
					return err
				}
				defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
			}
			return p.demo(command.Context(), listen, folder)
		},
	}
	command.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "TCP address to show it on; loopback only")
	command.Flags().StringVar(&folder, "dir", "", "folder to keep everything in (default: a temporary one)")
	return command
}

func (p *program) demo(ctx context.Context, listen, folder string) (err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if listen, err = claim(ctx, listen); err != nil {
		return err
	}
	upstream, stop, err := startUpstream(ctx)
	if err != nil {
		return err
	}
	defer stop()
	config := demoConfig(listen, folder, upstream)
	// A folder that is named twice must not lose the first run's log.
	logFile, err := os.OpenFile(filepath.Join(folder, "chancery.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the folder
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	log, err := (&program{err: logFile}).logger("info")
	if err != nil {
		return err
	}
	server, err := chancery.Open(ctx, config, chancery.Options{Log: log, Version: version(), ShowMail: p.showMail})
	if err != nil {
		return openFault(err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	calls, err := prepareDemo(ctx, server, config.Issuer, folder)
	if err != nil {
		return err
	}
	var shown sync.WaitGroup
	shown.Go(func() {
		select {
		case <-server.Ready():
			p.showDemo(config.Issuer, folder, calls)
		case <-ctx.Done():
		}
	})
	err = server.Run(ctx)
	return err
}

// claim finds out, before any work is done, whether the address can be listened
// on, and puts a free port in the place of port 0.
func claim(ctx context.Context, listen string) (string, error) {
	if host, _, err := net.SplitHostPort(listen); err != nil {
		return "", usageFault("such as --listen 127.0.0.1:9000", "listen %q: this is no address", listen)
	} else if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", usageFault("such as --listen 127.0.0.1:9000; `chancery serve` is for others to reach", "listen %q: the demo's passwords are public, it stays on loopback", listen)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func startUpstream(ctx context.Context) (address string, stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: demo.Upstream(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

func demoConfig(listen, folder, upstream string) chancery.Config {
	config := chancery.Config{
		Issuer:        "http://" + listen,
		Listen:        listen,
		AdminListen:   "127.0.0.1:0",
		Database:      "sqlite:" + filepath.Join(folder, "chancery.db"),
		MasterKeyFile: filepath.Join(folder, "master-key.json"),
		Mail:          chancery.MailConfig{Folder: filepath.Join(folder, "mails"), From: "no-reply@chancery.example"},
		Drain:         time.Nanosecond, // nobody balances load on a demo
	}
	for _, shown := range demoResources {
		mount := chancery.Mount{
			Dialect: shown.dialect,
			Protect: []chancery.Protect{{Path: shown.resource, Upstream: upstream}},
		}
		if shown.dialect == "instant-classification" {
			mount.Settings = map[string]any{"frontend_url": config.Issuer} // its mails lead there
		}
		config.Serve = append(config.Serve, mount)
	}
	return config.WithDefaults()
}

// prepareDemo makes the sample identities and writes the sample clients.
func prepareDemo(ctx context.Context, server *chancery.Server, base, folder string) ([]demo.Call, error) {
	var calls []demo.Call
	for i, d := range server.Dialects() {
		if err := seed.Identities(ctx, server.Registry(), d); err != nil {
			return nil, err
		}
		call, err := demo.NewCall(d, base, demoResources[i].resource)
		if err != nil {
			return nil, err
		}
		if err := call.Write(filepath.Join(folder, "samples", d.Name())); err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	return calls, nil
}

func (p *program) showDemo(base, folder string, calls []demo.Call) {
	fmt.Fprintf(p.out, "Chancery serves four contracts at %s until you press Ctrl-C.\n", base)
	for _, call := range calls {
		samples := filepath.Join(folder, "samples", call.Dialect)
		fmt.Fprintf(p.out, "\n%s (%s)\n\n", call.Title, call.Dialect)
		fmt.Fprintf(p.out, "  # get a token\n  %s\n\n", call.Curl())
		fmt.Fprintf(p.out, "  # use it\n  %s\n\n", call.CurlNext())
		fmt.Fprintf(p.out, "  # the same in Python, JavaScript and Go\n  python3 %[1]s/login.py\n  node %[1]s/login.mjs\n  go run %[1]s/login.go\n", samples)
	}
	fmt.Fprintf(p.out, "\nMails are shown here and kept in %s; the log is %s.\n",
		filepath.Join(folder, "mails"), filepath.Join(folder, "chancery.log"))
}

// showMail shows a mail of the demo, which is not sent to anybody.
func (p *program) showMail(mail core.Mail) {
	fmt.Fprintf(p.out, "\nMail to %s\n  %s\n  %s\n  (the link holds for %s, once)\n", plain(mail.To), plain(mail.Subject), mail.Link.Reveal(), mail.Lifetime)
}
