package recordtest

import (
	"fmt"
	"time"

	"github.com/chancery-auth/chancery/internal/strictyaml"
)

// A seed says how the cases of a record come about that it cannot say itself.
// README.md is its manual.
type seed struct {
	Dialect   string             `yaml:"dialect"`
	Settings  map[string]any     `yaml:"settings"`
	Login     attempt            `yaml:"login"`
	Ways      []attempt          `yaml:"ways"`
	Variants  map[string]attempt `yaml:"variants"`
	Cases     map[string]attempt `yaml:"cases"`
	Endpoints map[string]attempt `yaml:"endpoints"`
	Facts     map[string]string  `yaml:"facts"`
	Skip      map[string]string  `yaml:"skip"`
}

// An attempt is one way to call: who, with which fields, under which settings.
type attempt struct {
	Sample   string            `yaml:"sample"`
	Client   string            `yaml:"client"`
	Fields   map[string]any    `yaml:"fields"`
	Headers  map[string]string `yaml:"headers"`
	Type     string            `yaml:"type"`
	Raw      *string           `yaml:"raw"`
	Settings map[string]any    `yaml:"settings"`
	Wait     time.Duration     `yaml:"wait"`
	At       string            `yaml:"at"`
}

// over lays an attempt over another: what it does not say is the other's.
func (a attempt) over(b attempt) attempt {
	if a.Sample == "" {
		a.Sample = b.Sample
	}
	if a.Client == "" {
		a.Client = b.Client
	}
	fields := map[string]any{}
	for name, value := range b.Fields {
		fields[name] = value
	}
	for name, value := range a.Fields {
		fields[name] = value
	}
	a.Fields = fields
	return a
}

func parseSeed(file string, source []byte) (seed, error) {
	var s seed
	if _, err := strictyaml.Decode(file, source, &s); err != nil {
		return s, err
	}
	for pointer, reason := range s.Skip {
		if len(reason) < 10 {
			return s, fmt.Errorf("%s: skip %s: say why", file, pointer)
		}
	}
	return s, nil
}
