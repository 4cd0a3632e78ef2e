package core

// A Client is what a request brings of the application that speaks for its user:
// an access key that is presented beside the account's credential.
type Client struct {
	Identifier string
	Secret     Secret
}
