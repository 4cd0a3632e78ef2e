package core

import (
	"errors"
	"fmt"
	"time"
)

// An Error is a refusal or a failure, told by its kind. The text is for logs;
// clients see what their dialect says of the kind.
type Error struct {
	Kind       Kind
	Reason     string        // words for the person who asked, such as why a password is refused
	RetryAfter time.Duration // for RateLimited and Unavailable
	Limit      int           // for RateLimited: how many attempts there are
	Identity   *Identity     // who was refused, for kinds that are told only after the proof; nil otherwise
	Challenge  *Challenge    // for MFARequired
	Err        error         // the cause, for the log
}

func (e *Error) Error() string {
	text := string(e.Kind)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err: "" for nil, Internal for whatever is not an [Error].
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// refuse makes an error of a kind with the words of fmt.Errorf as its cause.
func refuse(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}
