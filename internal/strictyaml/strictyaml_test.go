package strictyaml

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-auth/chancery/core"
)

type file struct {
	Listen   string        `yaml:"listen"`
	Port     int           `yaml:"port"`
	Quiet    bool          `yaml:"quiet"`
	Wait     time.Duration `yaml:"wait"`
	Until    time.Time     `yaml:"until"`
	Password core.Secret   `yaml:"password"`
	Mail     struct {
		From string `yaml:"from"`
	} `yaml:"mail"`
	Serve []mount           `yaml:"serve"`
	Types map[string]string `yaml:"types"`
}

type mount struct {
	Dialect  string         `yaml:"dialect"`
	Settings map[string]any `yaml:"settings"`
}

func TestDecode(t *testing.T) {
	var got file
	_, err := Decode("x.yaml", []byte("listen: ':80'\nport: 25\nquiet: true\nwait: 5s\nuntil: 2027-01-31\npassword: hunter2\n"+
		"mail: {from: a@b.co}\nserve:\n  - dialect: kyc\n    settings: {lifetime: 2h, deep: {a: [1]}}\ntypes: {ca: string}\n"), &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != ":80" || got.Port != 25 || !got.Quiet || got.Wait != 5*time.Second || got.Until.Year() != 2027 ||
		got.Password.Reveal() != "hunter2" || got.Mail.From != "a@b.co" || got.Serve[0].Settings["lifetime"] != "2h" || got.Types["ca"] != "string" {
		t.Errorf("Decode() = %+v", got)
	}
}

func TestDecodeOfNothing(t *testing.T) {
	for _, source := range []string{"", "\n\n", "# a comment alone\n", "---\n", "null\n"} {
		got := file{Port: 7}
		if _, err := Decode("x.yaml", []byte(source), &got); err != nil || got.Port != 7 {
			t.Errorf("Decode(%q) = %+v, %v, want it left alone", source, got, err)
		}
	}
}

func TestDecodeTellsAllFaults(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"an unknown member, with the nearest", "lisen: x\n", "x.yaml:1:1: lisen: there is no such member; did you mean listen?"},
		{"an unknown member that is like none", "serve: [{zzzzzzz: 1}]\n", "x.yaml:1:10: serve[0].zzzzzzz: there is no such member; there are dialect, settings"},
		{"a member twice", "port: 1\nport: 2\n", "x.yaml:2:1: port: given twice, first in line 1"},
		{"a member twice where anything goes", "serve:\n- settings:\n    a: 1\n    a: 2\n", "x.yaml:4:5: serve[0].settings.a: given twice, first in line 3"},
		{"other types", "port: many\nquiet: 3\nwait: 5\nserve: {}\nmail: x\nlisten: [a]\nuntil: soon\n", `x.yaml:1:7: port: want a whole number, got text
x.yaml:2:8: quiet: want true or false, got a number
x.yaml:3:7: wait: want a duration such as 30s or 5m, got a number
x.yaml:4:8: serve: want a list, got members
x.yaml:5:7: mail: want members, got text
x.yaml:6:9: listen: want text, got a list
x.yaml:7:8: until: want an instant such as 2027-01-31T09:30:00Z, got text`},
		{"a list for the whole", "- a\n", "x.yaml:1:1: the file: want members, got a list"},
		{"a tab", "mail:\n\tfrom: x\n", "x.yaml:2:1: while scanning for the next token: found character that cannot start any token; indent with blanks, not tabs"},
		{"an open bracket", "serve: [\n", "x.yaml:2:1: while parsing a flow node: did not find expected node content"},
		{"two documents", "port: 1\n---\nport: 2\n", "x.yaml: expected single document, found multiple"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode("x.yaml", []byte(tt.source), new(file))
			if err == nil {
				t.Fatal("Decode() = nil")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("Decode() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultsHoldNoValue(t *testing.T) {
	_, err := Decode("x.yaml", []byte("password: [hunter2]\nport: hunter2\nwait: hunter2\n"), new(file))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Decode() = %v, want faults without the value", err)
	}
}

// S76: the parser quotes what it stumbles over, which may be a password that wants
// quotes in YAML.
func TestParserMessagesHoldNoValue(t *testing.T) {
	for _, value := range []string{
		"*hunter2", "*it's-hunter2", "*it's-hunter2's", "!!int hunter2", "!!int 'a`hunter2`'", "!!bool hunter2", "!!float hunter2", "!!timestamp hunter2",
		"!hunter2", "!hunter2 x", "!<hunter2> x", "!a%20hunter2 [x]", "!!hunter2 x", "!!hunter2", "!hunter2!x y", "&a [*a, *hunter2]",
		"!!int [hunter2]", "!!map hunter2", "!!binary hunter2", "%hunter2", "@hunter2", "`hunter2", "hunter2: hunter2", "{? [hunter2] : 1}",
		"!!null hunter2", "'hunter2", "\"\\hunter2\"", "|hunter2", "{<<: hunter2}", "[hunter2", "{hunter2", "<<: *hunter2",
	} {
		refused := false
		for _, member := range []string{"password", "port", "quiet", "serve", "types", "mail", "until", "wait", "nothing"} {
			source := member + ": " + value + "\n"
			if member == "types" {
				source = "types: {a: " + value + "}\n"
			} else if member == "serve" {
				source = "serve: [{settings: {a: " + value + "}}]\n"
			}
			_, err := Decode("x.yaml", []byte(source), new(file))
			refused = refused || err != nil
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Decode(%q) = %v", source, err)
			}
		}
		if !refused {
			t.Errorf("%q is refused nowhere: it shows nothing", value)
		}
	}
	_, err := Decode("x.yaml", []byte("password: *hunter2\n"), new(file))
	if want := "x.yaml:1:11: unknown anchor … referenced"; err == nil || err.Error() != want {
		t.Errorf("Decode() = %v, want %s", err, want)
	}
	_, err = Decode("x.yaml", []byte("serve: [a b\nc: d\n"), new(file))
	if err == nil || !strings.Contains(err.Error(), "expected ',' or ']'") {
		t.Errorf("Decode() = %v, want it to name the characters that it expected", err)
	}
}

func TestPlace(t *testing.T) {
	document, err := Decode("x.yaml", []byte("port: 1\nserve:\n  - dialect: a\n  - settings: {}\n"), new(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path         string
		line, column int
		ok           bool
	}{
		{"port", 1, 1, true},
		{"serve[1].settings", 4, 5, true},
		{"serve[1].dialect", 4, 5, true}, // not given: the list item around it
		{"listen", 0, 0, false},
	} {
		if line, column, ok := document.Place(tt.path); line != tt.line || column != tt.column || ok != tt.ok {
			t.Errorf("Place(%q) = %d, %d, %t, want %d, %d, %t", tt.path, line, column, ok, tt.line, tt.column, tt.ok)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"kyc", "pagfast", "datafiniti", "instant-classification"}
	for _, tt := range []struct{ name, want string }{
		{"pagfst", "pagfast"}, {"PagFast", "pagfast"}, {"kcy", "kyc"}, {"datafinity", "datafiniti"}, {"x", ""}, {"somethingelse", ""},
	} {
		if got := Nearest(tt.name, known); got != tt.want {
			t.Errorf("Nearest(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzDecode: whatever the bytes, a refusal is Faults and each names the file.
func FuzzDecode(f *testing.F) {
	f.Add("listen: x\nserve: [{dialect: a}]\n")
	f.Add("a: &a [*a]\n")
	f.Add("serve: &x [{settings: {a: *x}}]\n")
	f.Fuzz(func(t *testing.T, source string) {
		_, err := Decode("x.yaml", []byte(source), new(file))
		faults, ok := errors.AsType[Faults](err)
		if err == nil {
			return
		}
		if !ok || len(faults) == 0 {
			t.Fatalf("Decode() = %v, want Faults", err)
		}
		for _, fault := range faults {
			if fault.File != "x.yaml" || fault.Message == "" {
				t.Errorf("fault %+v has no file or message", fault)
			}
		}
	})
}
