package chancery

import (
	"errors"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/password"
	"github.com/chancery-auth/chancery/internal/store"
	"github.com/chancery-auth/chancery/internal/web/login"
)

// ErrNewerDatabase is the cause when a database was written by a newer Chancery:
// this one would not understand it, and does not touch it.
var ErrNewerDatabase = store.ErrNewer

// CheckDialects tells everything that keeps the dialects of config from being
// served, config itself being valid: faulty files and settings, routes that
// collide, mails that have nowhere to go. [Open] would refuse the same.
func CheckDialects(config Config) error {
	mounted, err := loadMounts(config.WithDefaults(), dialect.Options{})
	if err != nil {
		return err
	}
	return checkMounts(mounted, config.Mail)
}

// checkMounts tells what is wrong with dialects that are right each for itself.
func checkMounts(mounted []mount, mail MailConfig) error {
	var faults []error
	var mounts []login.Mount
	mails := false
	for _, m := range mounted {
		shown := login.Mount{Host: m.Host, Prefix: m.Prefix, Dialect: m.dialect}
		for _, p := range m.Protect {
			shown.Protected = append(shown.Protected, login.Protected{Path: p.Path})
		}
		mounts = append(mounts, shown)
		mails = mails || len(m.dialect.Terms().Mails) > 0
	}
	faults = append(faults, login.CheckCollisions(mounts))
	if mails && mail.Host == "" && mail.Folder == "" {
		_, err := mail.sender(nil)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// CheckPasswordHash refuses a hash from another system that could not be
// verified: of an unknown form, or with parameters out of bounds (S13).
func CheckPasswordHash(hash core.PasswordHash) error {
	_, err := password.Parse(string(hash))
	return err
}
