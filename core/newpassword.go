package core

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the filter of common passwords
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/FastFilter/xorfilter"
)

// Bounds of passwords: MinPassword in characters (S9), MaxPassword in bytes.
const (
	MinPassword = 8
	MaxPassword = 16 << 10
)

// CheckPassword refuses a new password with PasswordRefused and the reason: one that is
// too short or too long, among the commonest, or made of words that a guesser would
// begin with, such as those of its account (S10). There are no rules of composition.
func CheckPassword(password Secret, own ...string) error {
	text := password.Reveal()
	switch {
	case utf8.RuneCountInString(text) < MinPassword:
		return refusedPassword("the password must have at least %d characters", MinPassword)
	case len(text) > MaxPassword:
		return refusedPassword("the password must have at most %d bytes", MaxPassword)
	case commonPassword(text):
		return refusedPassword("the password is among the most common ones: choose one that nobody else would")
	case madeOf(text, own):
		return refusedPassword("the password is made of the account's or the service's own name: choose another one")
	}
	return nil
}

func refusedPassword(format string, args ...any) error {
	return &Error{Kind: PasswordRefused, Reason: fmt.Sprintf(format, args...)}
}

// ownWords are the words of an account that its password must not be made of.
func (s *AccountSpec) ownWords() []string {
	return []string{"chancery", string(s.Realm), string(s.Tenant), s.Login, s.Email, s.Name}
}

// ownWords is as of a spec.
func (a *Account) ownWords() []string {
	return (&AccountSpec{Realm: a.Realm, Tenant: a.Tenant, Login: a.Login, Email: a.Email, Name: a.Name}).ownWords()
}

// commonPasswords is a filter of common passwords that are long enough, which
// internal/passwordlist makes: 18,000 of them, and one other password in 65,536.
//
//go:embed commonpasswords.filter
var commonPasswords []byte

var commonFilter = sync.OnceValue(func() *xorfilter.BinaryFuse[uint16] {
	filter, err := xorfilter.LoadBinaryFuse[uint16](bytes.NewReader(commonPasswords))
	if err != nil {
		panic("core: the filter of common passwords cannot be read: " + err.Error()) // it is part of the program
	}
	return filter
})

// CommonPasswordKey is the key of a password in the filter; letter case does not count.
func CommonPasswordKey(password string) uint64 {
	sum := sha256.Sum256([]byte(strings.ToLower(password)))
	return binary.BigEndian.Uint64(sum[:8])
}

func commonPassword(text string) bool {
	return len(text) <= 64 && commonFilter().Contains(CommonPasswordKey(text))
}

const (
	leastOwnWord  = 4 // characters: shorter ones are in too many other words
	leastOfOthers = 5 // letters and digits of a password that are not of own words
)

// madeOf reports whether little of a password is left without its account's words,
// whole or in parts.
func madeOf(text string, own []string) bool {
	var words []string
	for _, word := range own {
		words = append(words, strings.ToLower(word))
		words = append(words, strings.FieldsFunc(strings.ToLower(word), notWord)...)
	}
	words = slices.DeleteFunc(words, func(word string) bool { return utf8.RuneCountInString(word) < leastOwnWord })
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	rest, found := strings.ToLower(text), false
	for _, word := range words {
		if strings.Contains(rest, word) {
			rest, found = strings.ReplaceAll(rest, word, " "), true
		}
	}
	return found && len([]rune(strings.Join(strings.FieldsFunc(rest, notWord), ""))) < leastOfOthers
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
