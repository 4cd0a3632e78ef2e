package mail

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/chancery-auth/chancery/core"
)

// Options say what a worker works with.
type Options struct {
	Outbox core.Outbox // required
	// Compose makes a notice out. Its kinds NotFound, Inactive, AlreadyVerified and
	// RateLimited mean that there is nothing to send. Required.
	Compose  func(ctx context.Context, notice core.Notice) (core.Mail, error)
	Sender   Sender           // required
	Log      *slog.Logger     // default: none
	Now      func() time.Time // default time.Now
	Interval time.Duration    // between looks into the outbox; default 1 s
}

const (
	atOnce     = 4                // mails that are under way at the same time
	lease      = time.Minute      // after which another worker may send a notice
	attempt    = 50 * time.Second // for one mail: it ends before the lease does
	afterword  = 5 * time.Second  // to tell the outbox how it went, even at shutdown
	maxAge     = 24 * time.Hour
	firstPause = 10 * time.Second
	maxPause   = time.Hour
)

// A Worker sends the mails of an outbox. Several may share one, on one machine or
// many: each notice is leased.
type Worker struct {
	options Options
	wake    chan struct{}
}

// New makes a worker, which works once it is [Worker.Run].
func New(options Options) *Worker {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Interval <= 0 {
		options.Interval = time.Second
	}
	return &Worker{options: options, wake: make(chan struct{}, 1)}
}

// Wake has Run look into the outbox soon. It never waits.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends. What is under way then is broken off, and is sent again
// when its lease has ended, by whoever runs then.
func (w *Worker) Run(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	ticker := time.NewTicker(w.options.Interval)
	defer ticker.Stop()
	slots := make(chan struct{}, atOnce)
	for ctx.Err() == nil {
		// Nobody else takes slots: what is free stays free.
		for _, notice := range w.lease(ctx, cap(slots)-len(slots)) {
			slots <- struct{}{}
			group.Go(func() {
				w.handle(ctx, notice)
				<-slots
				w.Wake() // there may be more
			})
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-ticker.C:
		}
	}
}

// lease takes at most free notices that are due.
func (w *Worker) lease(ctx context.Context, free int) []core.Notice {
	if free == 0 {
		return nil
	}
	now := w.options.Now()
	notices, err := w.options.Outbox.LeaseNotices(ctx, now, now.Add(lease), free)
	if err != nil && ctx.Err() == nil {
		w.options.Log.ErrorContext(ctx, "outbox cannot be read", "error", err)
	}
	return notices
}

// handle tries one notice and tells the outbox how it went.
func (w *Worker) handle(ctx context.Context, notice core.Notice) {
	log := w.options.Log.With("notice", notice.ID, "realm", notice.Realm, "dialect", notice.Dialect, "request_id", notice.RequestID)
	to, err := w.try(ctx, notice)
	if to != "" {
		log = log.With("to", Mask(to))
	}
	if ctx.Err() != nil && err != nil {
		return // broken off: the lease ends by itself
	}
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterword)
	defer cancel()
	if failure := w.settle(told, log, notice, err); failure != nil {
		log.ErrorContext(ctx, "outbox cannot be told of a mail: it may be sent twice", "error", failure)
	}
}

// errTooOld is the fate of a notice that found no way for a day.
var errTooOld = errors.New("not delivered for a day")

// try returns the address once it is known.
func (w *Worker) try(ctx context.Context, notice core.Notice) (to string, err error) {
	if w.options.Now().Sub(notice.CreatedAt) >= maxAge {
		return "", &SendError{Permanent: true, Err: errTooOld}
	}
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	mail, err := w.options.Compose(ctx, notice)
	if err != nil {
		return "", err
	}
	return mail.To, w.options.Sender.Send(ctx, mail)
}

func (w *Worker) settle(ctx context.Context, log *slog.Logger, notice core.Notice, err error) error {
	switch kind := core.KindOf(err); {
	case err == nil:
		log.InfoContext(ctx, "mail sent")
		return w.options.Outbox.RemoveNotice(ctx, notice.ID, core.Event{})
	case kind == core.NotFound, kind == core.Inactive, kind == core.AlreadyVerified, kind == core.RateLimited:
		return w.options.Outbox.RemoveNotice(ctx, notice.ID, core.Event{}) // core has put it on record
	case permanent(err):
		log.WarnContext(ctx, "mail given up", "error", words(err))
		return w.options.Outbox.RemoveNotice(ctx, notice.ID, w.expiry(notice, err))
	}
	pause := pauseAfter(notice.Attempts)
	log.WarnContext(ctx, "mail not sent yet", "error", words(err), "attempt", notice.Attempts+1, "again_in", pause.Round(time.Second))
	return w.options.Outbox.PostponeNotice(ctx, notice.ID, w.options.Now().Add(pause))
}

// maxWords is how much of an error's words the log takes (S77): they may be those of
// a mail server.
const maxWords = 1 << 10

func words(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	if len(text) <= maxWords {
		return text
	}
	end := maxWords - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// expiry is the audit record of a mail that was given up: Unavailable if no server
// took it in time, NotFound if one refused it for good.
func (w *Worker) expiry(notice core.Notice, err error) core.Event {
	outcome := core.NotFound
	if errors.Is(err, errTooOld) {
		outcome = core.Unavailable
	}
	return core.Event{
		At:        w.options.Now(),
		Realm:     notice.Realm,
		Dialect:   notice.Dialect,
		Action:    core.ActionMailExpired,
		Outcome:   outcome,
		RequestID: notice.RequestID,
	}
}

// pauseAfter doubles from failure to failure; a quarter up or down keeps the mails of
// one outage from coming back all at once.
func pauseAfter(failures int) time.Duration {
	pause := maxPause
	if failures < 9 {
		pause = min(firstPause<<failures, maxPause)
	}
	return time.Duration(float64(pause) * (0.75 + 0.5*rand.Float64())) //nolint:gosec // no secret
}
