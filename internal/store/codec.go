package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chancery-auth/chancery/core"
)

// row is *sql.Row and *sql.Rows.
type row interface{ Scan(dest ...any) error }

// micros and instant are how instants are stored: both engines keep the same
// integer, and 0 is the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func now() int64 { return time.Now().UnixMicro() }

// blob is bytes as a column holds them that is not null.
func blob(bytes []byte) []byte {
	if bytes == nil {
		return []byte{}
	}
	return bytes
}

// encode writes a list or map as JSON text; an empty one is read back as nil.
func encode[T []string | core.Attributes | core.Granted | map[string]core.AttributeType](value T) (string, error) {
	if len(value) == 0 {
		return "", nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("store: %w", err)
	}
	return string(text), nil
}

// errStored is a value in the database that the store did not write.
var errStored = errors.New("what is stored cannot be read")

func decode[T any](text string, into *T) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("%w: %w", errStored, err)
	}
	return nil
}

// plain makes foreign text fit for both engines: an audit record must not be
// lost because a client sent bytes that PostgreSQL refuses.
func plain(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
