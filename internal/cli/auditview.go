package cli

import (
	"cmp"
	"context"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

// eventView is an audit record as it is shown and exported. Members are never
// renamed: other systems read them.
type eventView struct {
	Sequence  int64          `json:"sequence"`
	At        time.Time      `json:"at"`
	Realm     core.Realm     `json:"realm,omitempty"`
	Dialect   string         `json:"dialect,omitempty"`
	Action    core.Action    `json:"action"`
	Outcome   core.Kind      `json:"outcome,omitempty"` // why it was refused
	Actor     string         `json:"actor,omitempty"`
	Account   core.AccountID `json:"account,omitempty"`
	Login     string         `json:"login,omitempty"` // of the account, as it is now
	Key       core.KeyID     `json:"access_key,omitempty"`
	TokenID   string         `json:"token_id,omitempty"`
	Session   core.SessionID `json:"session,omitempty"`
	Address   string         `json:"address,omitempty"`
	Erased    bool           `json:"address_erased,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
	Link      string         `json:"link"`
}

var eventColumns = []string{"record", "at", "realm", "action", "outcome", "account", "address", "by", "request"}

func viewEvent(e core.RecordedEvent) eventView {
	view := eventView{
		Sequence: e.Sequence, At: e.At, Realm: e.Realm, Dialect: e.Dialect, Action: e.Action, Outcome: e.Outcome, Actor: e.Actor,
		Account: e.Account, Key: e.Key, TokenID: e.TokenID, Session: e.Session, Erased: e.Erased(), RequestID: e.RequestID, Link: hex.EncodeToString(e.Link[:]),
	}
	if e.Address.IsValid() {
		view.Address = e.Address.String()
	}
	return view
}

func (v eventView) row() []string {
	return []string{
		strconv.FormatInt(v.Sequence, 10), v.At.UTC().Format("2006-01-02T15:04:05.000Z"), string(v.Realm), string(v.Action),
		cmp.Or(string(v.Outcome), "ok"), cmp.Or(v.Login, string(v.Account)), v.Address, v.Actor, v.RequestID,
	}
}

// names finds the login names of accounts, each once.
type names struct {
	accounts core.Accounts
	known    map[core.AccountID]string
}

func newNames(journal *chancery.Journal) names {
	return names{journal.Registry.Accounts, map[core.AccountID]string{}}
}

// view is a record with the login name of its account, if there is such an account still.
func (n names) view(ctx context.Context, record core.RecordedEvent) (eventView, error) {
	view := viewEvent(record)
	if view.Account == "" {
		return view, nil
	}
	login, known := n.known[view.Account]
	if !known {
		account, err := n.accounts.Account(ctx, view.Realm, view.Account)
		if err != nil && core.KindOf(err) != core.NotFound {
			return view, err
		}
		login = account.Login
		n.known[view.Account] = login
	}
	view.Login = login
	return view, nil
}
