package chancery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// An UnknownDialect is the error for a dialect that there is no file of.
type UnknownDialect struct {
	Name  string
	Known []string
}

func (e *UnknownDialect) Error() string {
	return fmt.Sprintf("there is no dialect %q; known are %s", e.Name, strings.Join(e.Known, ", "))
}

const dialectSuffix = ".yaml"

// DialectNames lists the built-in dialects and those of the folder Config.Dialects.
func DialectNames(config Config) ([]string, error) {
	var names []string
	for _, folder := range dialectFolders(config) {
		files, err := fs.Glob(folder.files, "*"+dialectSuffix)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			names = append(names, strings.TrimSuffix(file, dialectSuffix))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// ReadDialect returns a dialect's file and its name: from the folder
// Config.Dialects if it is there, and otherwise a built-in one.
func ReadDialect(config Config, name string) (file string, source []byte, err error) {
	for _, folder := range dialectFolders(config) {
		if source, err = fs.ReadFile(folder.files, name+dialectSuffix); err == nil {
			return filepath.Join(folder.path, name+dialectSuffix), source, nil
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
			return "", nil, fmt.Errorf("dialect %q: %w", name, err)
		}
	}
	known, err := DialectNames(config)
	if err != nil {
		return "", nil, err
	}
	return "", nil, &UnknownDialect{Name: name, Known: known}
}

// ExampleDialects are contracts to begin one's own from, by name: "keystone.yaml".
// They are not served by their names.
func ExampleDialects() fs.FS {
	files, _ := fs.Sub(dialects.Examples, "examples") // which is embedded
	return files
}

// LoadDialect loads the dialect of a mount, with its realm and settings.
func LoadDialect(config Config, mount Mount) (*dialect.Dialect, error) {
	return loadDialect(config, mount, dialect.Options{})
}

// loadDialect completes options by those of the mount.
func loadDialect(config Config, mount Mount, options dialect.Options) (*dialect.Dialect, error) {
	realm, err := core.ParseRealm(mount.Realm)
	if err != nil {
		return nil, err
	}
	file, source, err := ReadDialect(config, mount.Dialect)
	if err != nil {
		return nil, err
	}
	options.Realm, options.Issuer, options.Settings = realm, config.Issuer, mount.Settings
	options.BaseURL = strings.TrimSuffix(config.Issuer, "/") + mount.Prefix
	return dialect.Load(file, source, options)
}

type dialectFolder struct {
	path  string // "" for the built-in ones
	files fs.FS
}

func dialectFolders(config Config) []dialectFolder {
	folders := []dialectFolder{{"", dialects.Files}}
	if config.Dialects != "" {
		folders = slices.Insert(folders, 0, dialectFolder{config.Dialects, os.DirFS(config.Dialects)})
	}
	return folders
}
