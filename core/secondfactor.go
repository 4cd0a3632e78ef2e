package core

import "time"

// A Factor is the second factor of an account: a secret from which one-time codes
// are made (RFC 6238), with recovery codes in its stead.
type Factor struct {
	Realm      Realm
	Account    AccountID
	Sealed     []byte   // the secret, sealed under the master key (S45)
	LastStep   int64    // the time step of the code used last: none up to it passes again
	Recovery   []Digest // of the recovery codes that are left
	EnrolledAt time.Time
	Version    int64 // counts changes
}

// A Challenge is what somebody gets whose password was right, to come back with
// the second factor.
type Challenge struct {
	Value     Secret
	ExpiresAt time.Time
}

// A Resumption is a challenge with the second factor that it asks for.
type Resumption struct {
	Challenge    Secret
	OTP          Secret // a one-time code
	RecoveryCode Secret
	Origin       Origin
}
