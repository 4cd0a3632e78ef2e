package dialect

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// replyTime is what a reply's template may cost: status, headers and body, written
// into a buffer.
const replyTime = 5 * time.Microsecond

// A written is a route's success, ready to be written again and again.
type written struct {
	name string
	call *Call
}

// successes are the successes of all routes of the shipped dialects that tell of a
// token or of an account.
func successes(tb testing.TB) []written {
	tb.Helper()
	var all []written
	for _, file := range allShipped(tb) {
		d, err := Load(file.name, file.source, file.options)
		if err != nil {
			tb.Fatal(err)
		}
		for _, rt := range d.routes {
			if rt.operation.reply&(inToken|inWhoami|inAccount) == 0 {
				continue
			}
			c := d.call(httptest.NewRequest(http.MethodPost, "/", http.NoBody))
			c.take(rt)
			all = append(all, written{file.name + " " + rt.name(), c})
		}
	}
	return all
}

func sampleResult() Result {
	token := sampleGrant()
	token.Refresh = &core.RefreshToken{Value: core.NewSecret("refresh"), ExpiresAt: testTime.Add(time.Hour)}
	return Result{
		Token: &token, Account: &token.Account,
		Identity: &core.Identity{Account: token.Account, Key: token.Key, IssuedAt: token.IssuedAt, ExpiresAt: token.ExpiresAt},
	}
}

// TestReplyCost wants each success of each shipped dialect to be written within
// 5 µs, by the best of its rounds: those of one success are far apart, so that a
// machine that is busy for a while slows a few of them and not all.
func TestReplyCost(t *testing.T) {
	const least, most, each = 20, 400, 200
	result, w := sampleResult(), &sink{http.Header{}}
	all := successes(t)
	best := make([]time.Duration, len(all))
	for i := range best {
		best[i] = time.Hour
	}
	if len(all) == 0 {
		t.Fatal("no success was written")
	}
	for round := 0; round < least || round < most && slices.Max(best) > replyTime && !racing; round++ {
		for i, s := range all {
			begun := time.Now()
			for range each {
				if err := s.call.Encode(w.reset(), result); err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
			}
			best[i] = min(best[i], time.Since(begun)/each)
		}
	}
	for i, s := range all {
		if best[i] > replyTime && !racing {
			t.Errorf("%s: a reply takes %s, want %s at most", s.name, best[i], replyTime)
		}
		if best[i] == slices.Max(best) {
			t.Logf("the dearest is %s: %s", s.name, best[i])
		}
	}
}

func BenchmarkReply(b *testing.B) {
	result, w := sampleResult(), &sink{http.Header{}}
	for _, s := range successes(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.call.Encode(w.reset(), result); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
