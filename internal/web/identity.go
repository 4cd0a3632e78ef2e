package web

import (
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/chancery-auth/chancery/core"
)

// Names of the headers that tell an API behind whom a request is for, in the
// form of [http.CanonicalHeaderKey].
const (
	userHeader   = "X-Auth-Request-User"
	emailHeader  = "X-Auth-Request-Email"
	groupsHeader = "X-Auth-Request-Groups"
)

// SetIdentity writes the identity headers, the whole set always: the account's
// id, its address and its roles, joined by commas. A role that could be read as
// another or as two is left out, and so is an odd address; an id that no header
// can hold is an error.
func SetIdentity(header http.Header, account core.Account) error {
	id, email := string(account.ID), account.Email
	if id == "" || !headerSafe(id) {
		return errors.New("the account's id cannot be written into a header")
	}
	if !headerSafe(email) {
		email = ""
	}
	values := [3]string{id, email, groups(account.Roles)} // one allocation for all three
	header[userHeader] = values[0:1:1]
	header[emailHeader] = values[1:2:2]
	header[groupsHeader] = values[2:3:3]
	return nil
}

func groups(roles []string) string {
	if len(roles) == 1 && groupSafe(roles[0]) {
		return roles[0]
	}
	var safe []string
	for _, role := range roles {
		if groupSafe(role) {
			safe = append(safe, role)
		}
	}
	return strings.Join(safe, ",")
}

func groupSafe(role string) bool {
	return role != "" && headerSafe(role) && !strings.Contains(role, ",")
}

// headerSafe wants text that every reader of a header takes for the same.
func headerSafe(text string) bool {
	return utf8.ValidString(text) && strings.TrimSpace(text) == text && strings.IndexFunc(text, unicode.IsControl) < 0
}

// identityHeaders are names that APIs commonly believe. Those that begin with
// x-auth-request- or x-forwarded- are believed as well.
var identityHeaders = map[string]bool{
	"remote-user": true, "remote-email": true, "remote-name": true, "remote-groups": true,
	"x-remote-user": true, "x-real-ip": true, "forwarded": true, "x-request-id": true,
}

// RemoveIdentity removes every header by which a client could pass for somebody
// else, however it is spelled: many servers read _ as -, and none regards case (S64).
func RemoveIdentity(header http.Header) {
	for name := range header {
		if believed(name) {
			delete(header, name)
		}
	}
}

func believed(name string) bool {
	plain := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	return identityHeaders[plain] || strings.HasPrefix(plain, "x-auth-request-") || strings.HasPrefix(plain, "x-forwarded-")
}
