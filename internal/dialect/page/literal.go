package page

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// words are how a language spells the values of JSON.
type words struct {
	null, yes, no string
	arrow         string // between a name and its value
	indent        string
}

// literal writes a text as Python, JavaScript and Go do: JSON's form is right in all.
func literal(text string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(text)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// rubyLiteral is literal for Ruby, in whose texts # begins an expression.
func rubyLiteral(text string) (string, error) {
	out, err := literal(text)
	return strings.ReplaceAll(out, "#", `\#`), err
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// shellWord makes text one word of a POSIX shell.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// plainName is a form field's name that curl takes as it is.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func titleCase(method string) string { return method[:1] + strings.ToLower(method[1:]) }

func indented(text []byte, prefix string) (string, error) {
	if len(text) < 50 {
		return string(text), nil
	}
	var b strings.Builder
	err := words{"null", "true", "false", ": ", "  "}.write(&b, json.NewDecoder(strings.NewReader(string(text))), prefix, literal)
	return compact(b.String()), err
}

// rawGo is a JSON text as a literal of Go.
func rawGo(text string) (string, error) {
	if strings.Contains(text, "`") {
		return literal(text)
	}
	return "`" + text + "`", nil
}

// value writes JSON in the language's words, indented by that many steps.
func (w words) value(text []byte, indent int) (string, error) {
	var b strings.Builder
	d := json.NewDecoder(strings.NewReader(string(text)))
	quote := literal
	if w.null == "nil" {
		quote = rubyLiteral
	}
	err := w.write(&b, d, strings.Repeat(w.indent, indent), quote)
	return compact(b.String()), err
}

func (w words) write(b *strings.Builder, d *json.Decoder, indent string, quote func(string) (string, error)) error {
	d.UseNumber()
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return w.writeMany(b, d, indent, quote, t == '{')
	case string:
		text, err := quote(t)
		b.WriteString(text)
		return err
	case json.Number:
		b.WriteString(t.String())
	case bool:
		b.WriteString(map[bool]string{true: w.yes, false: w.no}[t])
	default:
		b.WriteString(w.null)
	}
	return nil
}

// writeMany writes an object or a list, each member on a line of its own.
func (w words) writeMany(b *strings.Builder, d *json.Decoder, indent string, quote func(string) (string, error), isObject bool) error {
	brackets := map[bool]string{true: "{}", false: "[]"}[isObject]
	b.WriteByte(brackets[0])
	inner := indent + w.indent
	n := 0
	for ; d.More(); n++ {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + inner)
		if isObject {
			if err := w.write(b, d, inner, quote); err != nil {
				return err
			}
			b.WriteString(w.arrow)
		}
		if err := w.write(b, d, inner, quote); err != nil {
			return err
		}
	}
	if n > 0 {
		b.WriteString("\n" + indent)
	}
	b.WriteByte(brackets[1])
	_, err := d.Token()
	return err
}

// pretty writes JSON to be read: what is small stands on one line.
func pretty(text []byte) (string, error) {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return "", err
	}
	return compact(b.String()), nil
}

// compact puts small lists on one line.
func compact(text string) string {
	return smallList.ReplaceAllStringFunc(text, func(list string) string {
		return "[" + strings.Join(strings.Fields(list[1:len(list)-1]), " ") + "]"
	})
}

// smallList is a list of a few short words and numbers.
var smallList = regexp.MustCompile(`\[\n(?:\s*[^\s"{\[]{1,12},?\n|\s*"[^"\s\\]{1,24}",?\n){1,3}\s*\]`)

var index = regexp.MustCompile(`^[0-9]+$`)

// access leads from a JSON value to what is at path, in Python's and JavaScript's words.
func access(path []string) (string, error) {
	var b strings.Builder
	for _, name := range path {
		text, err := literal(name)
		if err != nil {
			return "", err
		}
		if index.MatchString(name) {
			text = name
		}
		b.WriteString("[" + text + "]")
	}
	return b.String(), nil
}

// accessRuby is access in Ruby's words.
func accessRuby(path []string) (string, error) {
	text, err := access(path)
	return strings.ReplaceAll(text, "#", `\#`), err
}

// accessGo leads from a value of type any to the text at path.
func accessGo(path []string) (string, error) {
	text := ""
	for _, name := range path {
		if index.MatchString(name) {
			text += ".([]any)[" + name + "]"
			continue
		}
		quoted, err := literal(name)
		if err != nil {
			return "", err
		}
		text += ".(map[string]any)[" + quoted + "]"
	}
	return text + ".(string)", nil
}

func basic(p *dialect.Pair) string {
	return base64.StdEncoding.EncodeToString([]byte(p.Name + ":" + p.Value))
}

// sed is the command that takes the token out of a reply, for curl; "" for none.
func sed(f find) string {
	switch f.In {
	case "json":
		name := slices.DeleteFunc(slices.Clone(f.Path), index.MatchString)
		last := ""
		if len(name) > 0 {
			last = name[len(name)-1]
		}
		return `sed 's/.*"` + sedWord(last) + `": *"` + sedWord(f.Before) + `\([^"]*\)".*/\1/'`
	case "xml":
		return `sed 's/.*<` + sedWord(f.Name) + `[^>]*>` + sedWord(f.Before) + `\([^<]*\)<.*/\1/'`
	case "header":
		return `awk 'tolower($1) == "` + strings.ToLower(f.Name) + `:" {print $NF}' | tr -d '\r'`
	case "cookie":
		return `sed -n 's/.*` + sedWord(f.Name) + `=` + sedWord(f.Before) + `\([^;]*\).*/\1/p'`
	}
	if f.Before != "" {
		return `sed 's/^` + sedWord(f.Before) + `//'`
	}
	return ""
}

var sedSpecial = regexp.MustCompile(`[\\/.*^$\[\]']`)

// sedWord is text as it stands in an expression of sed.
func sedWord(text string) string {
	return sedSpecial.ReplaceAllStringFunc(text, func(c string) string {
		if c == "'" {
			return "."
		}
		return `\` + c
	})
}
