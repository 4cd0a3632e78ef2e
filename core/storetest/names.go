package storetest

import (
	"fmt"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// hostilePairs are names that something folds, somewhere, into one: Unicode case,
// normal forms, collations, trimming, LIKE. None is one name to us (S7).
var hostilePairs = [][2]string{
	// case beyond ASCII
	{"\u0131", "i"}, {"\u0130", "i"}, {"\u0130", "\u0131"}, {"\u212a", "k"}, {"\u212a", "K"}, {"ſ", "s"}, {"ß", "ss"}, {"ẞ", "ß"}, {"ẞ", "SS"},
	{"\u00c5", "\u00e5"}, {"\u212b", "\u00e5"}, {"\u212b", "\u00c5"}, {"É", "é"}, {"Ñ", "ñ"}, {"Ö", "ö"}, {"Ü", "ü"}, {"Æ", "æ"}, {"Ø", "ø"}, {"Ž", "ž"},
	{"Σ", "σ"}, {"σ", "ς"}, {"Ω", "ω"}, {"\u2126", "\u03a9"}, {"\u2126", "ω"}, {"Д", "д"}, {"Ё", "ё"}, {"Ա", "ա"}, {"Ⴀ", "ⴀ"}, {"Ꭰ", "ꭰ"},
	{"ǅ", "ǆ"}, {"Ǆ", "ǆ"}, {"ŉ", "ʼn"}, {"𐐀", "𐐨"}, {"Ⅷ", "ⅷ"}, {"Ⓐ", "ⓐ"},
	// normal forms
	{"é", "e\u0301"}, {"å", "a\u030a"}, {"ñ", "n\u0303"}, {"ö", "o\u0308"}, {"가", "\u1100\u1161"}, {"ṩ", "s\u0323\u0307"},
	{"s\u0323\u0307", "s\u0307\u0323"}, {"ﬁ", "fi"}, {"ﬀ", "ff"}, {"ﬃ", "ffi"}, {"æ", "ae"}, {"œ", "oe"}, {"ø", "o"}, {"é", "e"},
	{"²", "2"}, {"①", "1"}, {"½", "1/2"}, {"™", "tm"}, {"℡", "tel"}, {"…", "..."}, {"ª", "a"}, {"㎏", "kg"},
	// widths
	{"Ａ", "A"}, {"ａ", "a"}, {"１", "1"}, {"＠", "@"}, {"．", "."}, {"ｶ", "カ"}, {"－", "-"},
	// scripts that look alike
	{"а", "a"}, {"е", "e"}, {"о", "o"}, {"р", "p"}, {"ο", "o"}, {"Α", "A"}, {"ⅰ", "i"}, {"ℓ", "l"}, {"𝐚", "a"}, {"𝒶", "a"},
	// what is not seen, or trimmed
	{"x\u200d", "x"}, {"x\u200b", "x"}, {"x\ufeff", "x"}, {"\u202ex", "x"}, {"x\u00ad", "x"}, {"x ", "x"}, {" x", "x"},
	{"x\u00a0", "x"}, {"x\u3000", "x"}, {"x\u0301", "x"}, {"x\ufe0f", "x"}, {"x\u2060", "x"},
	// patterns and quotes
	{"x%", "xy"}, {"x_", "xy"}, {"x'", "x''"}, {"x\\", "x\\\\"}, {"x*", "xy"}, {"1", "01"}, {"1", "1.0"}, {"1e1", "10"}, {"-0", "0"}, {"a.b", "ab"}, {"a+b", "a"},
}

// samePairs differ in the case of ASCII letters alone: these are one name.
var samePairs = [][2]string{{"ALICE", "alice"}, {"Bob@Example.ORG", "bob@example.org"}, {"ÄB", "Äb"}, {"Iı", "iı"}, {"K\u0301", "k\u0301"}}

var nameTests = map[string]func(*testing.T, Store){
	"no hostile pair is one account": func(t *testing.T, s Store) {
		withRealms(t, s)
		if len(hostilePairs) < 60 {
			t.Fatalf("%d pairs, want 60", len(hostilePairs))
		}
		for i, pair := range hostilePairs {
			for j, part := range pair {
				id := fmt.Sprintf("%d-%d", i, j)
				login := fmt.Sprintf("u%d-%s-", i, part) // its place among the others does not matter
				if err := s.CreateAccount(t.Context(), account(id, login), at(i, core.ActionAccountCreated)); err != nil {
					t.Errorf("%+q against %+q: %v", pair[j], pair[1-j], err)
					continue
				}
				canonical := get[core.CanonicalLogin](t)(core.Canonical(login))
				if got := get[core.Account](t)(s.AccountByLogin(t.Context(), realm, canonical)); got.ID != core.AccountID(id) {
					t.Errorf("%+q finds the account of %+q", pair[j], pair[1-j])
				}
			}
		}
	},
	"no hostile pair finds the other's account": func(t *testing.T, s Store) {
		withRealms(t, s)
		for i, pair := range hostilePairs {
			login := fmt.Sprintf("v%d%s", i, pair[0])
			must(t, s.CreateAccount(t.Context(), account(fmt.Sprint(i), login), at(i, core.ActionAccountCreated)))
			canonical := get[core.CanonicalLogin](t)(core.Canonical(fmt.Sprintf("v%d%s", i, pair[1])))
			_, err := s.AccountByLogin(t.Context(), realm, canonical)
			wantKind(t, fmt.Sprintf("AccountByLogin(%+q) beside %+q", pair[1], pair[0]), err, core.NotFound)
		}
	},
	"ASCII case alone is folded": func(t *testing.T, s Store) {
		withRealms(t, s)
		for i, pair := range samePairs {
			withAccount(t, s, fmt.Sprint(i), pair[0])
			err := s.CreateAccount(t.Context(), account(fmt.Sprint("again", i), pair[1]), at(i, core.ActionAccountCreated))
			wantKind(t, fmt.Sprintf("CreateAccount(%q) beside %q", pair[1], pair[0]), err, core.Conflict)
		}
	},
	"no hostile pair is one access key": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		pairs := append([][2]string{{"AK", "ak"}}, hostilePairs...)
		for i, pair := range pairs {
			for j, part := range pair {
				id := fmt.Sprintf("%d-%d", i, j)
				identifier := fmt.Sprintf("k%d-%s", i, part)
				if err := s.CreateAccessKey(t.Context(), accessKey(id, "1", identifier), at(i, core.ActionKeyCreated)); err != nil {
					t.Errorf("%+q against %+q: %v", pair[j], pair[1-j], err)
					continue
				}
				if got := get[core.AccessKey](t)(s.AccessKeyByIdentifier(t.Context(), realm, identifier)); got.ID != core.KeyID(id) {
					t.Errorf("%+q finds the key of %+q", pair[j], pair[1-j])
				}
			}
		}
	},
}
