package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/strictyaml"
)

func (p *program) auditCommand() *cobra.Command {
	command := &cobra.Command{Use: "audit", Short: "Read, verify, export and keep the journal of what happened"}
	command.AddCommand(p.auditListCommand(), p.auditFollowCommand(), p.auditVerifyCommand(), p.auditExportCommand(), p.auditEraseCommand(), p.auditPruneCommand())
	return group(command)
}

// withJournal opens the journal, lets use work with it, and closes it.
func (p *program) withJournal(ctx context.Context, s settings, use func(context.Context, *chancery.Journal, chancery.Config) error) (err error) {
	config, err := p.adminConfig(s)
	if err != nil {
		return err
	}
	log, err := p.logger("info")
	if err != nil {
		return err
	}
	journal, err := chancery.OpenJournal(ctx, config, chancery.Options{Log: log})
	if err != nil {
		return masterKeyFault(config, err)
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	return use(ctx, journal, config)
}

// auditFilter are the flags that say which records are looked for.
type auditFilter struct {
	account                                   accountFlags
	login, key, action, outcome, id, from, to string
	refused                                   bool
}

func (f *auditFilter) flags(command *cobra.Command) {
	flags := command.Flags()
	f.account.add(command)
	flags.StringVar(&f.login, "account", "", "the login name of the account that they are about")
	flags.StringVar(&f.key, "access-key", "", "the access key that they are about")
	flags.StringVar(&f.action, "action", "", "what happened, such as exchange or account_disabled")
	flags.StringVar(&f.outcome, "outcome", "", "why it was refused, such as bad_secret; --refused takes all reasons")
	flags.BoolVar(&f.refused, "refused", false, "only what was refused")
	flags.StringVar(&f.id, "request", "", "the id of the request, as replies and logs have it")
	flags.StringVar(&f.from, "since", "", "from then on: 15m, 24h, 7d ago, or an instant such as 2026-12-01T08:00:00Z")
	flags.StringVar(&f.to, "until", "", "before then, in the same forms")
}

// filter is what the flags say. An account or access key makes it one realm's.
func (f *auditFilter) filter(ctx context.Context, command *cobra.Command, journal *chancery.Journal, config chancery.Config) (core.EventFilter, error) {
	filter := core.EventFilter{
		Realm: core.Realm(f.account.realm), Action: core.Action(f.action), Outcome: core.Kind(f.outcome), RequestID: f.id, Refused: f.refused,
	}
	if f.action != "" && !slices.Contains(core.Actions(), filter.Action) {
		return filter, unknownWord("action", f.action, core.Actions())
	}
	if f.outcome != "" && !slices.Contains(core.Kinds(), filter.Outcome) {
		return filter, unknownWord("outcome", f.outcome, core.Kinds())
	}
	var err error
	if filter.From, err = parseMoment("since", f.from, time.Now()); err != nil {
		return filter, err
	}
	if filter.To, err = parseMoment("until", f.to, time.Now()); err != nil {
		return filter, err
	}
	if f.login != "" {
		name, err := f.account.name(ctx, command, journal.Registry, config, f.login)
		if err != nil {
			return filter, err
		}
		account, err := journal.Registry.Account(ctx, name)
		if err != nil {
			return filter, err
		}
		filter.Realm, filter.Account = account.Realm, account.ID
	}
	if f.key != "" {
		info, err := pickRealm(ctx, journal.Registry, config, f.account.realm)
		if err != nil {
			return filter, err
		}
		key, err := journal.Registry.AccessKeys.AccessKeyByIdentifier(ctx, info.Name, f.key)
		if core.KindOf(err) == core.NotFound {
			return filter, withHint(fmt.Errorf("realm %s has no access key %q", info.Name, f.key), keyHint(f.key))
		} else if err != nil {
			return filter, err
		}
		filter.Realm, filter.Key = info.Name, key.ID
	}
	return filter, nil
}

func unknownWord[T ~string](what, given string, all []T) error {
	var known []string
	for _, one := range all {
		known = append(known, string(one))
	}
	slices.Sort(known)
	hint := "it is one of " + strings.Join(known, ", ")
	if near := strictyaml.Nearest(given, known); near != "" {
		hint = fmt.Sprintf("did you mean %s? %s", near, hint)
	}
	return usageFault(hint, "there is no %s %q", what, given)
}

// parseMoment reads how long ago something was, or an instant; "" is the zero time.
func parseMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := parseDays(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usageFault("such as 15m, 24h, 7d, 2026-12-01 or 2026-12-01T08:00:00Z", "%s %q is neither how long ago nor an instant", flag, text)
}

// parseDays reads a duration that may count days.
func parseDays(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		hours, err := time.ParseDuration(days + "h")
		return 24 * hours, err
	}
	return time.ParseDuration(text)
}

func (p *program) auditListCommand() *cobra.Command {
	var (
		s      settings
		form   output
		filter auditFilter
		limit  int
	)
	command := &cobra.Command{
		Use:   "list",
		Short: "List the newest records, oldest first",
		Long: `List the newest records of the journal, oldest first. A record says exactly why
something was refused, though clients are not told.`,
		Example: "  chancery audit list --account ada@example.com --since 24h\n  chancery audit list --refused --realm partners --output json",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			if limit < 1 {
				return usageFault("give a number from 1 on", "limit %d lists nothing", limit)
			}
			return p.withJournal(command.Context(), s, func(ctx context.Context, journal *chancery.Journal, config chancery.Config) error {
				wanted, err := filter.filter(ctx, command, journal, config)
				if err != nil {
					return err
				}
				records, err := journal.LastEvents(ctx, wanted, limit)
				if err != nil {
					return err
				}
				names := newNames(journal)
				views, rows := []eventView{}, [][]string{}
				for _, record := range records {
					view, err := names.view(ctx, record)
					if err != nil {
						return err
					}
					views, rows = append(views, view), append(rows, view.row())
				}
				return p.show(form, views, eventColumns, rows)
			})
		},
	}
	filter.flags(command)
	command.Flags().IntVar(&limit, "limit", 50, "how many at most")
	form.flag(command)
	s.database(command)
	return command
}

// followInterval is how often new records are looked for.
const followInterval = 500 * time.Millisecond

func (p *program) auditFollowCommand() *cobra.Command {
	var (
		s      settings
		filter auditFilter
		form   output
	)
	command := &cobra.Command{
		Use:     "follow",
		Short:   "Print records as they come, until you press Ctrl-C",
		Example: "  chancery audit follow --refused\n  chancery audit follow --output json | jq .",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			if form != "table" && form != "json" {
				return noSuchForm(form)
			}
			return p.withJournal(command.Context(), s, func(ctx context.Context, journal *chancery.Journal, config chancery.Config) error {
				wanted, err := filter.filter(ctx, command, journal, config)
				if err != nil {
					return err
				}
				head, err := journal.JournalHead(ctx)
				if err != nil {
					return err
				}
				return follow(ctx, journal, wanted, head.Sequence, p.printEvents(ctx, form, newNames(journal)))
			})
		},
	}
	filter.flags(command)
	form.flag(command)
	s.database(command)
	return command
}

// printEvents prints records, each on a line of its own.
func (p *program) printEvents(ctx context.Context, form output, names names) func([]core.RecordedEvent) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	return func(records []core.RecordedEvent) error {
		for _, record := range records {
			view, err := names.view(ctx, record)
			if err != nil {
				return err
			}
			if form == "json" {
				err = encoder.Encode(view) //nolint:gosec // the id of an access key is not the key
			} else {
				_, err = fmt.Fprintln(p.out, plain(strings.Join(view.row(), "  ")))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// drain hands on the records that filter takes from after a sequence on, page by
// page, and returns the sequence of the last one.
func drain(ctx context.Context, journal core.Audit, filter core.EventFilter, after int64, take func([]core.RecordedEvent) error) (int64, error) {
	const page = 500
	for {
		records, err := journal.FindEvents(ctx, filter, after, page)
		if err != nil || len(records) == 0 {
			return after, err
		}
		if err := take(records); err != nil {
			return after, err
		}
		after = records[len(records)-1].Sequence
		if len(records) < page {
			return after, nil
		}
	}
}

// follow is drain that waits for records to come, until ctx ends, which is no error.
func follow(ctx context.Context, journal core.Audit, filter core.EventFilter, after int64, take func([]core.RecordedEvent) error) (err error) {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		if after, err = drain(ctx, journal, filter, after, take); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
