package schema

import (
	"strings"

	"github.com/chancery-auth/chancery/core"
)

// What the table of the language says in words alone, or not at all, of the form of
// files. A key is the name of a shape, or that of a shape and a member; * is a
// member whose name the file chooses. What is said of a list is said of its items.
var forms = map[string]object{
	"a dialect":           {"properties": object{"carriers": object{"minItems": 1}}},
	"a dialect dialect":   text(`^[a-z0-9][a-z0-9-]{0,62}$`),
	"settings *":          {"type": []string{"string", "number", "boolean"}},
	"on path":             text(`^(/([^/{}]*|\{[a-z][a-z0-9_]*\}))+$`),
	"when":                {"minProperties": 1},
	"when *":              {"type": []string{"string", "number", "boolean", "null", "object"}, "if": object{"type": "object"}, "then": object{"$ref": ref("condition_of_when")}},
	"a condition of when": oneOf("equals", "one_of", "present"),
	"a route do":          {"not": object{"const": "authenticate"}}, // which has to say what it issues
	"a route accept":      text(`^(json|form|multipart|xml|none)$|/`),
	"accept types":        text(`^(json|form|multipart|xml|none)$|/`),
	"inputs *":            text(source),
	"inputs":              {"dependentRequired": object{"client": []string{"client_secret"}, "client_secret": []string{"client"}}},
	"an input from":       text(source),
	"an input": {
		"not":        object{"required": []string{"default", "required"}, "properties": object{"required": object{"const": true}}},
		"properties": object{"one_of": object{"minItems": 1}},
	},
	"domain":        oneOf("only", "except"),
	"domain only":   text(`^\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$`),
	"domain except": text(`^\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$`),
	"do": {
		"dependentRequired": object{"else": []string{"allow"}},
		"if":                object{"properties": object{"operation": object{"const": "authenticate"}}},
		"then":              object{"required": []string{"issue"}},
	},
	"a carrier name":        text(`^[^\s;,]+$`),
	"a cookie name":         text(header),
	"a cookie":              {"anyOf": []any{required("value"), required("end")}, "not": required("end", "max_age")},
	"a reply status":        {"minimum": 200, "maximum": 599},
	"a reply type":          text(`/`),
	"a reply headers":       ownHeaders,
	"a default headers":     ownHeaders,
	"a reply xml":           {"minProperties": 1, "maxProperties": 1},
	"a reply":               reply,
	"errors":                {"propertyNames": object{"not": object{"enum": []string{string(core.Unknown), string(core.BadSecret)}}}},
	"headers":               {"propertyNames": object{"pattern": header}},
	"headers *":             line,
	"a mail subject":        line,
	"a token":               tokens,
	"a token form":          text(random),
	"refresh form":          text(random),
	"a token type":          text(`^[A-Za-z0-9!#$&^_.+-]{1,64}$`),
	"messages languages":    text(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`),
	"a loop":                oneOf("$yield", "$members"),
	"a loop $for":           text(`^\s*[A-Za-z_][A-Za-z0-9_]*\s+in\s+.*\S`),
	"a loop $members":       {"type": "object"},
	"a sample account":      {"dependentRequired": object{"recovery_codes": []string{"totp"}}},
	"a sample account totp": text(`^[A-Z2-7]{16,}=*$`),
	"send":                  atMostOne("json", "form", "multipart", "xml", "text", "raw"),
	"send path":             text(`^/`),
	"expect":                atMostOne("json", "xml", "text", "empty"),
	"expect status":         {"minimum": 200, "maximum": 599},
}

const (
	source = `^(body\.[^.]+(\.[^.]+)*|(query|header|path|cookie)\..+|basic\.(username|password)|bearer)$`
	header = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
	random = `^(base62|uuid|(hex|base64_|base64url_|base62_)(1[6-9]|[2-9][0-9]|[1-9][0-9]{2}))$`
)

// line is text without a line break or another control character.
var line = object{"pattern": `^[^\x00-\x08\x0a-\x1f\x7f]*$`}

// reply has one body, which a status without one may lack.
var reply = object{
	"allOf": []any{
		atMostOne("json", "xml", "text", "empty"),
		object{"anyOf": []any{
			required("json"), required("xml"), required("text"), required("empty"),
			object{"required": []string{"status"}, "properties": object{"status": object{"enum": []any{204, 304}}}},
		}},
		object{
			"if":   object{"required": []string{"status"}, "properties": object{"status": object{"enum": []any{204, 304}}}},
			"then": object{"not": object{"anyOf": []any{required("json"), required("xml"), required("text")}}},
		},
		object{"if": required("type"), "then": object{"anyOf": []any{required("json"), required("xml"), required("text")}}},
	},
}

// tokens have other members as JWTs than as opaque tokens, which alone may never end.
var tokens = object{
	"if":   object{"required": []string{"format"}, "properties": object{"format": object{"const": "opaque"}}},
	"then": without("algorithm", "key_id", "type", "audiences", "claims"),
	"else": object{"allOf": []any{
		object{"required": []string{"algorithm", "claims"}}, without("form", "value"),
		object{"properties": object{"lifetime": object{"not": object{"const": "never"}}}},
	}},
}

// ownHeaders are not for files to write: the server does.
var ownHeaders = func() object {
	var names []string
	for _, name := range []string{
		"Connection", "Keep-Alive", "Transfer-Encoding", "Trailer", "Upgrade", "Content-Length", "Date", "Content-Type",
		"Cache-Control", "X-Content-Type-Options", "Retry-After", "Allow",
	} {
		names = append(names, name, strings.ToLower(name))
	}
	return object{"propertyNames": object{"not": object{"enum": names}}}
}()

// text is a text that matches a pattern, or a setting.
func text(pattern string) object {
	return object{"pattern": strings.TrimSuffix(setting["pattern"].(string), "$") + "$|" + pattern}
}

func required(names ...string) object { return object{"required": names} }

func oneOf(names ...string) object {
	all := make([]any, len(names))
	for i, name := range names {
		all[i] = required(name)
	}
	return object{"oneOf": all}
}

func atMostOne(names ...string) object {
	var pairs []any
	for i := range names {
		for _, other := range names[i+1:] {
			pairs = append(pairs, required(names[i], other))
		}
	}
	return object{"not": object{"anyOf": pairs}}
}

func without(names ...string) object {
	all := make([]any, len(names))
	for i, name := range names {
		all[i] = required(name)
	}
	return object{"not": object{"anyOf": all}}
}
