package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

func (p *program) accountCommand() *cobra.Command {
	command := &cobra.Command{Use: "account", Short: "Create, list, disable and lock accounts, and give them second factors"}
	command.AddCommand(
		p.accountCreateCommand(), p.accountListCommand(), p.accountTOTPCommand(),
		p.accountChangeCommand("disable", "Shut an account: no new token for it or its access keys, and its old ones end", "disabled", (*core.Registry).DisableAccount),
		p.accountChangeCommand("lock", "Keep sign-ins to an account out; tokens in hand go on", "locked", hold(core.Locked)),
		p.accountChangeCommand("unlock", "Let sign-ins to an account in again", "unlocked", hold("")),
	)
	return group(command)
}

func hold(kind core.Kind) changeAccount {
	return func(registry *core.Registry, ctx context.Context, name core.AccountName, origin core.Origin) (bool, error) {
		return registry.HoldAccount(ctx, name, kind, origin)
	}
}

// accountFlags name an account beside its login.
type accountFlags struct{ realm, tenant string }

const tenantUsage = "the account's tenant, by its id (default: whichever has that login; \"\" is none)"

func (f *accountFlags) add(command *cobra.Command) {
	command.Flags().StringVar(&f.realm, "realm", "", realmUsage)
	command.Flags().StringVar(&f.tenant, "tenant", "", tenantUsage)
}

// name is that of the account with a login, as core knows it.
func (f *accountFlags) name(ctx context.Context, command *cobra.Command, registry *core.Registry, config chancery.Config, login string) (core.AccountName, error) {
	info, err := pickRealm(ctx, registry, config, f.realm)
	given := command.Flags().Changed("tenant")
	return core.AccountName{Realm: info.Name, Tenant: core.Tenancy{ID: f.tenant, Given: given}, Login: login}, err
}

func (p *program) accountCreateCommand() *cobra.Command {
	var (
		s                                 settings
		form                              output
		realm, tenant, email, name        string
		roles, attributes                 []string
		stdin, none, unverified, inactive bool
	)
	command := &cobra.Command{
		Use:     "create LOGIN",
		Short:   "Create an account; the password is asked for, or read from standard input",
		Example: "  chancery account create --realm customers ada@example.com\n  printf '%s\\n' \"$PASSWORD\" | chancery account create --realm customers --password-stdin ada@example.com",
		Args:    words("LOGIN"),
		RunE: func(command *cobra.Command, args []string) error {
			if stdin && none {
				return usageFault("give one of them", "--password-stdin and --no-password contradict each other")
			}
			return p.withRegistry(command.Context(), s, func(ctx context.Context, registry *core.Registry, config chancery.Config) error {
				info, err := pickRealm(ctx, registry, config, realm)
				if err != nil {
					return err
				}
				spec := core.AccountSpec{
					Realm: info.Name, Tenant: core.TenantID(tenant), Login: args[0], Email: email, Name: name, Roles: roles, Active: !inactive, Verified: !unverified,
				}
				if spec.Attributes, err = parseAttributes(info, attributes); err != nil {
					return err
				}
				if !none {
					if spec.Password, err = p.password(stdin); err != nil {
						return err
					}
				}
				account, err := registry.CreateAccount(ctx, spec, origin())
				if core.KindOf(err) == core.Conflict {
					return withHint(fmt.Errorf("realm %s already has an account %q", info.Name, args[0]),
						"change it with `chancery apply`, or disable it with `chancery account disable`")
				} else if err != nil {
					return err
				}
				return p.showAccounts(form, account)
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&realm, "realm", "", realmUsage)
	flags.StringVar(&tenant, "tenant", "", "the id of the tenant that it belongs to (default: none)")
	flags.StringVar(&email, "email", "", "where its mail goes (default: the login, if that is an address)")
	flags.StringVar(&name, "name", "", "the person's or machine's name")
	flags.StringArrayVar(&roles, "role", nil, "a role; may be repeated")
	flags.StringArrayVar(&attributes, "attribute", nil, "NAME=VALUE as the realm declares it; may be repeated")
	flags.BoolVar(&unverified, "unverified", false, "the address has not been verified")
	flags.BoolVar(&inactive, "inactive", false, "create it disabled")
	flags.BoolVar(&stdin, "password-stdin", false, "read the password from standard input")
	flags.BoolVar(&none, "no-password", false, "create it without a password, such as for access keys alone")
	form.flag(command)
	s.database(command)
	return command
}

func (p *program) accountListCommand() *cobra.Command {
	var (
		s     settings
		form  output
		realm string
	)
	command := &cobra.Command{
		Use:     "list",
		Short:   "List the accounts of a realm",
		Example: "  chancery account list --realm customers --output json",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			return p.withRegistry(command.Context(), s, func(ctx context.Context, registry *core.Registry, config chancery.Config) error {
				info, err := pickRealm(ctx, registry, config, realm)
				if err != nil {
					return err
				}
				var accounts []core.Account
				for after := (core.AccountCursor{}); ; {
					page, err := registry.Accounts.AccountList(ctx, info.Name, after, pageSize)
					if err != nil {
						return err
					}
					accounts = append(accounts, page...)
					if len(page) < pageSize {
						return p.showAccounts(form, accounts...)
					}
					last := page[len(page)-1]
					after.ID = last.ID
					if after.Login, err = core.Canonical(last.Login); err != nil {
						return err
					}
				}
			})
		},
	}
	command.Flags().StringVar(&realm, "realm", "", realmUsage)
	form.flag(command)
	s.database(command)
	return command
}

type changeAccount func(registry *core.Registry, ctx context.Context, name core.AccountName, origin core.Origin) (bool, error)

func (p *program) accountChangeCommand(verb, short, done string, apply changeAccount) *cobra.Command {
	var (
		s     settings
		flags accountFlags
	)
	command := &cobra.Command{
		Use:     verb + " LOGIN",
		Short:   short,
		Example: "  chancery account " + verb + " --realm customers ada@example.com",
		Args:    words("LOGIN"),
		RunE: func(command *cobra.Command, args []string) error {
			return p.withRegistry(command.Context(), s, func(ctx context.Context, registry *core.Registry, config chancery.Config) error {
				name, err := flags.name(ctx, command, registry, config, args[0])
				if err != nil {
					return err
				}
				changed, err := apply(registry, ctx, name, origin())
				if err != nil {
					return err
				}
				return p.say(changed, "account %s: %s", args[0], done)
			})
		},
	}
	flags.add(command)
	s.database(command)
	return command
}

// say tells of a change, or that it was so already.
func (p *program) say(changed bool, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if !changed {
		text += " already"
	}
	_, err := fmt.Fprintln(p.out, text)
	return err
}

// accountView is an account as it is shown.
type accountView struct {
	ID         core.AccountID  `json:"id"`
	Tenant     core.TenantID   `json:"tenant,omitempty"`
	Login      string          `json:"login"`
	Email      string          `json:"email"`
	Name       string          `json:"name"`
	Roles      []string        `json:"roles"`
	Attributes core.Attributes `json:"attributes"`
	Active     bool            `json:"active"`
	Verified   bool            `json:"verified"`
	Hold       core.Kind       `json:"hold,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
}

// showAccounts has columns for tenants and holds where there are some.
func (p *program) showAccounts(form output, accounts ...core.Account) error {
	names := []string{"login", "id", "name", "roles", "active", "verified"}
	tenants := slices.ContainsFunc(accounts, func(a core.Account) bool { return a.Tenant != "" })
	holds := slices.ContainsFunc(accounts, func(a core.Account) bool { return a.Hold != "" })
	if tenants {
		names = append(names, "tenant")
	}
	if holds {
		names = append(names, "hold")
	}
	views, rows := make([]accountView, len(accounts)), make([][]string, len(accounts))
	for i, a := range accounts {
		roles := append([]string{}, a.Roles...)
		views[i] = accountView{a.ID, a.Tenant, a.Login, a.Email, a.Name, roles, a.Attributes, a.Active, a.Verified, a.Hold, a.CreatedAt}
		rows[i] = []string{a.Login, string(a.ID), a.Name, strings.Join(a.Roles, ","), yesNo(a.Active), yesNo(a.Verified)}
		if tenants {
			rows[i] = append(rows[i], string(a.Tenant))
		}
		if holds {
			rows[i] = append(rows[i], string(a.Hold))
		}
	}
	return p.show(form, views, names, rows)
}

func yesNo(fact bool) string {
	if fact {
		return "yes"
	}
	return "no"
}

const realmUsage = "the realm (default: the one that the configuration serves, if it is one)"

// pickRealm finds the realm of that name, or the only one that is served.
func pickRealm(ctx context.Context, registry *core.Registry, config chancery.Config, name string) (core.RealmInfo, error) {
	if name == "" {
		served := map[string]bool{}
		for _, mount := range config.Serve {
			served[mount.Realm] = true
			name = mount.Realm
		}
		if len(served) != 1 {
			return core.RealmInfo{}, usageFault(knownRealms(ctx, registry), "name the realm with --realm")
		}
	}
	info, err := registry.Realms.Realm(ctx, core.Realm(name))
	if core.KindOf(err) == core.NotFound {
		return info, withHint(fmt.Errorf("there is no realm %q", name), knownRealms(ctx, registry))
	}
	return info, err
}

func knownRealms(ctx context.Context, registry *core.Registry) string {
	realms, err := registry.Realms.Realms(ctx)
	if err != nil || len(realms) == 0 {
		return "there is no realm yet: declare one in the file of `chancery apply`"
	}
	names := make([]string, len(realms))
	for i, realm := range realms {
		names[i] = string(realm.Name)
	}
	return "there are: " + strings.Join(names, ", ")
}

// parseAttributes reads NAME=VALUE by the types that the realm declares. A list
// is given as several of one name.
func parseAttributes(realm core.RealmInfo, pairs []string) (core.Attributes, error) {
	attributes := core.Attributes{}
	for _, pair := range pairs {
		name, text, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, usageFault("such as --attribute domain=/partners", "attribute %q: want NAME=VALUE", pair)
		}
		var err error
		switch realm.Attributes[name] {
		case core.NumberAttribute:
			attributes[name], err = strconv.ParseFloat(text, 64)
		case core.BooleanAttribute:
			attributes[name], err = strconv.ParseBool(text)
		case core.ListAttribute:
			list, _ := attributes[name].([]any)
			attributes[name] = append(list, text)
		case core.StringAttribute:
			attributes[name] = text
		default:
			return nil, usageFault(fmt.Sprintf("it declares %v; `chancery apply` changes that", slices.Sorted(maps.Keys(realm.Attributes))),
				"attribute %q is not declared by realm %s", name, realm.Name)
		}
		if err != nil {
			return nil, usageFault("", "attribute %q: want a %s, got %q", name, realm.Attributes[name], text)
		}
	}
	return attributes, nil
}
