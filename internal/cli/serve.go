package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
)

func (p *program) serveCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "serve",
		Short: "Serve the dialects of the configuration until TERM or INT",
		Long: `Serve the dialects of the configuration until TERM or INT.

Logs are JSON lines on standard error. At TERM the server reports itself unready,
serves on for the time that drain says, and lets requests under way finish. At HUP
it reads the configuration again and serves the dialects as they now are, without
failing a request; where anything is wrong it says so and serves on as before.`,
		Example: "  chancery serve --config chancery.yaml",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := p.config(s)
			if err != nil {
				return err
			}
			return p.serve(command.Context(), config, s)
		},
	}
	s.flag(command, "issuer", "the server's own address as clients see it", func(c *chancery.Config, v string) { c.Issuer = v })
	s.flag(command, "listen", "TCP address for clients (default 127.0.0.1:8080)", func(c *chancery.Config, v string) { c.Listen = v })
	s.flag(command, "admin-listen", "TCP address of /healthz, /readyz and /metrics (default 127.0.0.1:8081)", func(c *chancery.Config, v string) { c.AdminListen = v })
	s.flag(command, "log-level", "debug, info, warn or error (default info)", func(c *chancery.Config, v string) { c.LogLevel = v })
	s.database(command)
	s.dialects(command)
	return command
}

func (p *program) serve(ctx context.Context, config chancery.Config, s settings) (err error) {
	hangups := make(chan os.Signal, 1) // one that comes during the start waits for its end
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	log, err := p.logger(config.LogLevel)
	if err != nil {
		return err
	}
	if err := chancery.CheckDialects(config); err != nil {
		return configFault(err, hintFor(err))
	}
	config = chancery.Tune(config)
	server, err := chancery.Open(ctx, config, chancery.Options{Log: log, Version: version()})
	if err != nil {
		return openFault(masterKeyFault(config, err))
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	go tellSystemd(ctx, server, log)
	go p.reloadAt(ctx, hangups, server, s, log)
	return server.Run(ctx)
}

// reloadAt reloads the server at each hangup until ctx ends.
func (p *program) reloadAt(ctx context.Context, hangups <-chan os.Signal, server *chancery.Server, s settings, log *slog.Logger) {
	quiet := *p
	quiet.err = io.Discard // the environment is that of the start, which has warned of it
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		config, err := quiet.config(s)
		if err == nil {
			err = server.Reload(ctx, config)
		}
		if err != nil {
			log.ErrorContext(ctx, "not reloaded: serving on as before", "faults", strings.Split(redact(wording(err)), "\n"))
		}
	}
}

// tellSystemd says READY=1 once the server listens and STOPPING=1 when it drains.
func tellSystemd(ctx context.Context, server *chancery.Server, log *slog.Logger) {
	notify := func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			log.WarnContext(ctx, "systemd was not told", "state", state, "error", err.Error())
		}
	}
	select {
	case <-server.Ready():
		notify(daemon.SdNotifyReady)
	case <-ctx.Done():
	}
	<-ctx.Done()
	notify(daemon.SdNotifyStopping)
}

// logger writes JSON lines to standard error.
func (p *program) logger(level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, configFault(fmt.Errorf("log_level: %w", err), configHint)
	}
	return slog.New(slog.NewJSONHandler(p.err, &slog.HandlerOptions{Level: least})), nil
}

// masterKeyFault says what to do where the master key is not there.
func masterKeyFault(config chancery.Config, err error) error {
	if missing, ok := errors.AsType[*fs.PathError](err); ok && missing.Path == config.MasterKeyFile && errors.Is(err, fs.ErrNotExist) {
		return configFault(err, "put the copy of the master key back that you keep apart from the database's backups, or correct master_key_file; without it the keys in the database cannot be opened")
	}
	return err
}

// openFault gives an unknown dialect and faulty dialect files the exit code of
// wrong configuration; what else keeps a server from opening is a failure.
func openFault(err error) error {
	if isConfiguration(err) {
		return configFault(err, hintFor(err))
	}
	return err
}
