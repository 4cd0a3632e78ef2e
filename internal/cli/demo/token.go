package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect"
)

var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

// Token signs in as a sample at base and returns the token. It sends the example
// that signs in, with the sample's identifier and secret in it.
func Token(ctx context.Context, client dialect.Doer, d *dialect.Dialect, base, sample string) (string, error) {
	credentials := credentialsOf(d.Samples())
	want, ok := credentials[sample]
	if !ok {
		return "", fmt.Errorf("dialect %s declares no sample %q", d.Name(), sample)
	}
	call, err := NewCall(d, base, "")
	if err != nil {
		return "", err
	}
	members := call.Members
	for _, shown := range credentials {
		if replaced, ok := replace(call.Members, shown, want); ok {
			members = replaced
			break
		}
	}
	body, err := call.encode(members)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, call.Method, call.URL, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", call.ContentType)
	return send(client, request)
}

// replace puts one credential in the place of another, if members hold that.
func replace(members []Member, shown, want credential) (replaced []Member, ok bool) {
	found := 0
	for _, member := range members {
		switch member.Value {
		case shown.identifier:
			member.Value = want.identifier
			found++
		case shown.secret:
			member.Value = want.secret
			found++
		}
		replaced = append(replaced, member)
	}
	return replaced, found == 2
}

func (c Call) encode(members []Member) (string, error) {
	var parts []string
	for _, member := range members {
		if c.Form {
			parts = append(parts, url.QueryEscape(member.Name)+"="+url.QueryEscape(member.Value))
			continue
		}
		name, err := json.Marshal(member.Name)
		if err != nil {
			return "", err
		}
		value, err := json.Marshal(member.Value)
		if err != nil {
			return "", err
		}
		parts = append(parts, string(name)+":"+string(value))
	}
	if c.Form {
		return strings.Join(parts, "&"), nil
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

func send(client dialect.Doer, request *http.Request) (string, error) {
	reply, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	if err != nil {
		return "", err
	}
	token := jwt.Find(body)
	if token == nil {
		return "", fmt.Errorf("%s %s: %s, and there is no token in the reply", request.Method, request.URL.Path, reply.Status)
	}
	return string(token), nil
}

// A credential is what a sample signs in with.
type credential struct{ identifier, secret string }

func credentialsOf(samples dialect.Samples) map[string]credential {
	all := map[string]credential{}
	for _, account := range samples.Accounts {
		if secret := account.Password.Reveal(); secret != "" {
			all[account.Sample] = credential{account.Account.Login, secret}
		}
	}
	for _, key := range samples.Keys {
		all[key.Sample] = credential{key.Key.Identifier, key.Secret.Reveal()}
	}
	return all
}
