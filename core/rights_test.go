package core_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// admins is a judge that lets administrators in alone, and grants them all.
func admins(judged core.Judged) (core.Granted, error) {
	if !slices.Contains(judged.Account.Roles, "admin") {
		return nil, &core.Error{Kind: core.ScopeDenied}
	}
	return core.Granted{"scope": "admin"}, nil
}

func (w *world) demote(t *testing.T) {
	t.Helper()
	_, err := w.registry.UpdateAccount(t.Context(), core.AccountSpec{Realm: realm, Login: "ada@example.com", Active: true, Verified: true}, origin)
	want(t, "UpdateAccount", err, "")
}

// S48: what was granted to a role goes with the role.
func TestGrantedEndsWithTheRole(t *testing.T) {
	w := newPeople(t, tracked(nil))
	w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Roles = []string{"admin"} })
	token, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.Judge = admins }))
	want(t, "Exchange", err, "")
	w.demote(t)
	if identity, err := w.Whoami(t.Context(), token.Value); err == nil && identity.Granted["scope"] == "admin" {
		t.Errorf("Whoami grants %v to roles %v", identity.Granted, identity.Account.Roles)
	}
	if token, err = w.refresh(t.Context(), token.Refresh.Value); err == nil && token.Granted["scope"] == "admin" {
		t.Errorf("Refresh grants %v to roles %v", token.Granted, token.Account.Roles)
	}
}

// S48: a sign-in that waits for its second factor is judged by who comes back.
func TestChallengeEndsWithTheRole(t *testing.T) {
	w := newPeople(t, nil)
	w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Roles = []string{"admin"} })
	code, _ := w.enroll(t, "ada@example.com")
	_, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.Judge = admins }))
	refusal, _ := errors.AsType[*core.Error](err)
	w.demote(t)
	token, err := w.Resume(t.Context(), core.Resumption{Challenge: refusal.Challenge.Value, OTP: code(), Origin: origin})
	if err == nil {
		t.Errorf("Resume grants %v to roles %v", token.Granted, token.Account.Roles)
	}
}
