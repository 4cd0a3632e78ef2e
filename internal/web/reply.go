package web

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Reply writes a short plain answer of the server's own, where no dialect has a say.
func Reply(w http.ResponseWriter, status int, text string) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the client may have gone
}

// WithRetry gives a refusal for overload a time to come back, 1 to 5 s at random
// so that the refused do not all come back at once. Other errors it leaves alone.
func WithRetry(err error) error {
	refusal, ok := errors.AsType[*core.Error](err)
	if !ok || refusal.Kind != core.Unavailable || refusal.RetryAfter > 0 {
		return err
	}
	after := time.Duration(1+rand.IntN(5)) * time.Second //nolint:gosec // jitter is no secret
	return &core.Error{Kind: core.Unavailable, Reason: refusal.Reason, RetryAfter: after, Err: err}
}
