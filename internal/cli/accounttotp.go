package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

func (p *program) accountTOTPCommand() *cobra.Command {
	var (
		s      settings
		form   output
		flags  accountFlags
		remove bool
	)
	command := &cobra.Command{
		Use:   "totp LOGIN",
		Short: "Give an account a second factor (TOTP), or take it away; secret and recovery codes are shown this once",
		Long: `Give an account a second factor, or take it away with --remove.

Its sign-ins by password are then asked for a code of an authenticator app (six
digits, every 30 seconds), or for one of ten recovery codes, each of which works
once. An account whose app is lost: --remove, and then the command again.`,
		Example: "  chancery account totp --realm customers ada@example.com\n  chancery account totp --realm customers --remove ada@example.com",
		Args:    words("LOGIN"),
		RunE: func(command *cobra.Command, args []string) error {
			return p.withRegistry(command.Context(), s, func(ctx context.Context, registry *core.Registry, config chancery.Config) error {
				name, err := flags.name(ctx, command, registry, config, args[0])
				if err != nil {
					return err
				}
				if remove {
					changed, err := registry.RemoveFactor(ctx, name, origin())
					if err != nil {
						return err
					}
					return p.say(changed, "account %s: without a second factor", args[0])
				}
				made, err := registry.EnrollFactor(ctx, name, origin())
				if core.KindOf(err) == core.Conflict {
					return withHint(fmt.Errorf("account %s has a second factor already", args[0]), "take it away first with --remove")
				} else if err != nil {
					return err
				}
				return p.showEnrollment(form, viewEnrollment(args[0], made))
			})
		},
	}
	flags.add(command)
	command.Flags().BoolVar(&remove, "remove", false, "take the second factor away")
	form.flag(command)
	s.database(command)
	return command
}

// enrollmentView is a new second factor as it is shown, once.
type enrollmentView struct {
	Login         string   `json:"login"`
	Secret        string   `json:"secret"`
	URL           string   `json:"url"`
	RecoveryCodes []string `json:"recovery_codes"`
}

func viewEnrollment(login string, made core.Enrollment) *enrollmentView {
	view := &enrollmentView{Login: login, Secret: made.Secret.Reveal(), URL: made.URL.Reveal()}
	for _, code := range made.RecoveryCodes {
		view.RecoveryCodes = append(view.RecoveryCodes, code.Reveal())
	}
	return view
}

func (p *program) showEnrollment(form output, view *enrollmentView) error {
	rows := [][]string{{"account", view.Login}, {"secret", view.Secret}, {"url", view.URL}}
	for _, code := range view.RecoveryCodes {
		rows = append(rows, []string{"recovery code", code})
	}
	if err := p.show(form, view, []string{"second factor", "value"}, rows); err != nil {
		return err
	}
	if form != "json" {
		fmt.Fprintln(p.err, "chancery: this is shown this once: make a QR code of the URL, or type the secret; keep the recovery codes apart")
	}
	return nil
}
