package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// A Sender hands one mail on. Its error tells neither the address nor the link, and
// is a [*SendError] with Permanent set when to try again is no use.
type Sender interface {
	Send(ctx context.Context, m core.Mail) error
}

// A SendError says why a mail was not taken.
type SendError struct {
	Permanent bool // this mail will never be taken
	Code      int  // of the server's answer; 0 if there was none
	Err       error
}

func (e *SendError) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("%v: the mail server answered %d", e.Err, e.Code)
	}
	return e.Err.Error()
}

func (e *SendError) Unwrap() error { return e.Err }

func permanent(err error) bool {
	e, ok := errors.AsType[*SendError](err)
	return ok && e.Permanent
}

type folder struct {
	path string
	from *netmail.Address
	show func(core.Mail)
}

// Folder keeps mails as .eml files that their owner alone can read, in a folder that
// is made if need be, and shows each to show unless that is nil. The sender's address
// is chancery@localhost unless from is given. It is for trying things out.
func Folder(path, from string, show func(core.Mail)) (Sender, error) {
	if from == "" {
		from = "chancery@localhost"
	}
	address, err := parseFrom(from)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("mail: folder: %w", err)
	}
	return &folder{path: path, from: address, show: show}, nil
}

func (f *folder) Send(_ context.Context, m core.Mail) error {
	msg, err := message(m, f.from)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(f.path, ".unfinished-*") // mode 0600
	if err != nil {
		return fmt.Errorf("mail folder: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already once it has its name
	if _, err = msg.WriteTo(file); err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("mail folder: %w", err)
	}
	suffix := filepath.Base(file.Name())[len(".unfinished-"):]
	name := fmt.Sprintf("%s-%s.eml", time.Now().UTC().Format("20060102T150405.000000"), suffix)
	if err := os.Rename(file.Name(), filepath.Join(f.path, name)); err != nil {
		return fmt.Errorf("mail folder: %w", err)
	}
	if f.show != nil {
		f.show(m)
	}
	return nil
}
