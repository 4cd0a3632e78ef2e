package core

import "context"

// A Client is what a request brings of the application that speaks for its user:
// an access key that is presented beside the account's credential.
type Client struct {
	Identifier string
	Secret     Secret
}

// authenticateClient is the access key of a client, and nil for no client. It does
// the same work for every client that it refuses, with BadClient.
func (a *Authority) authenticateClient(ctx context.Context, client *Client) (*AccessKey, error) {
	if client == nil {
		return nil, nil
	}
	identity, err := a.authenticateKey(ctx, Credential{Identifier: client.Identifier, Secret: client.Secret})
	switch {
	case KindOf(err).IsA(BadCredentials):
		return nil, &Error{Kind: BadClient, Err: err}
	case err != nil:
		return nil, err
	}
	return identity.Key, nil
}
