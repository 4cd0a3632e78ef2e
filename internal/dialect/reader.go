package dialect

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Bounds of a dialect file. The largest of those that come with Chancery has a
// twentieth of each.
const (
	maxFile        = 256 << 10 // bytes
	maxNodes       = 20_000
	maxDepth       = 40
	maxExpressions = 500
	maxSettings    = 100
	maxInputs      = 200   // of all routes
	maxPattern     = 1_000 // instructions of one regular expression
	maxMessage     = 1_000 // characters of a fault's words
)

// A reader walks the nodes of a file and collects what is wrong with them.
type reader struct {
	file        string
	lines       [][]rune
	faults      Faults
	warnings    Faults
	settings    settings
	expressions int
	cost        uint64              // of all expressions, as it is estimated
	envs        map[string]*cel.Env // by what their places add to the facts
	inputCount  int
	promises    []promise
	saved       []savedName
	tokens      []*tokenReading
	ofSuccess   replyDefault        // what successes have in common
	ofRefusal   replyDefault        // and what refusals have
	granted     []mention           // of granted.NAME, before the routes that grant are read
	listed      bool                // whether a template lists issues, since last asked
	spoken      bool                // whether a template names a message, likewise
	stated      bool                // whether one names an account's or a key's state, likewise
	shared      map[spot]bool       // where what aliases stand for begins
	told        map[repetition]bool // of the faults there
	dialect     *Dialect            // what is being built
}

// parse reads the file into nodes. It returns nil when there is nothing that
// could be looked at further; the faults then say why.
func (r *reader) parse(source []byte) *yaml.Node {
	if len(source) > maxFile {
		r.add(1, 1, "split what is not part of the contract out of it", "the file has more than %d bytes", maxFile)
		return nil
	}
	for line := range strings.SplitSeq(string(source), "\n") {
		r.lines = append(r.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	var document yaml.Node
	err := yaml.Load(source, &document, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		r.syntax(err)
		return nil
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		r.add(1, 1, beginning, "the file is empty")
		return nil
	}
	nodes := 0
	root := document.Content[0]
	if !r.check(root, 0, &nodes) || !r.share(root) {
		return nil
	}
	return root
}

// beginning is what to do about an empty file.
const beginning = "begin it with: dialect: NAME"

// notYAML is what to do about a file that is no YAML.
const notYAML = "indent by blanks, write name: value, and quote texts that hold : # { or ["

// syntax reports what the YAML parser found.
func (r *reader) syntax(err error) {
	if many, ok := errors.AsType[*yaml.LoadErrors](err); ok && len(many.Errors) > 0 {
		for _, one := range many.Errors {
			r.notYAML(one)
		}
		return
	}
	if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		r.notYAML(one)
		return
	}
	r.add(1, 1, notYAML, "not YAML: %v", err)
}

// secondDocument is the line on which the second document begins.
func (r *reader) secondDocument() int {
	begun := false // the first, by something that is no comment
	for i, line := range r.lines {
		text := strings.TrimSpace(string(line))
		switch {
		case begun && strings.HasPrefix(string(line), "---"):
			return i + 1
		case text != "" && text[0] != '#' && text[0] != '%':
			begun = true
		}
	}
	return 1
}

// openQuote is a line whose last value begins with a quote that the line does not close.
var openQuote = regexp.MustCompile(`^(?:[^#]*[:,\[{-])?\s*["'][^"']*$`)

// unclosed is the first line up to another on which a quoted text begins that goes on
// below, or 0.
func (r *reader) unclosed(line int) int {
	for i := range min(line, len(r.lines)) {
		if openQuote.MatchString(string(r.lines[i])) {
			return i + 1
		}
	}
	return 0
}

func (r *reader) notYAML(found *yaml.LoadError) {
	hint := notYAML
	switch quote := r.unclosed(found.Mark.Line); {
	case strings.Contains(found.Message, "no documents in stream"):
		r.add(1, 1, beginning, "the file is empty")
		return
	case strings.Contains(found.Message, "found multiple"):
		r.add(r.secondDocument(), 1, "leave --- out, or make two files", "the file has more than one YAML document")
		return
	case strings.HasPrefix(found.Message, "unknown anchor"):
		hint = "an anchor stands before what uses it, such as below shared at the file's beginning"
	case quote > 0 && strings.Contains(found.Message, "expected"):
		hint = fmt.Sprintf("a quoted text begins on line %d and does not end there: close its quote", quote)
	}
	r.add(found.Mark.Line, found.Mark.Column, hint, "not YAML: %s", found.Message)
}

// check refuses what YAML can do and dialect files must not. It returns false
// when the nodes had better not be looked at.
func (r *reader) check(n *yaml.Node, depth int, nodes *int) bool {
	*nodes++
	switch {
	case *nodes > maxNodes:
		r.fault(n, "leave out what is not part of the contract", "the file has more than %d values", maxNodes)
		return false
	case depth > maxDepth:
		r.fault(n, "no contract needs that: write it flatter", "nested deeper than %d levels", maxDepth)
		return false
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n, "quote the value for text, or leave the tag out", "tags such as %s are not taken", n.ShortTag())
		return false
	}
	ok := true
	if n.Kind == yaml.MappingNode {
		ok = r.checkNames(n)
	}
	for _, child := range n.Content {
		if !r.check(child, depth+1, nodes) {
			ok = false
			if *nodes > maxNodes {
				return false
			}
		}
	}
	return ok
}

func (r *reader) checkNames(n *yaml.Node) bool {
	seen := make(map[string]int, len(n.Content)/2)
	ok := true
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		if name.Kind != yaml.ScalarNode {
			hint := "quote it"
			if meant := braced(name, nil); meant != "" {
				hint = "write ${" + meant + "} for an expression"
			}
			r.fault(name, hint, "a member's name must be text")
			ok = false
			continue
		}
		if line, double := seen[name.Value]; double {
			r.fault(name, "remove one of the two", "%s is here twice, first on line %d", name.Value, line)
			continue
		}
		seen[name.Value] = name.Line
	}
	return ok
}

// full reports whether there are so many faults that nobody reads more: the rest of
// the file is not looked at.
func (r *reader) full() bool { return len(r.faults) > maxFaults }

// add records a fault; a place outside the file is moved to its nearest edge.
func (r *reader) add(line, column int, hint, format string, args ...any) {
	if r.full() {
		return
	}
	r.faults = append(r.faults, r.place(line, column, hint, fmt.Sprintf(format, args...)))
}

func (r *reader) place(line, column int, hint, message string) Fault {
	line = max(1, min(line, len(r.lines)))
	column = max(1, column)
	if line <= len(r.lines) {
		column = min(column, len(r.lines[line-1])+1)
	}
	return Fault{File: r.file, Line: line, Column: column, Message: told(message), Hint: told(hint)}
}

// longWord is what nobody reads to its end.
var longWord = regexp.MustCompile(`\S{100,}`)

// told is a message of a length that can be read, and so each name in it.
func told(text string) string {
	return longWord.ReplaceAllStringFunc(shorten(text, maxMessage), func(word string) string { return shorten(word, maxShown) })
}

// fault records a fault at a node.
func (r *reader) fault(n *yaml.Node, hint, format string, args ...any) {
	if !r.repeated(n, spot{n.Line, n.Column}, format, hint) {
		r.add(n.Line, n.Column, hint, format, args...)
	}
}

// faultAt records a fault inside a text, offset characters from its beginning.
func (r *reader) faultAt(n *yaml.Node, offset int, hint, format string, args ...any) {
	line, column := r.locate(n, offset)
	if !r.repeated(n, spot{line, column}, format, hint) {
		r.add(line, column, hint, format, args...)
	}
}

// warn records what the contract costs in safety.
func (r *reader) warn(n *yaml.Node, hint, format string, args ...any) {
	r.warnings = append(r.warnings, r.place(n.Line, n.Column, hint, fmt.Sprintf(format, args...)))
}

// warnAt is warn for a place inside a text, offset characters from its beginning.
func (r *reader) warnAt(n *yaml.Node, offset int, hint, format string, args ...any) {
	line, column := r.locate(n, offset)
	r.warnings = append(r.warnings, r.place(line, column, hint, fmt.Sprintf(format, args...)))
}

// constants is the scope in which facts are read that are known at load.
func (r *reader) constants() *scope { return &scope{dialect: r.dialect, now: probeTime} }
