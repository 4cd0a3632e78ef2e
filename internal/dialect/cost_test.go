package dialect

import (
	"net/http"
	"net/http/httptest"
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
// 5 µs, by the best of several rounds.
func TestReplyCost(t *testing.T) {
	const rounds, each = 20, 200
	result, w := sampleResult(), &sink{http.Header{}}
	var worst time.Duration
	var name string
	for _, s := range successes(t) {
		best := time.Hour
		for range rounds {
			begun := time.Now()
			for range each {
				if err := s.call.Encode(w.reset(), result); err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
			}
			best = min(best, time.Since(begun)/each)
		}
		if best > worst {
			worst, name = best, s.name
		}
		if best > replyTime && !racing {
			t.Errorf("%s: a reply takes %s, want %s at most", s.name, best, replyTime)
		}
	}
	if name == "" {
		t.Fatal("no success was written")
	}
	t.Logf("the dearest is %s: %s", name, worst)
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
