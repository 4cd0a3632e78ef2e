package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

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
serves on for the time that drain says, and lets requests under way finish.`,
		Example: "  chancery serve --config chancery.yaml",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := p.config(s)
			if err != nil {
				return err
			}
			return p.serve(command.Context(), config)
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

func (p *program) serve(ctx context.Context, config chancery.Config) (err error) {
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
		if missing, ok := errors.AsType[*fs.PathError](err); ok && missing.Path == config.MasterKeyFile && errors.Is(err, fs.ErrNotExist) {
			return configFault(err, "put the copy of the master key back that you keep apart from the database's backups, or correct master_key_file; without it the signing keys in the database cannot be opened")
		}
		return openFault(err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	go tellSystemd(ctx, server, log)
	return server.Run(ctx)
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

// openFault gives an unknown dialect and faulty dialect files the exit code of
// wrong configuration; what else keeps a server from opening is a failure.
func openFault(err error) error {
	if isConfiguration(err) {
		return configFault(err, hintFor(err))
	}
	return err
}
