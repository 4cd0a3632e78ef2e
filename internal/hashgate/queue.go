package hashgate

import (
	"container/list"
	"context"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/password"
)

// A job is one hash to be computed for a caller that waits.
type job struct {
	realm  core.Realm
	ctx    context.Context //nolint:containedctx // the caller's, to drop the job when it has gone
	like   password.Hash   // what it costs
	work   func(password.Kernel)
	done   chan struct{} // closed when work has returned
	failed error         // set before done is closed

	place *list.Element // in its realm's line while it waits
	taken bool          // by a worker
}

// A queue holds waiting jobs: a line for each realm, and the realms in turn.
type queue struct {
	lines  map[core.Realm]*line // those that are not empty
	turns  *list.List           // of the same lines
	length int                  // of all lines
}

type line struct {
	realm core.Realm
	jobs  list.List
	turn  *list.Element
}

func newQueue() queue { return queue{lines: map[core.Realm]*line{}, turns: list.New()} }

func (q *queue) push(j *job) {
	l := q.lines[j.realm]
	if l == nil {
		l = &line{realm: j.realm}
		l.turn = q.turns.PushBack(l)
		q.lines[j.realm] = l
	}
	j.place = l.jobs.PushBack(j)
	q.length++
}

// remove takes j out of the queue and reports whether it was there.
func (q *queue) remove(j *job) bool {
	if j.place == nil {
		return false
	}
	l := q.lines[j.realm]
	l.jobs.Remove(j.place)
	j.place = nil
	q.length--
	if l.jobs.Len() == 0 {
		q.turns.Remove(l.turn)
		delete(q.lines, j.realm)
	}
	return true
}

// head returns the oldest job of the realm whose turn it is, or nil. The turn
// passes on only when that job is taken, so nothing overtakes one that waits for
// memory.
func (q *queue) head() *job {
	for front := q.turns.Front(); front != nil; front = q.turns.Front() {
		j := front.Value.(*line).jobs.Front().Value.(*job)
		if j.ctx.Err() == nil {
			return j
		}
		q.remove(j) // its caller has gone, and is about to notice
	}
	return nil
}

// take removes the head and passes the turn on.
func (q *queue) take(j *job) {
	q.turns.MoveToBack(q.lines[j.realm].turn)
	q.remove(j)
}

// ahead counts the waiting jobs that come before a new one of realm.
func (q *queue) ahead(realm core.Realm) int {
	own := 0
	if l := q.lines[realm]; l != nil {
		own = l.jobs.Len()
	}
	total := own
	for name, l := range q.lines {
		if name != realm {
			total += min(l.jobs.Len(), own+1)
		}
	}
	return total
}
