package dialect

import (
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
)

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testOptions() Options {
	return Options{
		Realm: "test", Issuer: "https://issuer.example", BaseURL: "https://api.example",
		Now: func() time.Time { return testTime },
	}
}

// load loads one of the dialects that come with Chancery.
func load(t testing.TB, name string, settings map[string]any) *Dialect {
	t.Helper()
	source, err := dialects.Files.ReadFile(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	options := testOptions()
	options.Settings = settings
	if name == "instant-classification" && settings == nil {
		options.Settings = map[string]any{"frontend_url": "https://app.example"}
	}
	d, err := Load(name+".yaml", source, options)
	if err != nil {
		t.Fatalf("Load(%s):\n%v", name, err)
	}
	return d
}

var all = []string{"instant-classification", "kyc", "datafiniti", "pagfast"}

func TestLoadOwn(t *testing.T) {
	for _, name := range all {
		d := load(t, name, nil)
		for _, w := range d.Warnings() {
			t.Log(w)
		}
		if d.Name() != name || d.Realm() != core.Realm("test") {
			t.Errorf("Load(%s) = %q in realm %q", name, d.Name(), d.Realm())
		}
	}
}

func fileText(t testing.TB, name string) string {
	t.Helper()
	source, err := dialects.Files.ReadFile(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}
