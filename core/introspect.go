package core

// An Inquiry is a token that a caller asks about.
type Inquiry struct {
	Token  Secret
	Caller Caller
	Judge  Judge
	Origin Origin
}
