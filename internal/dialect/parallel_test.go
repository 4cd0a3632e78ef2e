package dialect

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// TestParallel: calls of one dialect at a time do not meet, neither in what they
// read nor in what they answer.
func TestParallel(t *testing.T) {
	d := load(t, all[0], nil)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 50 {
				name := fmt.Sprintf("user-%d-%d", worker, i)
				c, w, err := serve(d, post("/api/v1/login/access-token", urlForm, "username="+name+"&password=p"+name))
				if err != nil || c.Inputs().Identifier != name || c.Inputs().Secret.Reveal() != "p"+name {
					t.Errorf("Decode() = %v", err)
					return
				}
				token := core.Token{Value: core.NewSecret("token-of-" + name)}
				want := `{"access_token":"token-of-` + name + `","token_type":"bearer"}`
				if err := c.Encode(w, Result{Token: &token}); err != nil || w.Body.String() != want {
					t.Errorf("Encode() = %v, %s", err, w.Body)
				}
				_, w, _ = serve(d, post("/api/v1/reset-password/", jsonTyp, `{"token":"`+name+`","new_password":"`+name[:6]+`"}`))
				if want := `"input":"` + name[:6] + `"`; w.Code != 422 || !strings.Contains(w.Body.String(), want) {
					t.Errorf("Refuse() = %d %s, want %s", w.Code, w.Body, want)
				}
			}
		})
	}
	group.Wait()
}
