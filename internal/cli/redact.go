package cli

import "regexp"

// userInfo is the password of a URL, wherever it stands in a text. It takes the
// longest run up to an @, as a password may hold one itself.
var userInfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):\S*@`)

// redact removes the passwords of URLs from text that is shown.
func redact(text string) string {
	return userInfo.ReplaceAllString(text, "$1:[secret]@")
}
