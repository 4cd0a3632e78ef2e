package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

func (p *program) applyCommand() *cobra.Command {
	var (
		s      settings
		file   string
		dryRun bool
		form   output
	)
	command := &cobra.Command{
		Use:   "apply -f identities.yaml",
		Short: "Make realms, tenants, accounts and access keys what a file says",
		Long: `Make realms, tenants, accounts and access keys what a file says, and tell what that changed.

Applied again, the same file changes nothing. What the file does not name is left
alone. A password is set when its account is created and not afterwards; the
secret of an access key or of a second factor that is made is shown once. docs/identities.md
describes the file.`,
		Example: "  chancery apply -f identities.yaml --dry-run\n  chancery apply -f identities.yaml",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			if file == "" {
				return usageFault("`chancery apply -f identities.yaml`; "+manuals+"identities.md describes the file", "apply: name the file with -f")
			}
			parsed, err := p.readIdentities(file)
			if err != nil {
				return err
			}
			return p.withRegistry(command.Context(), s, func(ctx context.Context, registry *core.Registry, _ chancery.Config) error {
				if dryRun {
					registry = dryRegistry(registry)
				}
				changes, err := apply(ctx, registry, parsed)
				if dryRun {
					forget(changes)
				}
				if shown := p.showChanges(form, changes, dryRun); shown != nil {
					return errors.Join(err, shown)
				}
				return err
			})
		},
	}
	command.Flags().StringVarP(&file, "file", "f", "", "the identities file; - reads standard input")
	command.Flags().BoolVar(&dryRun, "dry-run", false, "tell what would change, and change nothing")
	form.flag(command)
	s.database(command)
	return command
}

func (p *program) readIdentities(file string) (identities, error) {
	var source []byte
	var err error
	if file == "-" {
		file = "standard input"
		source, err = io.ReadAll(p.in)
	} else {
		source, err = os.ReadFile(file) //nolint:gosec // the operator names the file
	}
	if err != nil {
		return identities{}, fmt.Errorf("identities: %w", err)
	}
	parsed, err := parseIdentities(file, source)
	if err != nil {
		return identities{}, withHint(err, "nothing was changed; "+manuals+"identities.md describes the file")
	}
	return parsed, nil
}

// withRegistry opens the registry, lets use work with it, and closes it.
func (p *program) withRegistry(ctx context.Context, s settings, use func(context.Context, *core.Registry, chancery.Config) error) (err error) {
	config, err := p.adminConfig(s)
	if err != nil {
		return err
	}
	log, err := p.logger("info")
	if err != nil {
		return err
	}
	registry, closer, err := chancery.OpenRegistry(ctx, config, chancery.Options{Log: log})
	if err != nil {
		return masterKeyFault(config, err)
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	return use(ctx, registry, config)
}

// origin says in the audit log that the change came from the command line.
func origin() core.Origin { return core.Origin{Actor: "cli"} }

// A change is what apply did to one thing.
type change struct {
	Kind       string          `json:"kind"` // realm, tenant, account or access_key
	Realm      string          `json:"realm"`
	Tenant     string          `json:"tenant,omitempty"` // of an account
	Name       string          `json:"name,omitempty"`
	Change     string          `json:"change"` // created, changed or unchanged
	Identifier string          `json:"identifier,omitempty"`
	Secret     string          `json:"secret,omitempty"` // of a key whose secret was made just now
	TOTP       *enrollmentView `json:"totp,omitempty"`   // of an account whose second factor was made just now
}

// apply makes what the file says, in its order, and returns what that changed up
// to the first thing that could not be done.
func apply(ctx context.Context, registry *core.Registry, file identities) (changes []change, err error) {
	for i, entry := range file.Realms {
		realm := core.Realm(entry.Name)
		done, err := applyRealm(ctx, registry, entry.info())
		if err != nil {
			return changes, file.place(fmt.Sprintf("realms[%d]", i), err)
		}
		changes = append(changes, change{Kind: "realm", Realm: entry.Name, Change: done})
		for j, tenant := range entry.Tenants {
			done, err := applyTenant(ctx, registry, realm, tenant)
			if err != nil {
				return changes, file.place(fmt.Sprintf("realms[%d].tenants[%d]", i, j), err)
			}
			changes = append(changes, change{Kind: "tenant", Realm: entry.Name, Name: tenant.ID, Change: done})
		}
		for j, account := range entry.Accounts {
			done, err := applyAccount(ctx, registry, realm, account)
			if err != nil {
				return changes, file.place(fmt.Sprintf("realms[%d].accounts[%d]", i, j), err)
			}
			changes = append(changes, done)
		}
		for j, key := range entry.AccessKeys {
			done, err := applyKey(ctx, registry, realm, key)
			if err != nil {
				return changes, file.place(fmt.Sprintf("realms[%d].access_keys[%d]", i, j), err)
			}
			changes = append(changes, done)
		}
	}
	return changes, nil
}

// place says where in the file stands what could not be done. It keeps the kind of err.
func (f identities) place(path string, err error) error {
	line, column, _ := f.document.Place(path)
	return fmt.Errorf("%s:%d:%d: %s: %w", f.file, line, column, path, err)
}

func outcome(changed bool) string {
	if changed {
		return "changed"
	}
	return "unchanged"
}

func applyRealm(ctx context.Context, registry *core.Registry, info core.RealmInfo) (string, error) {
	_, err := registry.Realms.Realm(ctx, info.Name)
	created := core.KindOf(err) == core.NotFound
	changed, err := registry.PutRealm(ctx, info, origin())
	if created && changed {
		return "created", err
	}
	return outcome(changed), err
}

func applyTenant(ctx context.Context, registry *core.Registry, realm core.Realm, entry tenantEntry) (string, error) {
	current, err := registry.Tenants.Tenant(ctx, realm, core.TenantID(entry.ID))
	created := core.KindOf(err) == core.NotFound
	if err != nil && !created {
		return "", err
	}
	changed, err := registry.PutTenant(ctx, entry.tenant(realm, current), origin())
	if created && changed {
		return "created", err
	}
	return outcome(changed), err
}

func applyAccount(ctx context.Context, registry *core.Registry, realm core.Realm, entry accountEntry) (change, error) {
	done := change{Kind: "account", Realm: string(realm), Tenant: entry.Tenant, Name: entry.Login}
	current, err := registry.Account(ctx, entry.accountName(realm))
	switch core.KindOf(err) {
	case core.NotFound:
		done.Change = "created"
		if current, err = registry.CreateAccount(ctx, entry.spec(realm), origin()); err != nil {
			return done, err
		}
	case "":
		changed, err := registry.UpdateAccount(ctx, entry.specFor(current), origin())
		if done.Change = outcome(changed); err != nil {
			return done, err
		}
	default:
		return done, err
	}
	changed := false
	if changed, done.TOTP, err = applyFactor(ctx, registry, current, entry); changed && done.Change == "unchanged" {
		done.Change = "changed"
	}
	return done, err
}

// applyFactor makes the account's second factor what the entry says. As with a
// password, one that is there stays: the person may have another app by now.
func applyFactor(ctx context.Context, registry *core.Registry, account core.Account, entry accountEntry) (changed bool, made *enrollmentView, err error) {
	name, imported := entry.accountName(account.Realm), entry.TOTPSecret != (core.Secret{})
	switch {
	case entry.TOTP == nil && !imported:
		return false, nil, nil
	case entry.TOTP != nil && !*entry.TOTP:
		changed, err = registry.RemoveFactor(ctx, name, origin())
		return changed, nil, err
	}
	if _, err = registry.Factors.Factor(ctx, account.Realm, account.ID); core.KindOf(err) != core.NotFound {
		return false, nil, err
	}
	if imported {
		err = registry.ImportFactor(ctx, name, entry.TOTPSecret, nil, origin())
		return err == nil, nil, err
	}
	enrollment, err := registry.EnrollFactor(ctx, name, origin())
	if err != nil {
		return false, nil, err
	}
	return true, viewEnrollment(entry.Login, enrollment), nil
}

func applyKey(ctx context.Context, registry *core.Registry, realm core.Realm, entry accessKeyEntry) (change, error) {
	spec := entry.spec(realm)
	done := change{Kind: "access_key", Realm: string(realm), Name: entry.Name, Identifier: entry.Identifier}
	if spec.Identifier == "" {
		known, err := keyByName(ctx, registry, spec)
		if err != nil {
			return done, err
		}
		spec.Identifier, done.Identifier = known, known
	}
	if spec.Identifier != "" {
		current, err := registry.AccessKeys.AccessKeyByIdentifier(ctx, realm, spec.Identifier)
		if err == nil {
			changed, err := registry.UpdateAccessKey(ctx, entry.specFor(current), origin())
			done.Change = outcome(changed)
			return done, err
		} else if core.KindOf(err) != core.NotFound {
			return done, err
		}
	}
	imported := spec.Secret != (core.Secret{})
	key, secret, err := registry.CreateAccessKey(ctx, spec, origin())
	if err != nil {
		return done, err
	}
	done.Change, done.Identifier = "created", key.Identifier
	if !imported {
		done.Secret = secret.Reveal()
	}
	return done, nil
}

// keyByName returns the identifier of the owner's key of that name, "" for none.
func keyByName(ctx context.Context, registry *core.Registry, spec core.AccessKeySpec) (string, error) {
	owner, err := registry.Account(ctx, core.AccountName{Realm: spec.Realm, Tenant: spec.Tenant, Login: spec.Owner})
	if core.KindOf(err) == core.NotFound {
		return "", nil // creation says it better
	} else if err != nil {
		return "", err
	}
	found := ""
	err = eachKey(ctx, registry, spec.Realm, func(key core.AccessKey) error {
		if key.Name != spec.Name || key.Account != owner.ID || key.State == core.KeyStateRevoked && spec.State != core.KeyStateRevoked {
			return nil
		}
		if found != "" {
			return fmt.Errorf("%s has several access keys of the name %q: give the identifier", spec.Owner, spec.Name)
		}
		found = key.Identifier
		return nil
	})
	return found, err
}

const pageSize = 500

func eachKey(ctx context.Context, registry *core.Registry, realm core.Realm, visit func(core.AccessKey) error) error {
	for after := ""; ; {
		keys, err := registry.AccessKeys.AccessKeyList(ctx, realm, after, pageSize)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if err := visit(key); err != nil {
				return err
			}
		}
		if len(keys) < pageSize {
			return nil
		}
		after = keys[len(keys)-1].Identifier
	}
}

// forget takes out what a dry run made up.
func forget(changes []change) {
	for i := range changes {
		changes[i].TOTP = nil
		if c := &changes[i]; c.Secret != "" {
			c.Secret = ""
			if c.Name != "" {
				c.Identifier = ""
			}
		}
	}
}

func (p *program) showChanges(form output, changes []change, dryRun bool) error {
	if form == "json" {
		return p.show(form, changes, nil, nil)
	}
	shown := false
	rows := make([][]string, len(changes))
	for i, c := range changes {
		name := c.Name
		if c.Kind == "access_key" && c.Identifier != "" {
			name = c.Identifier
		}
		shown = shown || c.Secret != ""
		rows[i] = []string{c.Change, c.Kind, c.Realm, name, c.Secret}
	}
	if err := p.show(form, changes, []string{"change", "kind", "realm", "name", "secret"}, rows); err != nil {
		return err
	}
	for _, c := range changes {
		if c.TOTP == nil {
			continue
		}
		if err := p.showEnrollment(form, c.TOTP); err != nil {
			return err
		}
	}
	if shown {
		fmt.Fprintln(p.err, "chancery: the secrets are shown this once: hand them over, or keep them, now")
	}
	if dryRun {
		fmt.Fprintln(p.err, "chancery: this was a dry run: nothing was changed")
	}
	return nil
}
