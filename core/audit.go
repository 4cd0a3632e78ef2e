package core

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"time"
)

// A Link binds an audit record to all that were recorded before it (S80).
type Link [sha256.Size]byte

// A RecordedEvent is an event with its place in the journal.
type RecordedEvent struct {
	Sequence int64
	Event
	Link Link
	// Sealed stands for the address in the link, so that the address can be erased
	// and the chain holds (S81). Salt keeps it from being guessed back: it goes when
	// the address goes, and is nil then.
	Sealed Link
	Salt   []byte
}

// Erased reports whether the record's address has been erased.
func (e *RecordedEvent) Erased() bool { return len(e.Salt) == 0 }

// A Chain makes the links of a journal, under a key that is kept outside of it: who
// can write to the database alone cannot make links that hold. It is for one
// goroutine at a time.
type Chain struct{ mac hash.Hash }

// NewChain returns the chain under a key.
func NewChain(key Secret) *Chain {
	return &Chain{hmac.New(sha256.New, []byte(key.Reveal()))}
}

const saltSize = 16 // bytes

// Append makes record the one after previous: its sequence is set already.
func (c *Chain) Append(previous Link, record *RecordedEvent) {
	record.Salt = make([]byte, saltSize)
	_, _ = rand.Read(record.Salt) // which never fails
	record.Sealed = c.seal(record)
	record.Link = c.link(previous, record)
}

// seal is the commitment to the record's address.
func (c *Chain) seal(record *RecordedEvent) (sealed Link) {
	c.mac.Reset()
	c.text(string(record.Salt))
	c.text(addressText(record))
	c.mac.Sum(sealed[:0])
	return sealed
}

func addressText(record *RecordedEvent) string {
	if !record.Address.IsValid() {
		return ""
	}
	return record.Address.String()
}

// link is the record's link: it covers all of the record but the address, which the
// seal stands for. Each text is preceded by its length, so that none runs into the next.
func (c *Chain) link(previous Link, record *RecordedEvent) (link Link) {
	c.mac.Reset()
	_, _ = c.mac.Write(previous[:])
	_, _ = c.mac.Write(record.Sealed[:])
	c.number(record.Sequence)
	c.number(record.At.UnixMicro())
	for _, text := range [...]string{
		string(record.Realm), record.Dialect, string(record.Action), string(record.Outcome), record.Actor,
		string(record.Account), string(record.Key), record.TokenID, string(record.Session), record.RequestID,
	} {
		c.text(text)
	}
	c.mac.Sum(link[:0])
	return link
}

func (c *Chain) number(n int64) {
	var buffer [8]byte
	_, _ = c.mac.Write(binary.BigEndian.AppendUint64(buffer[:0], uint64(n))) //nolint:gosec // any bits will do
}

func (c *Chain) text(text string) {
	c.number(int64(len(text)))
	_, _ = c.mac.Write([]byte(text))
}

// A JournalHead is where a journal begins and ends.
type JournalHead struct {
	Sequence int64 // of the newest record; 0 when there never was one
	Link     Link
	// Base is the place after which the records begin that are kept: what came
	// before was trimmed, or is older than the chain.
	Base     int64
	BaseLink Link
}

// An EventFilter says which records are looked for; the zero value takes all.
type EventFilter struct {
	Realm     Realm
	Account   AccountID
	Key       KeyID
	Action    Action
	Outcome   Kind // the outcome itself, not those below it
	RequestID string
	From, To  time.Time // From is included, To is not; zero is open
	Refused   bool      // only what has an outcome
}

// Audit reads the journal for administrators, and shortens it.
type Audit interface {
	Journal
	// FindEvents returns at most limit records that filter takes, in order of
	// sequence, from after it on.
	FindEvents(ctx context.Context, filter EventFilter, after int64, limit int) ([]RecordedEvent, error)
	// LastEvents returns the newest records that filter takes, at most limit, in
	// order of sequence.
	LastEvents(ctx context.Context, filter EventFilter, limit int) ([]RecordedEvent, error)
	// JournalHead tells where the journal begins and ends.
	JournalHead(ctx context.Context) (JournalHead, error)
	// TrimEvents removes the oldest records before an instant, at most limit of
	// them, and moves the journal's base. Fewer than limit means that none are left.
	TrimEvents(ctx context.Context, before time.Time, limit int) (removed int, err error)
	// EraseAddresses takes the addresses out of an account's records, and the salts
	// of their seals. The event is recorded in the same step.
	EraseAddresses(ctx context.Context, realm Realm, account AccountID, event Event) (erased int, err error)
}

// An AuditFault is what is wrong with a journal.
type AuditFault struct {
	Sequence int64 // of the record that is at fault, or next to what is missing
	Words    string
}

func (f AuditFault) String() string { return fmt.Sprintf("record %d: %s", f.Sequence, f.Words) }

// An AuditReport is what [VerifyJournal] found.
type AuditReport struct {
	Head    JournalHead
	Records int64
	Erased  int64 // whose addresses were erased
	Faults  []AuditFault
}

// maxFaults bounds what a report tells: a journal that is broken throughout says so
// with the first ones.
const maxFaults = 1000

// VerifyJournal reads the whole journal and tells every record that was edited,
// moved, removed or put in (S80). What it calls Erased was erased by its owner's
// wish, or by somebody who had the database: the address alone is gone.
func VerifyJournal(ctx context.Context, journal Audit, chain *Chain, progress func(done, all int64)) (AuditReport, error) {
	head, err := journal.JournalHead(ctx)
	for err == nil {
		var report AuditReport
		if report, err = verifyTo(ctx, journal, chain, head, progress); err != nil {
			return report, err
		}
		base := head.Base
		if head, err = journal.JournalHead(ctx); err == nil && head.Base == base {
			return report, nil // and otherwise it was trimmed meanwhile: once more
		}
	}
	return AuditReport{}, err
}

// verifyTo reads the journal up to what was its head.
func verifyTo(ctx context.Context, journal Audit, chain *Chain, head JournalHead, progress func(done, all int64)) (AuditReport, error) {
	const page = 1000
	v := verification{chain: chain, report: AuditReport{Head: head}, sequence: head.Base, link: head.BaseLink}
	for {
		records, err := journal.FindEvents(ctx, EventFilter{}, v.sequence, page)
		if err != nil {
			return v.report, err
		}
		for i := range records {
			if records[i].Sequence <= head.Sequence { // what was recorded since is for the next time
				v.check(&records[i])
			}
		}
		if progress != nil {
			progress(v.sequence-head.Base, head.Sequence-head.Base)
		}
		if len(records) < page || records[len(records)-1].Sequence >= head.Sequence {
			break
		}
	}
	switch {
	case v.sequence < head.Sequence:
		v.fault(head.Sequence, "the records from %d on are missing", v.sequence+1)
	case v.link != head.Link:
		v.fault(head.Sequence, "it is not the one that the journal ends with")
	}
	return v.report, nil
}

// A verification goes through a journal in order.
type verification struct {
	chain    *Chain
	report   AuditReport
	sequence int64 // of the record before
	link     Link
}

func (v *verification) check(record *RecordedEvent) {
	v.report.Records++
	missing := record.Sequence != v.sequence+1
	if missing {
		v.fault(record.Sequence, "the records from %d to %d are missing before it", v.sequence+1, record.Sequence-1)
	}
	switch {
	case record.Erased():
		v.report.Erased++
		if record.Address.IsValid() {
			v.fault(record.Sequence, "its address was put in")
		}
	case v.chain.seal(record) != record.Sealed:
		v.fault(record.Sequence, "its address was edited")
	}
	if !missing && v.chain.link(v.link, record) != record.Link {
		v.fault(record.Sequence, "it was edited, moved or put in")
	}
	v.sequence, v.link = record.Sequence, record.Link
}

func (v *verification) fault(sequence int64, format string, args ...any) {
	if len(v.report.Faults) < maxFaults {
		v.report.Faults = append(v.report.Faults, AuditFault{sequence, fmt.Sprintf(format, args...)})
	}
}

// TrimJournal removes the records before an instant, the oldest first, and records
// that: event says who did it.
func TrimJournal(ctx context.Context, journal Audit, before time.Time, event Event) (removed int, err error) {
	const step = 1000 // rows in one transaction, which others wait for
	for ctx.Err() == nil {
		if removed == 0 {
			found, err := journal.FindEvents(ctx, EventFilter{To: before}, 0, 1)
			if err != nil || len(found) == 0 {
				return 0, err
			}
			if err := journal.Record(ctx, event); err != nil {
				return 0, err
			}
		}
		some, err := journal.TrimEvents(ctx, before, step)
		removed += some
		if err != nil || some < step {
			return removed, err
		}
	}
	return removed, ctx.Err()
}
