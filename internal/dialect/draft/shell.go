package draft

import (
	"regexp"
	"strconv"
	"strings"
)

// shellWords cuts a command into words as a POSIX shell does, $'…' included. It ends
// at what ends a command, such as a pipe. Variables are not filled in.
func shellWords(text string) ([]string, error) {
	s := splitter{text: fromCmd(strings.ReplaceAll(text, "\r\n", "\n"))}
	for s.at < len(s.text) {
		if !s.next() {
			break
		}
	}
	s.flush()
	return s.words, s.err
}

var caret = regexp.MustCompile(`\^(\n|.)`)

// fromCmd takes out the carets by which Windows' cmd keeps characters, as browsers copy
// commands for it.
func fromCmd(text string) string {
	if !strings.Contains(text, `^"`) {
		return text
	}
	return caret.ReplaceAllStringFunc(text, func(kept string) string { return strings.TrimPrefix(kept[1:], "\n") })
}

// A splitter is on its way through a command.
type splitter struct {
	text  string
	at    int
	word  strings.Builder
	open  bool // whether a word has begun, though it may be empty
	words []string
	err   error
}

func (s *splitter) flush() {
	if s.open {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.open = false
}

func (s *splitter) take(text string) {
	s.word.WriteString(text)
	s.open = true
}

// next reads one piece, and reports whether the command goes on.
func (s *splitter) next() bool {
	c := s.text[s.at]
	s.at++
	switch {
	case c == '\\' && s.at < len(s.text):
		if s.text[s.at] != '\n' { // which continues the line
			s.take(s.text[s.at : s.at+1])
		}
		s.at++
	case c == '`' && strings.HasPrefix(s.text[s.at:], "\n"): // PowerShell's way to go on
		s.at++
	case c == '\'':
		return s.quoted("'", func(text string) string { return text })
	case c == '"':
		return s.quoted(`"`, unescapeDouble)
	case c == '$' && strings.HasPrefix(s.text[s.at:], "'"):
		s.at++
		return s.quoted("'", unescapeANSI)
	case c == '$' && strings.HasPrefix(s.text[s.at:], `"`): // a translation
	case strings.ContainsRune(" \t", rune(c)):
		s.flush()
	case c == '\n' && len(s.words) == 0 && !s.open: // before the command
	case strings.ContainsRune("\n|;&<>", rune(c)):
		return false
	default:
		s.take(s.text[s.at-1 : s.at])
	}
	return true
}

// quoted reads up to the closing quote. Within any quote but a plain single one, a
// backslash keeps the next character.
func (s *splitter) quoted(quote string, unescape func(string) string) bool {
	plain := unescape("\\\\") == "\\\\"
	for i := s.at; i < len(s.text); i++ {
		switch {
		case !plain && s.text[i] == '\\':
			i++
		case s.text[i] == quote[0]:
			s.take(unescape(s.text[s.at:i]))
			s.at = i + 1
			return true
		}
	}
	s.err = &Problem{"the command has a quote " + quote + " that is not closed", "give the whole command, in quotes of the other kind; or put it into a file and give --curl - < FILE"}
	return false
}

var doubleEscapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`", "\\\n", "")

func unescapeDouble(text string) string { return doubleEscapes.Replace(text) }

var ansiEscape = regexp.MustCompile(`\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-7]{3}|.)`)

// unescapeANSI reads $'…', in which browsers write commands.
func unescapeANSI(text string) string {
	return ansiEscape.ReplaceAllStringFunc(text, func(escape string) string {
		name, base := escape[2:], 16
		switch c := escape[1]; {
		case c >= '0' && c <= '7' && len(escape) == 4:
			name, base = escape[1:], 8
		case len(escape) == 2:
			if special, ok := ansiNames[c]; ok {
				return special
			}
			return escape[1:]
		}
		code, err := strconv.ParseUint(name, base, 16)
		if err != nil {
			return escape
		}
		return string(rune(code))
	})
}

var ansiNames = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v"}
