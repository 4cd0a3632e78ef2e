package password

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt"
	"github.com/go-crypt/crypt/algorithm/argon2"
	cryptbcrypt "github.com/go-crypt/crypt/algorithm/bcrypt"
	cryptpbkdf2 "github.com/go-crypt/crypt/algorithm/pbkdf2"
	cryptscrypt "github.com/go-crypt/crypt/algorithm/scrypt"
)

// The bounds of stored hashes (S13). Beyond them a comparison would cost more
// than a login may; the decoder itself has no ceiling.
const (
	maxText          = 1 << 10
	minSalt          = 8
	maxSalt          = 128
	minTag           = 16
	maxTag           = 128
	maxArgon2Memory  = 256 << 10 // KiB
	maxArgon2Passes  = 10
	maxArgon2Lanes   = 64
	maxScryptLog     = 17
	maxScryptBlock   = 8
	maxScryptLanes   = 16
	maxScryptWork    = 1 << 18 // rounds of all lanes together
	minBcryptCost    = 4
	maxBcryptCost    = 14
	maxPBKDF2Rounds  = 2_000_000
	maxPBKDF2Work    = 2 * maxPBKDF2Rounds // rounds of all blocks of the tag together
	smallWorkingSize = 64 << 10
)

// MaxCost is the most memory, in bytes, that comparing with any stored hash takes.
const MaxCost = int64(maxArgon2Memory) << 10

// ErrUnsupported is wrapped by [Parse] for formats that are not on the allow-list.
var ErrUnsupported = errors.New("password hash: format is not supported")

// decoder knows the allow-list alone; what is registered here is what can be decoded.
var decoder = func() *crypt.Decoder {
	d := crypt.NewDecoder()
	errs := []error{
		argon2.RegisterDecoder(d),
		cryptpbkdf2.RegisterDecoder(d),
		cryptscrypt.RegisterDecoderScrypt(d),
	}
	decodeBcrypt := cryptbcrypt.DecodeVariant(cryptbcrypt.VariantStandard)
	for _, version := range []string{"2a", "2b", "2y"} {
		errs = append(errs, d.RegisterDecodeFunc(version, decodeBcrypt))
	}
	if err := errors.Join(errs...); err != nil {
		panic(err) // two decoders of one name: cannot happen at run time
	}
	return d
}()

// Parse reads a stored hash: argon2id, argon2i and argon2d of version 19, bcrypt
// ($2a$, $2b$, $2y$), scrypt and PBKDF2, as PHC or modular crypt strings. Every
// cost is held against its bound before anything is decoded or computed. Errors
// never repeat the salt or the tag.
func Parse(text string) (Hash, error) {
	if len(text) > maxText {
		return Hash{}, fmt.Errorf("password hash: %d bytes are more than %d", len(text), maxText)
	}
	parts := strings.Split(text, "$")
	if len(parts) < 4 || parts[0] != "" {
		return Hash{}, ErrUnsupported
	}
	h, err := check(parts[1], parts[2:])
	if err != nil {
		return Hash{}, err
	}
	if h.digest, err = decoder.Decode(text); err != nil {
		return Hash{}, fmt.Errorf("%s hash: salt or tag does not decode", h.family) // its own words may quote them
	}
	return h, nil
}

func check(name string, parts []string) (Hash, error) {
	switch name {
	case "argon2id", "argon2i", "argon2d":
		return checkArgon2(family(name), parts)
	case "2a", "2b", "2y":
		return checkBcrypt(parts)
	case "scrypt":
		return checkScrypt(parts)
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha224", "pbkdf2-sha256", "pbkdf2-sha384", "pbkdf2-sha512":
		return checkPBKDF2(name, parts)
	}
	return Hash{}, ErrUnsupported
}

func checkArgon2(name family, parts []string) (Hash, error) {
	if len(parts) != 4 || parts[0] != "v=19" {
		return Hash{}, fmt.Errorf("%s hash: want $v=19$m=…,t=…,p=…$salt$tag", name)
	}
	costs, err := numbers(name, parts[1], bound{"m", 8, maxArgon2Memory}, bound{"t", 1, maxArgon2Passes}, bound{"p", 1, maxArgon2Lanes})
	if err != nil {
		return Hash{}, err
	}
	memory, passes, lanes := costs[0], costs[1], costs[2]
	if memory < 8*lanes {
		return Hash{}, fmt.Errorf("%s hash: m=%d is less than 8 for each of %d lanes", name, memory, lanes)
	}
	salt, tag, err := sizes(name, parts[2], parts[3], standard)
	if err != nil {
		return Hash{}, err
	}
	params := Params{Memory: memory, Passes: passes, Lanes: uint8(lanes), SaltSize: salt, TagSize: tag}
	return Hash{family: name, argon2: params, memory: params.Cost()}, nil
}

func checkBcrypt(parts []string) (Hash, error) {
	if len(parts) != 2 || len(parts[0]) != 2 || len(parts[1]) != 53 || !onlyFrom(parts[1], crypted) {
		return Hash{}, errors.New("bcrypt hash: want $2b$, two digits, $ and 53 characters of salt and tag")
	}
	cost, err := strconv.ParseUint(parts[0], 10, 8)
	if err != nil || cost < minBcryptCost || cost > maxBcryptCost {
		return Hash{}, fmt.Errorf("bcrypt hash: cost is outside %d to %d", minBcryptCost, maxBcryptCost)
	}
	return Hash{family: bcrypt, memory: smallWorkingSize}, nil
}

func checkScrypt(parts []string) (Hash, error) {
	if len(parts) != 3 {
		return Hash{}, errors.New("scrypt hash: want $ln=…,r=…,p=…$salt$tag")
	}
	costs, err := numbers(scrypt, parts[0], bound{"ln", 1, maxScryptLog}, bound{"r", 1, maxScryptBlock}, bound{"p", 1, maxScryptLanes})
	if err != nil {
		return Hash{}, err
	}
	rounds, block, lanes := int64(1)<<costs[0], int64(costs[1]), int64(costs[2])
	if rounds*lanes > maxScryptWork {
		return Hash{}, fmt.Errorf("scrypt hash: ln=%d with p=%d is too much work", costs[0], lanes)
	}
	if _, _, err := sizes(scrypt, parts[1], parts[2], standard); err != nil {
		return Hash{}, err
	}
	return Hash{family: scrypt, memory: 128*block*(rounds+lanes) + smallWorkingSize}, nil
}

func checkPBKDF2(name string, parts []string) (Hash, error) {
	if len(parts) != 3 {
		return Hash{}, errors.New("pbkdf2 hash: want $rounds$salt$tag")
	}
	rounds, err := number(pbkdf2, parts[0], bound{"rounds", 1, maxPBKDF2Rounds})
	if err != nil {
		return Hash{}, err
	}
	_, tag, err := sizes(pbkdf2, parts[1], parts[2], adapted)
	if err != nil {
		return Hash{}, err
	}
	blocks := (tag + blockSize[name] - 1) / blockSize[name]
	if rounds*blocks > maxPBKDF2Work {
		return Hash{}, fmt.Errorf("pbkdf2 hash: %d rounds for a tag of %d bytes are too much work", rounds, tag)
	}
	return Hash{family: pbkdf2, memory: smallWorkingSize}, nil
}

// blockSize is how many bytes of the tag one run of all rounds makes.
var blockSize = map[string]uint32{
	"pbkdf2": 20, "pbkdf2-sha1": 20, "pbkdf2-sha224": 28, "pbkdf2-sha256": 32, "pbkdf2-sha384": 48, "pbkdf2-sha512": 64,
}
