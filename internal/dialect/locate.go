package dialect

import (
	"strconv"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// locate finds the place in the file of a text's character: quotes, escapes,
// folded lines and the indentation of blocks stand between the two. Where the
// walk loses its way it returns the beginning of the text.
func (r *reader) locate(n *yaml.Node, offset int) (line, column int) {
	w := walker{lines: r.lines, line: n.Line - 1, column: n.Column - 1, style: n.Style}
	if !w.begin() {
		return n.Line, n.Column
	}
	value := []rune(n.Value)
	for i := 0; i < len(value); {
		if end, ok := w.gap(); ok {
			// A line's end in the file is any white space in the text: fold, blank lines, indentation.
			for i < len(value) && unicode.IsSpace(value[i]) {
				if i >= offset {
					return w.place()
				}
				i++
			}
			w.line, w.column = end.line, end.column
			if i == len(value) {
				break
			}
		}
		if i >= offset {
			return w.place()
		}
		c, ok := w.next()
		if !ok || c != value[i] {
			return n.Line, n.Column
		}
		i++
	}
	return w.place()
}

// A walker reads a scalar's characters where they stand in the file.
type walker struct {
	lines        [][]rune
	line, column int // from 0
	style        yaml.Style
}

func (w *walker) place() (line, column int) { return w.line + 1, w.column + 1 }

// begin steps over the opening quote, or to the first line of a block.
func (w *walker) begin() bool {
	if w.line < 0 || w.line >= len(w.lines) || w.column < 0 {
		return false
	}
	switch {
	case w.style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		w.column++
	case w.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		w.line++
		w.column = 0
		for w.line < len(w.lines) && w.column >= w.indent() {
			if len(w.lines[w.line]) > w.indent() {
				break
			}
			w.line++
		}
		if w.line >= len(w.lines) {
			return false
		}
		w.column = w.indent()
	}
	return true
}

// indent counts the spaces at the line's beginning.
func (w *walker) indent() int {
	for i, c := range w.lines[w.line] {
		if c != ' ' {
			return i
		}
	}
	return len(w.lines[w.line])
}

// gap recognizes white space that reaches over a line's end, and finds its own end.
func (w *walker) gap() (end walker, ok bool) {
	end = *w
	for end.line < len(end.lines) {
		text := end.lines[end.line]
		for end.column < len(text) && (text[end.column] == ' ' || text[end.column] == '\t') {
			end.column++
		}
		if end.column < len(text) {
			break
		}
		end.line++
		end.column = 0
	}
	if end.line >= len(end.lines) {
		end.line = len(end.lines) - 1
		end.column = len(end.lines[end.line])
		return end, w.line < end.line || w.column >= len(w.lines[w.line])
	}
	return end, end.line > w.line
}

// next reads one character by the rules of the scalar's style.
func (w *walker) next() (rune, bool) {
	if w.line >= len(w.lines) || w.column >= len(w.lines[w.line]) {
		return 0, false
	}
	text := w.lines[w.line][w.column:]
	switch {
	case w.style&yaml.SingleQuotedStyle != 0 && text[0] == '\'':
		w.column += 2
		return '\'', true
	case w.style&yaml.DoubleQuotedStyle != 0 && text[0] == '\\' && len(text) > 1:
		return w.escape(text[1:])
	}
	w.column++
	return text[0], true
}

var escapes = map[rune]rune{
	'0': 0, 'a': '\a', 'b': '\b', 't': '\t', '\t': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r', 'e': 0x1b,
	' ': ' ', '"': '"', '/': '/', '\\': '\\', 'N': 0x85, '_': 0xa0, 'L': 0x2028, 'P': 0x2029,
}

func (w *walker) escape(text []rune) (rune, bool) {
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[text[0]]
	if digits == 0 {
		w.column += 2
		c, ok := escapes[text[0]]
		return c, ok
	}
	if len(text) < 1+digits {
		return 0, false
	}
	code, err := strconv.ParseUint(string(text[1:1+digits]), 16, 32)
	w.column += 2 + digits
	return rune(code), err == nil
}
