package draft

import (
	"errors"
	"fmt"
	"testing"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// FuzzDraft: whatever is given, there is a problem with words, or a file that loads.
func FuzzDraft(f *testing.F) {
	for _, tt := range drafts {
		f.Add(tt.curl, tt.reply, tt.refusal)
	}
	for _, tt := range shapes {
		f.Add(tt.curl, "", "")
	}
	f.Fuzz(func(t *testing.T, curl, reply, refusal string) {
		file, err := draftOf(curl, reply, refusal)
		var problem *Problem
		switch {
		case errors.As(err, &problem):
			if problem.Message == "" || problem.Advice == "" {
				t.Errorf("a problem without words: %+v", problem)
			}
		case err != nil:
			t.Errorf("%v", err)
		default:
			if _, err := load(file); err != nil {
				t.Errorf("the draft does not load: %v\n%s", err, file)
			}
		}
	})
}

// FuzzOpenAPI: likewise for documents.
func FuzzOpenAPI(f *testing.F) {
	f.Add([]byte(fastAPI))
	f.Add([]byte(keyAPI))
	f.Add([]byte(bareAPI))
	f.Add([]byte(rulesAPI))
	f.Fuzz(func(t *testing.T, source []byte) {
		d, err := FromOpenAPI(source, "")
		if err != nil {
			return
		}
		d.Name = "fuzzed"
		file, err := d.File("fuzzed.yaml")
		if err != nil {
			return
		}
		if _, err := load(file); err != nil {
			t.Errorf("the draft does not load: %v\n%s", err, file)
		}
	})
}

func load(file []byte) (*dialect.Dialect, error) {
	return dialect.Load("x.yaml", file, dialect.Options{Realm: "test", Issuer: "https://auth.example.com", BaseURL: "https://auth.example.com"})
}

// takes reports why the dialect does not take what a command sends: its route, its media
// type and its fields, whoever signs in.
func takes(d *dialect.Dialect, curl string) error {
	r, err := CurlRequest(curl)
	if err != nil {
		return err
	}
	call := d.Match(r)
	if call.Err() != nil || call.Redirect() != "" {
		return fmt.Errorf("%w, redirect %q", call.Err(), call.Redirect())
	}
	return call.Decode(r)
}

// draftOf drafts from texts; an empty reply is one that nobody knows.
func draftOf(curl, reply, refusal string) ([]byte, error) {
	d, err := FromCurl(curl)
	if err != nil {
		return nil, err
	}
	d.Name = "fuzzed"
	if reply != "" {
		if d.Success, err = ParseReply(reply); err != nil {
			return nil, err
		}
	}
	if refusal != "" {
		if d.Refusal, err = ParseReply(refusal); err != nil {
			return nil, err
		}
	}
	return d.File("fuzzed.yaml")
}
