package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

func (p *program) auditVerifyCommand() *cobra.Command {
	var (
		s       settings
		anchors []string
	)
	command := &cobra.Command{
		Use:   "verify",
		Short: "Tell every record that was edited, moved, removed or put in",
		Long: `Go through the whole journal and tell every record that was edited, moved, removed
or put in. Each record is linked to the one before it, under a key that the database
does not hold in the clear.

Who has the database can still cut off its end. So keep what this command prints last,
or the anchors of the server's log, in another place, and give them with --anchor: the
journal must hold them still.`,
		Example: "  chancery audit verify\n  chancery audit verify --anchor 1042:5f0c…",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			return p.withJournal(command.Context(), s, func(ctx context.Context, journal *chancery.Journal, _ chancery.Config) error {
				report, err := journal.Verify(ctx, nil)
				if err != nil {
					return err
				}
				for _, anchor := range anchors {
					fault, err := checkAnchor(ctx, journal, report.Head, anchor)
					if err != nil {
						return err
					}
					if fault != nil {
						report.Faults = append(report.Faults, *fault)
					}
				}
				return p.showReport(report)
			})
		},
	}
	command.Flags().StringArrayVar(&anchors, "anchor", nil, "RECORD:LINK that was kept elsewhere (repeatable)")
	s.database(command)
	return command
}

// checkAnchor looks for a record that was kept elsewhere; nil when it is as it was.
func checkAnchor(ctx context.Context, journal core.Audit, head core.JournalHead, anchor string) (*core.AuditFault, error) {
	number, text, _ := strings.Cut(anchor, ":")
	sequence, err := strconv.ParseInt(number, 10, 64)
	link, err2 := hex.DecodeString(text)
	if err != nil || err2 != nil || sequence < 1 || len(link) != len(core.Link{}) {
		return nil, usageFault("such as 1042: and the 64 characters that `chancery audit verify` printed", "anchor %q is no RECORD:LINK", anchor)
	}
	if sequence <= head.Base {
		return &core.AuditFault{Sequence: sequence, Words: "it was pruned, so that the anchor cannot be looked for"}, nil
	}
	found, err := journal.FindEvents(ctx, core.EventFilter{}, sequence-1, 1)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0 || found[0].Sequence != sequence:
		return &core.AuditFault{Sequence: sequence, Words: "it is missing, though an anchor has it"}, nil
	case !bytes.Equal(found[0].Link[:], link):
		return &core.AuditFault{Sequence: sequence, Words: "it is another than the anchor has"}, nil
	}
	return nil, nil //nolint:nilnil // no fault, no error
}

func (p *program) showReport(report core.AuditReport) error {
	for _, fault := range report.Faults {
		fmt.Fprintln(p.out, fault)
	}
	if len(report.Faults) > 0 {
		return withHint(fmt.Errorf("the journal does not hold: %s", count(len(report.Faults), "fault")),
			"keep a copy of the database as it is; a backup or an export from before shows what was there")
	}
	fmt.Fprintf(p.out, "%s hold", count(int(report.Records), "record"))
	if report.Erased > 0 {
		fmt.Fprintf(p.out, ", %d without an address or with one that was erased", report.Erased)
	}
	if report.Head.Base > 0 {
		fmt.Fprintf(p.out, "; those up to %d are not kept", report.Head.Base)
	}
	fmt.Fprintf(p.out, "\nanchor %d:%s\n", report.Head.Sequence, hex.EncodeToString(report.Head.Link[:]))
	return nil
}

func (p *program) auditExportCommand() *cobra.Command {
	var (
		s        settings
		filter   auditFilter
		after    int64
		position string
		watch    bool
	)
	command := &cobra.Command{
		Use:   "export",
		Short: "Print records as JSON lines, from where the last export ended",
		Long: `Print records as JSON lines, oldest first. With --position the number of the last one is
kept in a file after it was printed, and the next export goes on behind it: each
record comes at least once, also when an export is cut off.`,
		Example: "  chancery audit export > audit.jsonl\n  chancery audit export --position /var/lib/chancery/exported --follow | vector",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			if position != "" {
				var err error
				if after, err = readPosition(position); err != nil {
					return err
				}
			}
			return p.withJournal(command.Context(), s, func(ctx context.Context, journal *chancery.Journal, config chancery.Config) error {
				wanted, err := filter.filter(ctx, command, journal, config)
				if err != nil {
					return err
				}
				printed := p.printEvents(ctx, "json", newNames(journal))
				export := func(records []core.RecordedEvent) error {
					if err := printed(records); err != nil || position == "" {
						return err
					}
					return writePosition(position, records[len(records)-1].Sequence)
				}
				if watch {
					return follow(ctx, journal, wanted, after, export)
				}
				_, err = drain(ctx, journal, wanted, after, export)
				return err
			})
		},
	}
	filter.flags(command)
	command.Flags().Int64Var(&after, "after", 0, "the number of the record to begin behind")
	command.Flags().StringVar(&position, "position", "", "the file that keeps how far exports have come")
	command.Flags().BoolVar(&watch, "follow", false, "go on with records as they come, until you press Ctrl-C")
	s.database(command)
	return command
}

// readPosition is the number that an export left behind; 0 when there was none yet.
func readPosition(file string) (int64, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	position, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || position < 0 {
		return 0, withHint(fmt.Errorf("position %s: it holds no number of a record", file), "write the number of the last record that was exported into it, or remove it to begin anew")
	}
	return position, nil
}

// writePosition replaces the file, so that it holds one number or the other.
func writePosition(file string, position int64) error {
	next, err := os.CreateTemp(filepath.Dir(file), ".position-*")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(next, position)
	if err = errors.Join(err, next.Sync(), next.Close()); err == nil {
		err = os.Rename(next.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next.Name()))
	}
	return nil
}

func (p *program) auditEraseCommand() *cobra.Command {
	var (
		s       settings
		account accountFlags
		yes     bool
	)
	command := &cobra.Command{
		Use:     "erase LOGIN",
		Short:   "Erase the network addresses from an account's records; the journal still verifies",
		Example: "  chancery audit erase --realm customers ada@example.com",
		Args:    words("LOGIN"),
		RunE: func(command *cobra.Command, args []string) error {
			return p.withJournal(command.Context(), s, func(ctx context.Context, journal *chancery.Journal, config chancery.Config) error {
				name, err := account.name(ctx, command, journal.Registry, config, args[0])
				if err != nil {
					return err
				}
				found, err := journal.Registry.Account(ctx, name)
				if err != nil {
					return err
				}
				if err := p.confirm(yes, "Erase the addresses from all records of %s in realm %s, for good?", found.Login, found.Realm); err != nil {
					return err
				}
				event := core.Event{At: time.Now(), Realm: found.Realm, Account: found.ID, Action: core.ActionAddressesErased, Actor: origin().Actor}
				erased, err := journal.EraseAddresses(ctx, found.Realm, found.ID, event)
				if err != nil {
					return err
				}
				fmt.Fprintf(p.out, "account %s: the addresses of %s are erased\n", found.Login, count(erased, "record"))
				return nil
			})
		},
	}
	account.add(command)
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	s.database(command)
	return command
}

func (p *program) auditPruneCommand() *cobra.Command {
	var (
		s      settings
		before string
		yes    bool
	)
	command := &cobra.Command{
		Use:     "prune",
		Short:   "Remove the records that are older than you have to keep them",
		Example: "  chancery audit export --position exported > audit.jsonl && chancery audit prune --before 400d",
		Args:    words(),
		RunE: func(command *cobra.Command, _ []string) error {
			from, err := parseMoment("before", before, time.Now())
			if err != nil {
				return err
			}
			if from.IsZero() {
				return usageFault("such as --before 400d", "prune needs --before: how long ago, or an instant")
			}
			return p.withJournal(command.Context(), s, func(ctx context.Context, journal *chancery.Journal, _ chancery.Config) error {
				if err := p.confirm(yes, "Remove all records from before %s, for good?", from.UTC().Format(time.RFC3339)); err != nil {
					return err
				}
				event := core.Event{At: time.Now(), Action: core.ActionAuditTrimmed, Actor: origin().Actor}
				removed, err := core.TrimJournal(ctx, journal, from, event)
				fmt.Fprintf(p.out, "%s removed\n", count(removed, "record"))
				return err
			})
		},
	}
	command.Flags().StringVar(&before, "before", "", "what was recorded before then: 400d ago, or an instant")
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	s.database(command)
	return command
}
