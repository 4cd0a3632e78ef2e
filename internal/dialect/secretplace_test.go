package dialect

import (
	"strings"
	"testing"
)

// A password has no other name: an input that reads where a secret comes is one too,
// and no expression names it.
func TestSecretsByOtherNames(t *testing.T) {
	for alias, secret := range map[string]bool{
		"body.password": true, "body.PASSWORD": true, "{from: [body.x, body.password]}": true, "{from: body.password.a, type: any}": true,
		"body.in.pin": true, "{from: body.in, type: object}": true, "basic.password": true, "bearer": true,
		"header.Authorization": true, "header.Cookie": true, "header.X-Token": true, "cookie.token": true,
		"body.in.user": false, "body.pass": false, "basic.username": false, "header.X-Device": false, "cookie.other": false, "query.password": false,
	} {
		source := strings.Replace(filled(map[string]string{"OK": `{json: "${input.p}"}`}),
			"    inputs:\n", "    inputs:\n      pin: {from: body.in.pin, secret: true}\n      p: "+alias+"\n", 1)
		source += "carriers: [{in: header, name: X-Token}, {in: cookie, name: token}]\n"
		_, err := Load("a.yaml", []byte(source), testOptions())
		if refused := err != nil && strings.Contains(err.Error(), "input.p is a secret and cannot be named"); refused != secret || !secret && err != nil {
			t.Errorf("%s: Load() = %v, want a secret: %v", alias, err, secret)
		}
	}
}

// A path that holds a secret is not told either.
func TestSecretPaths(t *testing.T) {
	for path, secret := range map[string]bool{"/reset/{t}": true, "/reset": false} {
		from := map[bool]string{true: "path.t", false: "body.t"}[secret]
		source := strings.Replace(filled(nil), "routes:\n", `routes:
  - on: {method: POST, path: "`+path+`"}
    accept: [json]
    inputs: {ticket: {from: `+from+`, required: true}, new_secret: {from: body.new, required: true}}
    do: reset_password
    ok: {json: "${request.path}"}
`, 1)
		source = strings.Replace(source, "errors:\n", "errors:\n  bad_ticket: {status: 400, empty: true}\n", 1)
		_, err := Load("a.yaml", []byte(source), testOptions())
		if refused := err != nil && strings.Contains(err.Error(), "request.path holds a secret"); refused != secret || !secret && err != nil {
			t.Errorf("%s: Load() = %v, want it refused: %v", path, err, secret)
		}
	}
}
