package password

import (
	"fmt"
	"strconv"
	"strings"
)

// A bound is what a parameter of a stored hash may be.
type bound struct {
	name     string
	from, to uint32
}

// numbers reads "m=19456,t=2,p=1": exactly the parameters of bounds, in their order.
func numbers(of family, text string, bounds ...bound) ([]uint32, error) {
	fields := strings.Split(text, ",")
	if len(fields) != len(bounds) {
		return nil, fmt.Errorf("%s hash: want %d parameters, got %d", of, len(bounds), len(fields))
	}
	values := make([]uint32, len(bounds))
	for i, b := range bounds {
		digits, found := strings.CutPrefix(fields[i], b.name+"=")
		if !found {
			return nil, fmt.Errorf("%s hash: parameter %d is not %s", of, i+1, b.name)
		}
		var err error
		if values[i], err = number(of, digits, b); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// number reads a decimal without sign or leading zeros and holds it against b.
func number(of family, digits string, b bound) (uint32, error) {
	value, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || digits != strconv.FormatUint(value, 10) {
		return 0, fmt.Errorf("%s hash: %s is not a plain number", of, b.name)
	}
	if value < uint64(b.from) || value > uint64(b.to) {
		return 0, fmt.Errorf("%s hash: %s=%d is outside %d to %d", of, b.name, value, b.from, b.to)
	}
	return uint32(value), nil
}

const (
	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	standard     = alphanumeric + "+/" // base64
	adapted      = alphanumeric + "./" // as passlib writes it
	crypted      = "./" + alphanumeric // as crypt(3) does
)

// sizes checks the alphabet of salt and tag, without padding, and returns how
// many bytes they hold.
func sizes(of family, salt, tag, alphabet string) (saltSize, tagSize uint32, err error) {
	// A decoder skips line breaks, so the alphabet is checked here.
	if !onlyFrom(salt, alphabet) || !onlyFrom(tag, alphabet) || len(salt)%4 == 1 || len(tag)%4 == 1 {
		return 0, 0, fmt.Errorf("%s hash: salt or tag is not unpadded base64", of)
	}
	saltSize, tagSize = uint32(len(salt)*6/8), uint32(len(tag)*6/8) //nolint:gosec // at most maxText
	if saltSize < minSalt || saltSize > maxSalt {
		return 0, 0, fmt.Errorf("%s hash: a salt of %d bytes is outside %d to %d", of, saltSize, minSalt, maxSalt)
	}
	if tagSize < minTag || tagSize > maxTag {
		return 0, 0, fmt.Errorf("%s hash: a tag of %d bytes is outside %d to %d", of, tagSize, minTag, maxTag)
	}
	return saltSize, tagSize, nil
}

func onlyFrom(text, alphabet string) bool {
	return strings.Trim(text, alphabet) == ""
}
