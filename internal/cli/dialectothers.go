package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// otherFaults are those that a dialect which is right would have if an operator chose
// otherwise: each boolean setting at its other value. Texts that only an operator can
// know are given, as whoever switches something on has to.
func (c *chosenDialect) otherFaults(d *dialect.Dialect) []faultLine {
	all := []faultLine{}
	given := d.Settings()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		now, boolean := given[name].(bool)
		if !boolean {
			continue
		}
		other := *c
		other.mount.Settings = filledSettings(given)
		other.mount.Settings[name] = !now
		_, err := other.load()
		faults, _ := errors.AsType[dialect.Faults](err)
		for _, f := range faultLines(faults) {
			f.Message = fmt.Sprintf("with %s=%t: %s", name, !now, f.Message)
			all = append(all, f)
		}
	}
	return all
}

// filledSettings are settings with an address wherever a text has no default.
func filledSettings(settings map[string]any) map[string]any {
	filled := maps.Clone(settings)
	for name, value := range filled {
		if value == "" {
			filled[name] = exampleAddress
		}
	}
	return filled
}
