package contracttest

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

const uuidPattern = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

// jwtPattern is the form of a signed token: three parts of unpadded base64url.
const jwtPattern = `eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`

func matches(pattern, text string) bool {
	return regexp.MustCompile(`(?s)\A(?:` + pattern + `)\z`).MatchString(text)
}

// find returns the first group of pattern in text, and fails without one.
func find(t *testing.T, pattern, text string) string {
	t.Helper()
	groups := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if groups == nil {
		t.Fatalf("%q does not match %q", clip(text), pattern)
	}
	return groups[1]
}

// A wireToken is a token taken apart without a JWT library.
type wireToken struct {
	header, payload string // decoded
	signature       []byte
}

func decodeToken(t *testing.T, token string) wireToken {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token has %d parts, want 3", len(parts))
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			t.Fatalf("part %d of the token: %v", i, err)
		}
	}
	return wireToken{string(decoded[0]), string(decoded[1]), decoded[2]}
}

// encodeToken joins header and payload as the first two parts of a token.
func encodeToken(header, payload string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
}

// seconds returns the integer claim of that name.
func (w wireToken) seconds(t *testing.T, claim string) int64 {
	t.Helper()
	var n int64
	text := find(t, `"`+claim+`":([0-9]+)[,}]`, w.payload)
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// issuedNow fails unless iat is the current second, give or take the time of a slow login.
func (w wireToken) issuedNow(t *testing.T) int64 {
	t.Helper()
	issued := w.seconds(t, "iat")
	if ahead := issued - time.Now().Unix(); ahead > 1 || ahead < -30 {
		t.Errorf("iat is %d s from now", ahead)
	}
	return issued
}

// pyString writes text as a JSON string as the references do: nothing beyond
// quotes, backslashes and control characters is escaped.
func pyString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			if r < ' ' {
				fmt.Fprintf(&b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}
