package core

// A Renewal is a refresh token to be exchanged for new tokens.
type Renewal struct {
	Refresh Secret
	Client  *Client // nil when the request brings none
	Origin  Origin
}
