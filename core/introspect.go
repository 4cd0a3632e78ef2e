package core

import "context"

// An Inquiry is a token that a caller asks about.
type Inquiry struct {
	Token  Secret
	Of     []string // the policies whose tokens hold; none for all
	Caller Caller
	Judge  Judge
	Origin Origin
}

// Introspect tells a caller whom a token speaks for, and who the caller is. It
// refuses the caller first, then every token that does not hold alike, with
// SubjectInvalid (S87); and then by the inquiry's judge.
func (a *Authority) Introspect(ctx context.Context, inquiry Inquiry) (subject, caller Identity, err error) {
	asking, err := a.caller(ctx, inquiry.Caller, inquiry.Origin)
	switch {
	case err != nil:
		return Identity{}, Identity{}, err
	case asking == nil:
		return Identity{}, Identity{}, refuse(Internal, "nobody asks about a token")
	}
	subject, err = a.Whoami(ctx, inquiry.Token, inquiry.Of...)
	switch {
	case KindOf(err).IsA(Unauthorized):
		return Identity{}, Identity{}, &Error{Kind: SubjectInvalid, Err: err}
	case err != nil:
		return Identity{}, Identity{}, err
	}
	if inquiry.Judge != nil {
		if _, err := inquiry.Judge(Judged{Identity: subject, Caller: asking}); err != nil {
			return Identity{}, Identity{}, err
		}
	}
	return subject, *asking, nil
}

// A Caller is who asks about a token or ends it, where that is not the token
// itself: a bearer or a client, at most one of them.
type Caller struct {
	Bearer   *Secret
	Client   *Client
	ByClient bool // it is for clients to call: who brings none speaks for no client's tokens
}

// caller proves who calls; nil when nobody says who they are.
func (a *Authority) caller(ctx context.Context, c Caller, origin Origin) (*Identity, error) {
	switch {
	case c.Bearer != nil:
		identity, err := a.Whoami(ctx, *c.Bearer)
		return &identity, err
	case c.Client == nil:
		return nil, nil
	}
	identity := Identity{}
	key := AttemptKey{Realm: a.terms.Realm, Identity: c.Client.Identifier, Network: origin.Network()}
	err := a.counted(ctx, key, func() (err error) {
		identity.Client, err = a.authenticateClient(ctx, c.Client)
		return err
	})
	if err != nil {
		return nil, err
	}
	identity.Account, err = a.deps.Recent.RecentAccount(ctx, a.terms.Realm, identity.Client.Account)
	if KindOf(err) == NotFound {
		err = refuse(BadClient, "the account that owns it is gone")
	}
	return &identity, err
}
