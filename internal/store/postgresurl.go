package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// errAmbiguous says nothing of the URL: which part of it is the password is just
// what nobody knows.
var errAmbiguous = errors.New("store: database url: what is user, password, host and name in it is not clear: " +
	"percent-encode the password (@ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25)")

// parsePostgresURL refuses a URL that can be read in several ways, before a part of
// the password is taken for a host and looked up, or for a database and told. Its
// errors hold no part of the URL.
func parsePostgresURL(source string) (*pgx.ConnConfig, error) {
	if ambiguous(source) {
		return nil, errAmbiguous
	}
	config, err := pgx.ParseConfig(source)
	if err != nil {
		return nil, fmt.Errorf("store: database url: %s; percent-encode the password if it holds more than letters and digits", parseFault(err))
	}
	hosts := config.Host
	for _, f := range config.Fallbacks {
		hosts += f.Host
	}
	if strings.Contains(hosts+config.Database, "@") {
		return nil, errAmbiguous
	}
	return config, nil
}

// ambiguous wants the one @ that ends user and password, in front of the host, and
// neither another nor a fragment (nor a backtick, which ends what pgx quotes): a password that was not percent-encoded, and
// holds a / or ?, moves that @ behind what looks like the host.
func ambiguous(source string) bool {
	_, rest, _ := strings.Cut(source, "://")
	if strings.Count(rest, "@") > 1 || strings.ContainsAny(rest, "#`") {
		return true
	}
	userinfo, _, found := strings.Cut(rest, "@")
	if !found {
		return false
	}
	_, err := url.Parse("postgres://" + userinfo + "@host")
	return err != nil || strings.ContainsAny(userinfo, "/?")
}

// parseFault is what pgx says of a URL without what it quotes of it.
func parseFault(err error) string {
	text, cause := err.Error(), errors.Unwrap(err)
	if cause != nil {
		text = strings.TrimSuffix(text, " ("+cause.Error()+")")
	}
	parts := strings.SplitN(text, "`", 3) // cannot parse `URL`: what is wrong: more
	text, _, _ = strings.Cut(strings.TrimPrefix(parts[len(parts)-1], ": "), ":")
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		text += ": " + path.Err.Error()
	}
	return text
}
