package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// A MasterKey seals secrets before they are stored: AES-256-GCM, kept as a tink
// keyset in a file outside the database (S45).
type MasterKey struct {
	path string
	aead tink.AEAD
}

const maxKeyFile = 64 << 10

// OpenMasterKey reads the file that [CreateMasterKey] wrote. The error wraps
// [fs.ErrNotExist] when there is none. A file that other users can read is refused.
func OpenMasterKey(path string) (*MasterKey, error) {
	file, err := os.Open(path) //nolint:gosec // the administrator's own setting
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("master key: %w: restore it from where you keep it; only for a database without signing keys make a new one", err)
	}
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	if err := checkAccess(file); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil { // its own words may quote the file
		return nil, fmt.Errorf("master key %s: not a keyset as it was written: restore it from where you keep it", path)
	}
	return newMasterKey(path, handle)
}

// CreateMasterKey makes a master key and writes it to path with mode 0600. The
// error wraps [fs.ErrExist] when there is a file already, which stays as it is.
func CreateMasterKey(path string) (*MasterKey, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	if err := writeNew(path, text.Bytes()); err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return newMasterKey(path, handle)
}

// writeNew writes a file whole or not at all, and never over another one.
func writeNew(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	temporary, err := os.CreateTemp(dir, ".master-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temporary.Name())) }()
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err != nil {
		return err
	}
	if err := os.Link(temporary.Name(), path); err != nil { // unlike a rename, it fails when path is there
		return err
	}
	return syncDir(dir)
}

func syncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the administrator's own setting
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func newMasterKey(path string, handle *keyset.Handle) (*MasterKey, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("master key %s: not a key for AES-256-GCM", path)
	}
	return &MasterKey{path: path, aead: primitive}, nil
}

// Format keeps the key out of logs.
func (*MasterKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[master key]") }

// Seal encrypts plaintext so that it opens only for the same purpose and id. The
// purpose names table and column, the id the row.
func (m *MasterKey) Seal(purpose, id string, plaintext []byte) ([]byte, error) {
	sealed, err := m.aead.Encrypt(plaintext, binding(purpose, id))
	if err != nil {
		return nil, fmt.Errorf("sealing %s %s: %w", purpose, id, err)
	}
	return sealed, nil
}

// Open decrypts what [MasterKey.Seal] returned for the same purpose and id.
func (m *MasterKey) Open(purpose, id string, sealed []byte) ([]byte, error) {
	plaintext, err := m.aead.Decrypt(sealed, binding(purpose, id))
	if err != nil {
		return nil, fmt.Errorf("%s %s: master key %s does not open it: restore the file that was in use when it was stored", purpose, id, m.path)
	}
	return plaintext, nil
}

// binding is one text for each pair: %q leaves no way to shift letters between the two.
func binding(purpose, id string) []byte { return fmt.Appendf(nil, "%q %q", purpose, id) }
