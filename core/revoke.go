package core

// A Caller is who asks about a token or ends it, where that is not the token
// itself: a bearer or a client, at most one of them.
type Caller struct {
	Bearer *Secret
	Client *Client
}

// A Revocation is a token whose session is to end.
type Revocation struct {
	Token  Secret
	Own    bool // the token is the caller's own bearer token
	Caller Caller
	Judge  Judge
	Origin Origin
}
