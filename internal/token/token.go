package token

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
)

// The limits of a token (S35, S36).
const (
	maxToken  = 8 << 10
	maxHeader = 1 << 10
	maxKeyID  = 64
	maxTried  = 3 // keys, for a token without kid
)

// ErrSignature is what [Verify] returns for a token of right form that none of
// the keys signed.
var ErrSignature = errors.New("token: no key of ours made this signature")

// Sign signs payload, byte for byte as it is given. The header holds alg, kid if
// it is wanted, and typ, in this order.
func (k Key) Sign(payload []byte, h Header) (string, error) {
	if k.signers == nil {
		return "", errors.New("token: the key is empty")
	}
	signer, err := k.signers.signer(h)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return signer.sign(payload)
}

// Verify returns the payload of a compact token that one of keys signed with
// algorithm; typ is what its header must say of its type (RFC 9068 section 4), and
// "" takes any. Size and form are checked before anything is computed; errors never
// repeat the token.
func Verify(keys []Key, algorithm, typ, token string) ([]byte, error) {
	header, err := split(token)
	if err != nil {
		return nil, err
	}
	keyID, err := checkHeader(header, algorithm, typ)
	if err != nil {
		return nil, err
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	if err != nil {
		return nil, errors.New("token: not a compact JWS")
	}
	tried := 0
	for _, key := range keys {
		if string(key.algorithm) != algorithm || keyID != "" && key.id != keyID {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		if payload, err := parsed.Verify(key.public); err == nil {
			return payload, nil
		}
	}
	return nil, ErrSignature
}

// split checks the size and the three segments, and returns the header.
func split(token string) ([]byte, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("token: more than %d bytes", maxToken)
	}
	if strings.Count(token, ".") != 2 {
		return nil, errors.New("token: not three parts")
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for _, segment := range []string{header, payload, signature} {
		if !canonical(segment) {
			return nil, errors.New("token: a part is empty or not unpadded base64url")
		}
	}
	if base64.RawURLEncoding.DecodedLen(len(header)) > maxHeader {
		return nil, fmt.Errorf("token: a header of more than %d bytes", maxHeader)
	}
	return base64.RawURLEncoding.DecodeString(header)
}

// digits maps base64url characters to their values, and all else to 255.
var digits = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
	}
	for value, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		table[c] = byte(value)
	}
	return table
}()

// canonical reports whether segment is the one base64url text of its bytes. The
// standard decoder skips line breaks, so that one token would have many texts.
func canonical(segment string) bool {
	for i := range len(segment) {
		if digits[segment[i]] == 255 {
			return false
		}
	}
	if segment == "" {
		return false
	}
	last := digits[segment[len(segment)-1]]
	switch len(segment) % 4 {
	case 1:
		return false
	case 2:
		return last&0b1111 == 0
	case 3:
		return last&0b11 == 0
	}
	return true
}

// checkHeader wants an object of alg, typ and kid alone, all strings, alg to be
// algorithm and typ to be the type that is wanted. What else RFC 7515 knows (crit, b64, jwk, jku, x5u, x5c …) changes
// how a token is to be verified, so its presence is reason enough to refuse.
func checkHeader(header []byte, algorithm, typ string) (keyID string, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(header)) // refuses duplicate names and bad UTF-8
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return "", errors.New("token: the header is not an object")
	}
	hasAlgorithm, hasType := false, typ == ""
	for d.PeekKind() == '"' {
		name, value, err := stringMember(d)
		if err != nil {
			return "", err
		}
		switch name {
		case "alg":
			hasAlgorithm = value == algorithm
		case "typ":
			hasType = typ == "" || sameType(value, typ)
		case "kid":
			if keyID = value; !safeKeyID(keyID) {
				return "", errors.New("token: kid is not 1 to 64 safe characters")
			}
		default:
			return "", errors.New("token: the header has other members than alg, typ and kid")
		}
	}
	if _, err := d.ReadToken(); err != nil { // its closing brace
		return "", errors.New("token: the header is not JSON")
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return "", errors.New("token: something follows the header")
	}
	if !hasAlgorithm {
		return "", fmt.Errorf("token: alg is not %s", algorithm)
	}
	if !hasType {
		return "", fmt.Errorf("token: typ is not %s", typ)
	}
	return keyID, nil
}

// sameType compares media types, which may leave out application/ (RFC 7515 section 4.1.9).
func sameType(got, want string) bool {
	const prefix = "application/"
	if len(got) > len(prefix) && strings.EqualFold(got[:len(prefix)], prefix) {
		got = got[len(prefix):]
	}
	return strings.EqualFold(got, want)
}

func stringMember(d *jsontext.Decoder) (name, value string, err error) {
	t, err := d.ReadToken()
	if err != nil {
		return "", "", errors.New("token: the header is not JSON, or has a name twice")
	}
	name = t.String()
	if t, err = d.ReadToken(); err != nil || t.Kind() != '"' {
		return "", "", errors.New("token: a member of the header is not a string")
	}
	return name, t.String(), nil
}

// safeKeyID: a kid is a name to look up, and harmless wherever it is logged (S35).
func safeKeyID(id string) bool {
	if id == "" || len(id) > maxKeyID {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
		default:
			return false
		}
	}
	return true
}
