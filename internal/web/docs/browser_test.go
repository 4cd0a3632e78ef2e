package docs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// A browser is Chromium with one tab, and what it complains of.
type browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	asked      []string // the URLs of all requests
}

// watch tells the tab to count what breaks the page's policy.
const watch = `window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber + " " + e.sample));`

func openBrowser(t *testing.T) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		lacking(t, "Chromium is not installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WSURLReadTimeout(2*time.Minute),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // which starts it, for as long as ctx lasts
		t.Fatal(err)
	}
	b := &browser{ctx: ctx}
	b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
		return err
	}))
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	return b
}

// hear keeps what the browser says.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			b.complaints = append(b.complaints, fmt.Sprint(e.Entry.Text, " ", e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	}
}

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// look sets the window's width and the reader's choice of colours.
func (b *browser) look(t *testing.T, width int64, scheme string) {
	t.Helper()
	height := int64(900)
	if width < 500 {
		height = 844
	}
	b.do(t, chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// quiet checks that nothing was complained of, and that nobody else was asked.
func (b *browser) quiet(t *testing.T, host string) {
	t.Helper()
	for _, violation := range evaluate[[]string](t, b, `violations`) {
		t.Errorf("the policy is broken: %s", violation)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complaints {
		t.Errorf("the browser says: %s", complaint)
	}
	for _, address := range b.asked {
		if !strings.HasPrefix(address, host+"/") && !strings.HasPrefix(address, "data:") {
			t.Errorf("another host was asked: %s", address)
		}
	}
	if len(b.asked) == 0 {
		t.Error("no request was seen")
	}
	b.complaints, b.asked = nil, nil
}

// picture keeps what is to be seen in the folder that CHANCERY_TEST_PICTURES names.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("CHANCERY_TEST_PICTURES")
	if folder == "" {
		return
	}
	seen, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), seen, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestBrowser looks at the pages as a reader does, on a phone and on a desk, in the
// light and in the dark: nothing overflows, no policy is broken and no other host asked.
func TestBrowser(t *testing.T) {
	files := shipped(t)
	s := openSite(t, map[string][]byte{"kyc": files["kyc"], "instant-classification": files["instant-classification"], "keystone": files["keystone"]})
	b := openBrowser(t)
	for _, name := range []string{"kyc", "instant-classification", "keystone"} {
		for _, width := range []int64{390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				b.look(t, width, scheme)
				b.do(t, chromedp.Navigate(s.url+"/"+name+"/docs"), chromedp.WaitVisible(chromedp.CSS("h1")))
				if got := evaluate[int64](t, b, `document.documentElement.scrollWidth`); got > width {
					t.Errorf("%s is %d pixels wide on a screen of %d", name, got, width)
				}
				if dark := evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`) != "rgb(255, 255, 255)"; dark != (scheme == "dark") {
					t.Errorf("%s in the %s: dark is %t", name, scheme, dark)
				}
				b.picture(t, fmt.Sprintf("%s-%d-%s", name, width, scheme))
				b.quiet(t, s.url)
			}
		}
	}
	b.do(t, chromedp.Navigate(s.url+"/kyc/docs"), chromedp.Click(chromedp.CSS(`label[for="authenticate-Python"]`), chromedp.NodeVisible),
		chromedp.WaitVisible(chromedp.CSS(`#authenticate code[data-file="call.py"]`)), chromedp.WaitVisible(chromedp.CSS(`.tabs:not(:has(#authenticate-Python)) code[data-file="call.py"]`)),
		chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(`#authenticate code[data-file="call.py"]`))) // it is remembered
	b.quiet(t, s.url)
}

// A typed is what is typed into the element of an id.
type typed struct{ id, text string }

// TestTryItOut signs in with Swagger UI: by the form of an operation, and by the Authorize
// dialogue with each OAuth flow that the OpenAPI file declares.
func TestTryItOut(t *testing.T) {
	files := shipped(t)
	s := openSite(t, map[string][]byte{"kyc": files["kyc"], "oauth2": files["oauth2"]})
	b := openBrowser(t)
	for i, tt := range []struct {
		name, form string // the operation whose form is filled in too, if any
		flows      func(person, app [2]string) [][]typed
	}{
		{"kyc", "operations-Sign_in-post_auth_jwt_login", func(person, _ [2]string) [][]typed {
			return [][]typed{{{"oauth_username", person[0]}, {"oauth_password", person[1]}}}
		}},
		{"oauth2", "", func(person, app [2]string) [][]typed {
			return [][]typed{
				{{"oauth_username", person[0]}, {"oauth_password", person[1]}},
				{{"oauth_username", person[0]}, {"oauth_password", person[1]}, {"client_id_password", app[0]}, {"client_secret_password", app[1]}},
				{{"client_id_clientCredentials", app[0]}, {"client_secret_clientCredentials", app[1]}},
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := s.server.Dialects()[i]
			person, app := credentials(d, s.sample(t, d))
			b.look(t, 1280, "light")
			b.do(t, chromedp.Navigate(s.url+"/"+d.Name()+"/docs/try"))
			if tt.form != "" {
				b.submit(t, "#"+tt.form, person[1])
				b.picture(t, "try-1280")
			}
			for _, all := range tt.flows(person, app) {
				b.authorize(t, all)
			}
			b.picture(t, "authorize-1280-"+tt.name)
			b.quiet(t, s.url)
			b.look(t, 390, "dark")
			b.do(t, chromedp.Navigate(s.url+"/"+d.Name()+"/docs/try"),
				chromedp.Click(chromedp.CSS(".opblock-summary-control"), chromedp.NodeVisible), chromedp.WaitVisible(chromedp.CSS(".execute")))
			if got := evaluate[int64](t, b, `document.documentElement.scrollWidth`); got > 390 {
				t.Errorf("Swagger UI is %d pixels wide on a phone", got)
			}
			b.picture(t, "try-390-dark-"+tt.name)
			b.quiet(t, s.url)
		})
	}
}

// submit signs in by the form of an operation, which is shut: of several none is open.
func (b *browser) submit(t *testing.T, operation, password string) {
	t.Helper()
	field := operation + ` tr[data-property-name="password"] input`
	b.do(t, chromedp.Click(chromedp.CSS(operation+" .opblock-summary-control"), chromedp.NodeVisible), chromedp.WaitVisible(chromedp.CSS(field)))
	evaluate[bool](t, b, "document.querySelector('"+field+"').select() === undefined") // what is made up gives way
	b.do(t, chromedp.SendKeys(chromedp.CSS(field), password),
		chromedp.Click(chromedp.CSS(operation+" .execute"), chromedp.NodeVisible),
		chromedp.WaitVisible(chromedp.CSS(".live-responses-table tbody .response-col_status")))
	if status := evaluate[string](t, b, `document.querySelector(".live-responses-table tbody .response-col_status").innerText`); !strings.HasPrefix(status, "200") {
		t.Errorf("the form's sign-in got %s", status)
	}
}

// authorize signs in by one flow of the Authorize dialogue. Once Swagger UI has a token
// it offers to forget it, which is done: all flows share one.
func (b *browser) authorize(t *testing.T, all []typed) {
	t.Helper()
	const forget = `.modal-ux button[aria-label="Remove authorization"]`
	b.do(t, chromedp.Click(chromedp.CSS(".auth-wrapper .authorize"), chromedp.NodeVisible))
	for _, one := range all {
		b.do(t, chromedp.WaitVisible(chromedp.CSS("#"+one.id)), chromedp.SendKeys(chromedp.CSS("#"+one.id), one.text))
	}
	b.do(t, chromedp.Click(chromedp.CSS(".modal-ux .auth-container:has(#"+all[0].id+") .authorize.button"), chromedp.NodeVisible),
		chromedp.WaitVisible(chromedp.CSS(forget+", .modal-ux .errors")))
	if told := evaluate[string](t, b, `[...document.querySelectorAll(".modal-ux .errors")].map((e) => e.innerText).join()`); told != "" {
		t.Fatalf("by %v Swagger UI says: %s", all, told)
	}
	b.do(t, chromedp.Click(chromedp.CSS(forget), chromedp.NodeVisible), chromedp.WaitVisible(chromedp.CSS("#"+all[0].id)),
		chromedp.Click(chromedp.CSS(".modal-ux .close-modal"), chromedp.NodeVisible))
}

// credentials are those of a sample account, and of an access key if there is one.
func credentials(d *dialect.Dialect, login string) (person, app [2]string) {
	for _, a := range d.Samples().Accounts {
		if a.Account.Login == login {
			person = [2]string{login, a.Password.Reveal()}
		}
	}
	for _, k := range d.Samples().Keys {
		app = [2]string{k.Key.Identifier, k.Secret.Reveal()}
	}
	return person, app
}
