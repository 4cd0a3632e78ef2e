package chancery

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/chancery-auth/chancery/internal/strictyaml"
)

// ConfigPaths are where [LoadConfig] looks when it is given no file.
var ConfigPaths = []string{"chancery.yaml", "/etc/chancery/chancery.yaml"}

const envPrefix = "CHANCERY_"

// secretVariables may be given as the name of a file that holds the value, too:
// the database's URL can hold a password.
var secretVariables = []string{envPrefix + "MAIL_PASSWORD", envPrefix + "DATABASE"}

// A LoadedConfig is a Config as it was found, before its defaults, with where
// each part of it came from.
type LoadedConfig struct {
	Config
	File     string   // "" when there was none
	Warnings []string // variables that nobody reads
	document strictyaml.Document
	fromEnv  map[string]string // variable by path
}

// LoadConfig reads the file, or the first of [ConfigPaths] that is there when
// file is "", and lays the environment over it. The error holds one line for
// each fault, with its place. It does not validate: see [LoadedConfig.Check].
func LoadConfig(file string, environ []string) (LoadedConfig, error) {
	loaded := LoadedConfig{fromEnv: map[string]string{}}
	source, err := loaded.read(file)
	if err != nil {
		return loaded, err
	}
	var faults []error
	if loaded.document, err = strictyaml.Decode(loaded.File, source, &loaded.Config); err != nil {
		faults = append(faults, err)
	}
	faults = append(faults, loaded.overlay(environ)...)
	return loaded, errors.Join(faults...)
}

func (l *LoadedConfig) read(file string) ([]byte, error) {
	candidates := ConfigPaths
	if file != "" {
		candidates = []string{file}
	}
	for _, path := range candidates {
		source, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		switch {
		case err == nil:
			l.File = path
			return source, nil
		case file != "" || !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("configuration: %w", err)
		}
	}
	return nil, nil
}

// overlay sets what the environment gives. Each variable is parsed by itself, so
// that a fault names the variable.
func (l *LoadedConfig) overlay(environ []string) (faults []error) {
	variables, faults := readVariables(environ)
	paths := variablePaths(reflect.TypeFor[Config](), "", envPrefix)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		path, known := paths[name]
		if !known {
			l.warn(name, slices.Sorted(maps.Keys(paths)))
			continue
		}
		options := env.Options{Prefix: envPrefix, Environment: map[string]string{name: variables[name]}}
		if err := env.ParseWithOptions(&l.Config, options); err != nil {
			faults = append(faults, fmt.Errorf("%s: want %s", name, wanted(err)))
			continue
		}
		l.fromEnv[path] = name
	}
	return faults
}

// readVariables collects what begins with the prefix and is not empty, and reads
// the files that secrets are kept in.
func readVariables(environ []string) (variables map[string]string, faults []error) {
	variables = map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, envPrefix) && value != "" {
			variables[name] = value
		}
	}
	for _, name := range secretVariables {
		path, ok := variables[name+"_FILE"]
		if !ok {
			continue
		}
		delete(variables, name+"_FILE")
		if _, both := variables[name]; both {
			faults = append(faults, fmt.Errorf("%s: given beside %s_FILE: give one of them", name, name))
			continue
		}
		value, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			faults = append(faults, fmt.Errorf("%s_FILE: %w", name, err))
			continue
		}
		variables[name] = strings.TrimRight(string(value), "\r\n")
	}
	return variables, faults
}

// variablePaths maps each variable to its field's path in the file.
func variablePaths(config reflect.Type, path, prefix string) map[string]string {
	paths := map[string]string{}
	for field := range config.Fields() {
		member := path + field.Tag.Get("yaml")
		if below, ok := field.Tag.Lookup("envPrefix"); ok {
			maps.Copy(paths, variablePaths(field.Type, member+".", prefix+below))
		} else if name := field.Tag.Get("env"); name != "" {
			paths[prefix+name] = member
		}
	}
	return paths
}

// warn tells of a variable that nobody reads. Kubernetes sets some for every
// service that is called chancery, and our tests have their own.
func (l *LoadedConfig) warn(name string, known []string) {
	rest := strings.TrimPrefix(name, envPrefix)
	if strings.HasPrefix(rest, "TEST_") || strings.HasPrefix(rest, "SERVICE_") || rest == "PORT" || strings.HasPrefix(rest, "PORT_") {
		return
	}
	warning := name + ": no such setting"
	if near := strictyaml.Nearest(name, known); near != "" {
		warning += "; did you mean " + near + "?"
	}
	l.Warnings = append(l.Warnings, warning)
}

// wanted says what a variable must hold, without repeating what it does hold.
func wanted(err error) string {
	parse, ok := errors.AsType[env.ParseError](err)
	if !ok {
		return "another value"
	}
	switch parse.Type.String() {
	case "time.Duration":
		return "a duration such as 30s or 5m"
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	default:
		return parse.Type.String()
	}
}

// Check validates config, which is l's with flags and defaults laid over it, and
// says of each fault where it was given: the line of the file, or the variable.
func (l LoadedConfig) Check(config Config) error {
	err := config.Validate()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var faults []error
	for _, fault := range joined.Unwrap() {
		path, _, _ := strings.Cut(fault.Error(), ": ")
		line, column, inFile := l.document.Place(path)
		switch {
		case l.fromEnv[path] != "":
			fault = fmt.Errorf("%s: %w", l.fromEnv[path], fault)
		case inFile:
			fault = strictyaml.Fault{File: l.File, Line: line, Column: column, Message: fault.Error()}
		}
		faults = append(faults, fault)
	}
	return errors.Join(faults...)
}
