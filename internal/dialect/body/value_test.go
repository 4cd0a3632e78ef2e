package body

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, text string) Value {
	t.Helper()
	v, err := ParseJSON([]byte(text), DefaultLimits)
	if err != nil {
		t.Fatalf("ParseJSON(%q): %v", text, err)
	}
	return v
}

func TestMemberMatchesExactly(t *testing.T) {
	// S52: encoding/json would take both for "password".
	v := mustParse(t, `{"Password":"a","paſſword":"b","PASSWORD":"c"}`)
	if got, ok := v.Member("password"); ok {
		t.Errorf("Member(password) = %q, want none", got.Text())
	}
	if got, ok := v.Member("Password"); !ok || got.Text() != "a" {
		t.Errorf("Member(Password) = %q, %v, want a", got.Text(), ok)
	}
	if got, ok := v.MemberFold("password"); !ok || got.Text() != "c" {
		t.Errorf("MemberFold(password) = %q, %v, want c, the last", got.Text(), ok)
	}
	if got, _ := v.MemberFold("Password"); got.Text() != "a" {
		t.Errorf("MemberFold(Password) = %q, want a, the exact one", got.Text())
	}
	if got, ok := v.MemberFold("pasSsword"); ok {
		t.Errorf("MemberFold(pasSsword) = %q, want none: only ASCII folds", got.Text())
	}
}

func TestAt(t *testing.T) {
	v := mustParse(t, `{"auth":{"identity":{"name":"ada"}},"list":[{"a":1}]}`)
	for _, tt := range []struct {
		path []string
		want string
		ok   bool
	}{
		{nil, `{"auth":{"identity":{"name":"ada"}},"list":[{"a":1}]}`, true},
		{[]string{"auth", "identity", "name"}, `"ada"`, true},
		{[]string{"auth", "identity"}, `{"name":"ada"}`, true},
		{[]string{"auth", "name"}, `null`, false},
		{[]string{"auth", "identity", "name", "x"}, `null`, false},
		{[]string{"list", "a"}, `null`, false},
		{[]string{"list", "0", "a"}, `1`, true},
		{[]string{"list", "00", "a"}, `null`, false},
		{[]string{"list", "1"}, `null`, false},
		{[]string{"list", "100"}, `null`, false},
	} {
		got, ok := v.At(tt.path)
		if text := string(AppendJSON(nil, got)); text != tt.want || ok != tt.ok {
			t.Errorf("At(%v) = %s, %v, want %s, %v", tt.path, text, ok, tt.want, tt.ok)
		}
	}
}

func TestAccessorsOfOtherKinds(t *testing.T) {
	for _, text := range []string{`null`, `true`, `1`, `"s"`, `["s"]`, `{"s":"s"}`} {
		v := mustParse(t, text)
		got := map[string]bool{"bool": v.Bool(), "text": v.Text() != "", "number": v.Number() != "",
			"items": v.Items() != nil, "members": v.Members() != nil}
		want := map[string]bool{"bool": v.Kind() == Bool, "text": v.Kind() == String, "number": v.Kind() == Number,
			"items": v.Kind() == List, "members": v.Kind() == Object}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, a %s (-want +got):\n%s", text, v.Kind(), diff)
		}
	}
}

func TestLoneSurrogates(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		lone       bool
	}{
		{`"\ud800"`, "\ufffd", true},
		{`"a\udfffb"`, "a\ufffdb", true},
		{`"\udc00\ud800"`, "\ufffd\ufffd", true},
		{`"\ud800\ud83d\ude00"`, "\ufffd😀", true},
		{`"\ud800\n\u00e9\"\/"`, "\ufffd\né\"/", true},
		{`"\uD83D\uDE00"`, "😀", false},
		{`"\ufffd"`, "\ufffd", false},
		{`"\ud7ff\ue000"`, "\ud7ff\ue000", false},
		{"\"\ufffd\"", "\ufffd", false},
	} {
		v := mustParse(t, tt.text)
		if got, lone := v.Text(), v.LoneSurrogate(); got != tt.want || lone != tt.lone {
			t.Errorf("%s: Text, LoneSurrogate = %q, %v, want %q, %v", tt.text, got, lone, tt.want, tt.lone)
		}
	}
	v := mustParse(t, `{"\ud800":1,"\ud801":2}`)
	if got := len(v.Members()); got != 2 {
		t.Errorf("two names that differ in a lone surrogate alone: %d members, want 2", got)
	}
	if got := v.Members()[0].Name(); got != "\ufffd" {
		t.Errorf("Name() = %q, want U+FFFD", got)
	}
	if _, ok := v.Member("\ufffd"); ok {
		t.Error("Member(U+FFFD) matches a lone surrogate")
	}
}
