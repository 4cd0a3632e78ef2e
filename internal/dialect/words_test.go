package dialect

import (
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestConditionWords: what people are told of a condition holds no expression.
func TestConditionWords(t *testing.T) {
	inputs := map[string]*input{"mode": {name: "mode", target: target{field: "auth_mode"}}, "id": {name: "id"}, "deep": {name: "deep", sources: []source{{place: "body", path: []string{"user", "type"}}}}}
	for expression, want := range map[string]string{
		"input.mode == 'cookie'":                      "auth_mode is cookie",
		"input.mode == 'm.id.thirdparty'":             "auth_mode is m.id.thirdparty",
		"input.deep != 'a'":                           "user.type is not a",
		"sent.mode && !sent.id":                       "auth_mode is sent and id is not sent",
		"issues.exists(i, i.field == 'username')":     "username is wrong",
		"issues.exists(i, i.rule == 'equals')":        "a value is not the one allowed",
		"issues.exists(i, j.rule == 'equals')":        "",
		"issues.exists(i, i.rule == 'odd')":           "",
		"account.attributes.job_title == 'boss'":      "the account's job title is boss",
		"'admin' in account.roles || input.id == 'x'": "the account's roles have admin or id is x",
		"request.media_type == 'text/plain'":          "",
		"setting.loud && input.mode == 'a'":           "",
		"size(input.mode) > 2":                        "",
	} {
		c := &condition{node: &yaml.Node{Value: "${" + expression + "}"}, leaf: &leaf{}}
		if got := c.words(inputs); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	if got := (&condition{node: &yaml.Node{Value: "true"}, is: true}).words(nil); got != "" {
		t.Errorf("true is %q", got)
	}
}
