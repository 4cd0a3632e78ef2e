package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

func (p *program) keyCommand() *cobra.Command {
	command := &cobra.Command{Use: "key", Short: "Create, approve, revoke and list access keys"}
	command.AddCommand(
		p.keyCreateCommand(), p.keyListCommand(),
		p.keyChangeCommand("approve", "Make a pending access key usable", "approved", (*core.Registry).ApproveAccessKey),
		p.keyChangeCommand("revoke", "End an access key for good, and the tokens got by it", "revoked", (*core.Registry).RevokeAccessKey),
	)
	return group(command)
}

func (p *program) keyCreateCommand() *cobra.Command {
	var (
		s                              settings
		form                           output
		account                        accountFlags
		owner, identifier, name, until string
		attributes                     []string
		active                         bool
	)
	command := &cobra.Command{
		Use:     "create --owner LOGIN",
		Short:   "Create an access key; its secret is shown this once",
		Example: "  chancery key create --realm partners --owner acme --name ci --expires 2027-12-31\n  chancery key approve --realm partners chk_…",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			if owner == "" {
				return usageFault("such as --owner ada@example.com; `chancery account list` shows them", "key create: name the account that the key acts for with --owner")
			}
			expiresAt, err := parseExpiry(until, time.Now())
			if err != nil {
				return err
			}
			return p.withRegistry(command.Context(), s, func(ctx context.Context, registry *core.Registry, config chancery.Config) error {
				info, err := pickRealm(ctx, registry, config, account.realm)
				if err != nil {
					return err
				}
				of, err := account.name(ctx, command, registry, config, owner)
				if err != nil {
					return err
				}
				spec := core.AccessKeySpec{Realm: info.Name, Owner: owner, Tenant: of.Tenant, Identifier: identifier, Name: name, ExpiresAt: expiresAt}
				if active {
					spec.State = core.KeyStateActive
				}
				if spec.Attributes, err = parseAttributes(info, attributes); err != nil {
					return err
				}
				key, secret, err := registry.CreateAccessKey(ctx, spec, origin())
				if core.KindOf(err) == core.Conflict {
					return withHint(fmt.Errorf("realm %s already has an access key %q", info.Name, identifier), "leave --identifier out and one is made")
				} else if err != nil {
					return err
				}
				return p.showNewKey(form, key, secret)
			})
		},
	}
	account.add(command)
	flags := command.Flags()
	flags.StringVar(&owner, "owner", "", "login of the account that the key acts for; required")
	flags.StringVar(&identifier, "identifier", "", "the access key itself (default: one is made in the realm's form)")
	flags.StringVar(&name, "name", "", "what the key is for")
	flags.StringVar(&until, "expires", "", "when it ends: 2027-12-31, 2027-12-31T12:00:00Z or 90d (default: never)")
	flags.StringArrayVar(&attributes, "attribute", nil, "NAME=VALUE as the realm declares it; may be repeated")
	flags.BoolVar(&active, "active", false, "approve it at once; otherwise it is pending until `chancery key approve`")
	form.flag(command)
	s.database(command)
	return command
}

// parseExpiry reads a day, an instant, or a number of days from now on.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); err == nil && n == 1 && days > 0 && text == fmt.Sprintf("%dd", days) {
		return now.AddDate(0, 0, days).Truncate(time.Second), nil
	}
	return time.Time{}, usageFault("such as --expires 2027-12-31, --expires 2027-12-31T12:00:00Z or --expires 90d", "expires %q: this is no date", text)
}

type changeKey func(registry *core.Registry, ctx context.Context, realm core.Realm, identifier string, origin core.Origin) (bool, error)

func (p *program) keyChangeCommand(verb, short, done string, apply changeKey) *cobra.Command {
	var (
		s     settings
		realm string
	)
	command := &cobra.Command{
		Use:     verb + " IDENTIFIER",
		Short:   short,
		Example: "  chancery key " + verb + " --realm partners chk_…",
		Args:    words("IDENTIFIER"),
		RunE: func(command *cobra.Command, args []string) error {
			return p.withRegistry(command.Context(), s, func(ctx context.Context, registry *core.Registry, config chancery.Config) error {
				info, err := pickRealm(ctx, registry, config, realm)
				if err != nil {
					return err
				}
				changed, err := apply(registry, ctx, info.Name, args[0], origin())
				if core.KindOf(err) == core.NotFound {
					return withHint(err, keyHint(args[0]))
				} else if err != nil {
					return err
				}
				return p.say(changed, "access key %s: %s", args[0], done)
			})
		},
	}
	command.Flags().StringVar(&realm, "realm", "", realmUsage)
	s.database(command)
	return command
}

// keyHint looks for what pasting does to an access key.
func keyHint(identifier string) string {
	switch {
	case strings.TrimSpace(identifier) != identifier:
		return "it begins or ends with a blank or a line break: paste it without"
	case strings.ContainsAny(identifier, " \t\n\u00a0"):
		return "there is a blank in it: paste it in one piece"
	case core.LooksLikeSecret(identifier):
		return "this is a secret, not an access key: `chancery key list` shows the keys, and the secret should be replaced now that it was on a command line"
	}
	return "`chancery key list` shows the access keys"
}

func (p *program) keyListCommand() *cobra.Command {
	var (
		s     settings
		form  output
		realm string
	)
	command := &cobra.Command{
		Use:     "list",
		Short:   "List the access keys of a realm",
		Example: "  chancery key list --realm partners",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			return p.withRegistry(command.Context(), s, func(ctx context.Context, registry *core.Registry, config chancery.Config) error {
				info, err := pickRealm(ctx, registry, config, realm)
				if err != nil {
					return err
				}
				views, rows := []keyView{}, [][]string{}
				err = eachKey(ctx, registry, info.Name, func(key core.AccessKey) error {
					owner, err := registry.Accounts.Account(ctx, key.Realm, key.Account)
					if err != nil && core.KindOf(err) != core.NotFound {
						return err
					}
					view := viewKey(key, owner.Login)
					views = append(views, view)
					rows = append(rows, []string{view.Identifier, view.Owner, view.Name, view.State, view.expiry()})
					return nil
				})
				if err != nil {
					return err
				}
				return p.show(form, views, []string{"identifier", "owner", "name", "state", "expires"}, rows)
			})
		},
	}
	command.Flags().StringVar(&realm, "realm", "", realmUsage)
	form.flag(command)
	s.database(command)
	return command
}

// keyView is an access key as it is shown.
type keyView struct {
	ID         core.KeyID      `json:"id"`
	Identifier string          `json:"identifier"`
	Secret     string          `json:"secret,omitempty"` // of a key that was made just now
	Owner      string          `json:"owner,omitempty"`
	Name       string          `json:"name"`
	State      string          `json:"state"` // pending, active, revoked or expired
	Attributes core.Attributes `json:"attributes"`
	CreatedAt  time.Time       `json:"created_at"`
	ExpiresAt  *time.Time      `json:"expires_at"`
}

func viewKey(key core.AccessKey, owner string) keyView {
	view := keyView{
		ID: key.ID, Identifier: key.Identifier, Owner: owner, Name: key.Name, State: string(key.State),
		Attributes: key.Attributes, CreatedAt: key.CreatedAt,
	}
	if !key.ExpiresAt.IsZero() {
		view.ExpiresAt = &key.ExpiresAt
	}
	if core.KindOf(key.Usable(time.Now())) == core.KeyExpired {
		view.State = "expired"
	}
	return view
}

func (v keyView) expiry() string {
	if v.ExpiresAt == nil {
		return "never"
	}
	return v.ExpiresAt.UTC().Format(time.RFC3339)
}

func (p *program) showNewKey(form output, key core.AccessKey, secret core.Secret) error {
	view := viewKey(key, "")
	view.Secret = secret.Reveal()
	rows := [][]string{{view.Identifier, view.Secret, view.State, view.expiry()}}
	if err := p.show(form, view, []string{"identifier", "secret", "state", "expires"}, rows); err != nil {
		return err
	}
	fmt.Fprintln(p.err, "chancery: the secret is shown this once: hand it over, or keep it, now")
	if key.State == core.KeyStatePending {
		fmt.Fprintf(p.err, "chancery: hint: `chancery key approve --realm %s %s` makes the key usable\n", key.Realm, key.Identifier)
	}
	return nil
}
