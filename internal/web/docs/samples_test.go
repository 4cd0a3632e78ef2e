package docs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"golang.org/x/net/html"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/dialect/page"
)

// shipped are the files of every dialect that comes with Chancery, and of one that
// has what they lack.
func shipped(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for files, pattern := range map[fs.FS]string{dialects.Files: "*.yaml", dialects.Examples: "examples/*.yaml", os.DirFS("../../dialect/openapi/testdata"): "*.yaml"} {
		names, err := fs.Glob(files, pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			if all[strings.TrimSuffix(path.Base(name), ".yaml")], err = fs.ReadFile(files, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

var commands = map[string][]string{
	"curl": {"sh"}, "Python": {"python3"}, "JavaScript": {"node"}, "Go": {"go", "run"}, "Ruby": {"ruby"},
}

// TestSamples runs what the pages show, each program of each route in each
// language, with credentials that are right.
func TestSamples(t *testing.T) {
	for language, needs := range map[string][]string{"curl": {"curl", "--version"}, "Python": {"python3", "-c", "import requests"}, "JavaScript": {"node", "--version"}, "Ruby": {"ruby", "--version"}} {
		if err := exec.CommandContext(t.Context(), needs[0], needs[1:]...).Run(); err != nil {
			lacking(t, "samples in %s cannot run: %v: %v", language, needs, err)
		}
	}
	s := openSite(t, shipped(t))
	for _, d := range s.server.Dialects() {
		t.Run(d.Name(), func(t *testing.T) {
			shown := s.shownSamples(t, d)
			info := d.Describe()
			for i, route := range info.Routes {
				if !route.Enabled || len(route.OK) == 0 || route.OK[len(route.OK)-1].Status/100 != 2 {
					continue // it never succeeds
				}
				resource := page.Options{Resource: s.url + "/" + d.Name() + behind}
				samples, err := page.Samples(d, i, resource)
				if err != nil {
					t.Fatal(err)
				}
				for n := range samples {
					language := samples[n].Language
					if !slices.Contains(shown, samples[n].Code) {
						t.Errorf("%s %s: the page does not show the sample in %s", route.Methods[0], route.Path, language)
					}
					options := resource
					values := s.values(t, d, i)
					options.Values = func(int) map[string]string { return values }
					if route.Bearer {
						options.Token = s.signIn(t, d, nil)
					}
					real, err := page.Samples(d, i, options)
					if err != nil {
						t.Fatal(err)
					}
					run(t, real[n], route, options.Resource)
				}
			}
		})
	}
}

// shownSamples are the programs on a dialect's page.
func (s *site) shownSamples(t *testing.T, d *dialect.Dialect) []string {
	t.Helper()
	reply, err := http.Get(s.url + "/" + d.Name() + "/docs")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	root, err := html.Parse(reply.Body)
	if err != nil || reply.StatusCode != 200 {
		t.Fatal(reply.Status, err)
	}
	var all []string
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "data-sample" && n.FirstChild != nil {
				all = append(all, n.FirstChild.Data)
			}
		}
	}
	return all
}

func run(t *testing.T, sample page.Sample, route dialect.RouteInfo, resource string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), sample.File)
	if err := os.WriteFile(file, []byte(sample.Code), 0o600); err != nil {
		t.Fatal(err)
	}
	command := append(slices.Clone(commands[sample.Language]), file)
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	last := route.OK[len(route.OK)-1]
	switch {
	case err != nil:
	case strings.Contains(sample.Code, resource):
		if strings.TrimSpace(string(out)) != "well done" {
			err = errors.New("the API behind was not reached")
		}
	case strings.TrimSpace(string(out)) == "" && last.Body != dialect.BodyEmpty && !slices.Equal(route.Methods, []string{"HEAD"}):
		err = errors.New("there is no reply")
	case sample.Language == "curl" && last.Body == dialect.BodyJSON && !hasMembers(out, last.Schema):
		err = fmt.Errorf("the reply is not as %s", last.Example)
	}
	if err != nil {
		t.Errorf("%s %s in %s: %v\n%s\n%s", route.Methods[0], route.Path, sample.Language, err, sample.Code, out)
	}
}

// hasMembers reports whether a JSON object has the members that are always there.
func hasMembers(got []byte, want *dialect.Schema) bool {
	var value any
	if json.Unmarshal(got, &value) != nil {
		return false
	}
	members, isObject := value.(map[string]any)
	return !isObject || !slices.ContainsFunc(want.Members, func(m dialect.Property) bool {
		_, has := members[m.Name]
		return !has && !m.Optional
	})
}

// values are what a route takes that is to succeed.
func (s *site) values(t *testing.T, d *dialect.Dialect, i int) map[string]string {
	t.Helper()
	route := d.Describe().Routes[i]
	values := d.SampleValues(i)
	maps.Copy(values, d.ExampleValues(i))
	s.withSecrets(d, values)
	switch route.Operation {
	case dialect.ResetPassword:
		values["ticket"] = s.ticket(t, d, dialect.RequestRecovery, s.fresh(t, d, func(*core.AccountSpec) {}))
	case dialect.Verify:
		values["ticket"] = s.ticket(t, d, dialect.RequestVerification, s.fresh(t, d, func(a *core.AccountSpec) { a.Verified = false }))
	case dialect.Register:
		s.count++
		values["identifier"] = fmt.Sprintf("new%d-%s", s.count, values["identifier"])
	case dialect.Refresh:
		want := &wanted{fact: "refresh.value"}
		values["refresh"] = s.signIn(t, d, want)
		for _, role := range []string{"client", "client_secret"} { // whoever got it brings it
			if value, ok := want.sent[role]; ok {
				values[role] = value
			}
		}
	case dialect.Introspect, dialect.Revoke:
		if _, ok := values["token"]; ok {
			values["token"] = s.signIn(t, d, nil)
		}
	case dialect.Resume:
		login := s.fresh(t, d, func(a *core.AccountSpec) { a.TOTP = core.NewSecret(totpSecret) })
		values["challenge"] = s.signIn(t, d, &wanted{fact: "challenge.value", login: login})
		code, err := totp.GenerateCode(totpSecret, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		values["otp"] = code
	default:
	}
	return values
}
