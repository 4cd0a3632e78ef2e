package draft

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFromOpenAPI(t *testing.T) {
	for _, tt := range []struct {
		name, document, path string
		want                 []string
	}{
		{"a form, as FastAPI describes it", fastAPI, "", []string{
			"title: Acme", "on: {method: POST, path: /token}", "accept: [form]", "identifier: {from: body.username, required: true}",
			"grant_type: {from: body.grant_type, equals: password}", "access_token: ${token.value}", "token_type: Bearer", "algorithm: HS256",
			"- {in: header, name: Authorization, scheme: Bearer}",
		}},
		{"JSON in parts, and a token in a header", keyAPI, "", []string{
			"subject: key", "path: /v2/login", "identifier: {from: body.accessKey, required: true}", "audience: {from: body.audience, required: true, equals: acme}",
			"status: 201", "headers: {X-Auth-Token: '${token.value}'}", "- {in: header, name: X-Auth-Token}",
			"bad_credentials: {status: 401, json: {error: unauthorized, status: 401}}", "invalid_request: {status: 400, json: {error: invalid_request, status: 400}}",
		}},
		{"a path with a variable, which is named", strings.ReplaceAll(strings.ReplaceAll(keyAPI, "/login:", "/{tenant}/login:"), "    post:\n",
			"    parameters: [{name: tenant, in: path, required: true, schema: {type: string}}]\n    post:\n"), "/{tenant}/login", []string{
			"path: '/v2/{tenant}/login'", "{from: path.tenant, required: true}", "path: /v2/sample/login",
		}},
		{"texts without examples", bareAPI, "", []string{
			"        status: string # the same for everybody?\n        refresh_token: ${refresh.value}\n        access_token: ${token.value}\n" +
				"        user:\n          id: ${account.id}\n          email: ${account.email}\n        plan: string # the same",
			"        status: string\n        refresh_token: <token>\n        access_token: <jwt>\n        user:\n          id: <uuid>\n          email: ada@example.com\n",
		}},
		{"texts without examples, and access keys", strings.NewReplacer("username", "access_key", "password", "secret_key").Replace(bareAPI), "", []string{
			"        status: string # the same for everybody?\n        refresh_token: ${refresh.value}\n", "access_token: ${token.value}\n        user:\n          id: ${account.id}\n          email: ${account.email}\n",
		}},
		{"rules of what is sent", rulesAPI, "", []string{
			"identifier: {from: body.username, required: true, max: 64, format: email}", "secret: {from: body.password, required: true, min: 8, max: 128}",
			"pin_code: {from: body.pin_code, min: 8}", "kind: {from: body.kind, one_of: [web, mobile]}", "grant_type: {from: body.grant_type, required: true, equals: password}", "level: {from: body.level, type: integer, one_of: [1, 2]}",
			"age: {from: body.age, type: integer, min: 18, max: 99}", "share: {from: body.share, type: integer}", "tags: {from: body.tags, type: list, min: 1, max: 3}",
			"at: {from: body.at, format: date_time}", "home: {from: body.home, format: uri}", "device: {from: body.device, format: uuid}",
			"short: {from: body.short}", "mixed: {from: body.mixed}", "any: {from: body.any, min: 2}",
			"# - The minimum of the field share.", "# - The maximum of the field share.", "# - The rule max of the field short, which the values of the examples would break.", "# - The enum of the field mixed.",
			"password: wrong wrong, pin_code: stringss, kind: web, grant_type: password, level: 1, age: 18,",
		}},
		{"a rule of a parameter", strings.Replace(bareAPI, "    post:\n", "    post:\n      parameters: [{name: tries, in: query, required: true, schema: {type: integer, minimum: 2}}, {name: X-App, in: header, required: true, schema: {type: string, enum: [a, b]}}]\n", 1), "", []string{
			"tries: {from: query.tries, type: integer, required: true, min: 2}", "x_app: {from: header.X-App, required: true, one_of: [a, b]}",
		}},
		{"a schema within itself", strings.ReplaceAll(bareAPI, "username: {type: string}", "username: {type: string}, parent: {$ref: '#/components/schemas/Node'}") + `
components:
  schemas:
    Node: {properties: {name: {type: string}, next: {$ref: '#/components/schemas/Node'}, all: {type: array, items: {$ref: '#/components/schemas/Node'}}, one: {oneOf: [{$ref: '#/components/schemas/Node'}, {type: integer}]}}}
`, "", []string{"json: {username: ada, parent: {name: string, all: [], one: 1}, password: correct horse battery staple}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := FromOpenAPI([]byte(tt.document), tt.path)
			if err != nil {
				t.Fatal(err)
			}
			d.Name = "acme"
			file, err := d.File("acme.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := load(file); err != nil {
				t.Errorf("the draft does not load: %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(file), want) {
					t.Errorf("the file lacks %q", want)
				}
			}
			if t.Failed() {
				t.Logf("%s", file)
			}
		})
	}
}

func TestFromOpenAPIProblems(t *testing.T) {
	bomb := "openapi: 3.1.0\na: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for _, pair := range []string{"b a", "c b", "d c", "e d", "f e", "g f", "h g"} {
		from, to, _ := strings.Cut(pair, " ")
		bomb += from + ": &" + from + " [" + strings.TrimSuffix(strings.Repeat("*"+to+",", 10), ",") + "]\n"
	}
	for _, tt := range []struct{ name, document, path, want string }{
		{"nothing", "", "", "neither JSON nor YAML"},
		{"Swagger 2", `{"swagger":"2.0"}`, "", "Swagger 2"},
		{"another document", `{"a":1}`, "", "no OpenAPI 3 document"},
		{"no sign-in", `{"openapi":"3.0.0","paths":{"/a":{"get":{}},"/b":{"post":{}}}}`, "", "no operation of the document takes"},
		{"another path", fastAPI, "/items", "no operation at /items"},
		{"a reference to itself", `{"openapi":"3.0.0","paths":{"/a":{"post":{"requestBody":{"$ref":"#/paths/~1a/post/requestBody"}}}}}`, "", "no operation of the document takes"},
		{"an alias bomb", bomb, "", ""},
		{"too much", strings.Repeat(" ", 3<<20), "", "more than"},
		{"five megabytes", `{"openapi":"3.0.0","paths":{` + strings.TrimSuffix(strings.Repeat(`"/a":{},`, 5<<20/8), ",") + `}}`, "", "more than"},
		{"too many members", `{"openapi":"3.0.0","x":[` + strings.TrimSuffix(strings.Repeat("0,", 900_000), ",") + `]}`, "", "the document cannot be taken"},
		{"too many members, in YAML", "openapi: 3.0.0\nx: [" + strings.Repeat("0,", 900_000) + "]", "", "too many members"},
		{"too deep, in blocks", "openapi: 3.0.0\nx:\n  " + strings.Repeat("- ", 900_000) + "1\n", "", ""},
		{"too deep, in JSON", `{"openapi":"3.0.0","x":` + strings.Repeat("[", 1<<20) + `}`, "", "neither JSON nor YAML"},
		{"too deep, in YAML", "openapi: 3.0.0\nx: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "", "nested too deep"},
		{"wrong types", `{"openapi":"3.0.0","paths":{"/a":{"post":{"parameters":{"a":1},"requestBody":[1],"responses":"x"}},"/b":[],"/c":{"post":{"requestBody":{"content":{"application/json":{"schema":{"properties":[1],"allOf":{},"required":1}}}}}}}}`, "", "no operation of the document takes"},
		{"parts that hold each other in very many ways", manyWays("properties: {a: %[1]s, b: %[1]s, c: %[1]s, d: %[1]s, e: %[1]s, f: %[1]s, g: %[1]s, h: %[1]s}"), "", ""},
		{"parts that are made of each other in very many ways", manyWays("allOf: [%[1]s, %[1]s, %[1]s, %[1]s, %[1]s, %[1]s, %[1]s, %[1]s, %[1]s, %[1]s]"), "", ""},
		{"a schema made of itself", manyWays("allOf: [{$ref: '#/components/schemas/S0'}, {$ref: '#/components/schemas/S1'}]"), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begun := time.Now()
			_, err := FromOpenAPI([]byte(tt.document), tt.path)
			if took := time.Since(begun); took > time.Second {
				t.Errorf("FromOpenAPI() took %v", took)
			}
			problem, ok := errors.AsType[*Problem](err)
			if !ok || !strings.Contains(problem.Message, tt.want) || problem.Advice == "" {
				t.Errorf("FromOpenAPI() = %v, want a problem that says %q, with advice", err, tt.want)
			}
		})
	}
}

// bareAPI tells the types of its texts, and nothing else of them.
const bareAPI = `openapi: 3.1.0
paths:
  /login:
    post:
      requestBody:
        content: {application/json: {schema: {properties: {username: {type: string}, password: {type: string}}}}}
      responses:
        "200":
          content:
            application/json:
              schema:
                properties:
                  status: {type: string}
                  refresh_token: {type: string}
                  access_token: {type: string}
                  user: {type: object, properties: {id: {type: string}, email: {type: string}}}
                  plan: {type: string}
`

// manyWays is a document of twenty schemas, each made of the next one as schema says.
func manyWays(schema string) string {
	var b strings.Builder
	b.WriteString("openapi: 3.1.0\npaths: {/a: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}}}}\ncomponents:\n  schemas:\n")
	for i := range 20 {
		next := fmt.Sprintf("{$ref: '#/components/schemas/S%d'}", i+1)
		fmt.Fprintf(&b, "    S%d: {%s}\n", i, strings.ReplaceAll(schema, "%[1]s", next))
	}
	return b.String()
}

// rulesAPI has a rule of each kind, and some that no input can keep.
var rulesAPI = strings.ReplaceAll(bareAPI, "username: {type: string}, password: {type: string}", `
          username: {type: string, format: email, maxLength: 64},
          password: {type: string, minLength: 8, maxLength: 128},
          pin_code: {type: string, minLength: 8},
          kind: {type: string, enum: [web, mobile, null]},
          grant_type: {type: string, enum: [password, refresh_token]},
          level: {type: integer, enum: [1, 2]},
          age: {type: integer, minimum: 18, maximum: 99},
          share: {type: number, minimum: -1, maximum: 1.5},
          tags: {type: array, items: {type: string}, minItems: 1, maxItems: 3},
          at: {type: string, format: date-time},
          home: {anyOf: [{type: string, format: uri}, {type: "null"}]},
          device: {type: string, format: uuid},
          short: {type: string, maxLength: 3},
          mixed: {enum: [a, 1]},
          any: {minimum: 1, minLength: 2}`)
