package body

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON can write half of a surrogate pair (RFC 8259, section 8.2), which UTF-8
// cannot. It is kept as the three bytes that UTF-8's scheme would give it, so that
// a text is valid UTF-8 exactly when it has no lone surrogate.
const surrogateLen = 3

// unquoteSurrogates decodes the inside of a string whose syntax has been checked and
// that holds lone surrogates.
func unquoteSurrogates(inner []byte) string {
	text := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); {
		if inner[i] != '\\' {
			text = append(text, inner[i])
			i++
			continue
		}
		if inner[i+1] != 'u' {
			text = append(text, unescape(inner[i+1]))
			i += 2
			continue
		}
		unit := hexUnit(inner[i+2:])
		i += 6
		if utf16.IsSurrogate(unit) && i+1 < len(inner) && inner[i] == '\\' && inner[i+1] == 'u' {
			if pair := utf16.DecodeRune(unit, hexUnit(inner[i+2:])); pair != utf8.RuneError {
				unit = pair
				i += 6
			}
		}
		text = appendUnit(text, unit)
	}
	return string(text)
}

func appendUnit(text []byte, unit rune) []byte {
	if utf16.IsSurrogate(unit) {
		return append(text, 0xE0|byte(unit>>12), 0x80|byte(unit>>6)&0x3F, 0x80|byte(unit)&0x3F)
	}
	return utf8.AppendRune(text, unit)
}

func hexUnit(digits []byte) rune {
	unit, _ := strconv.ParseUint(string(digits[:4]), 16, 16) // checked by the decoder
	return rune(unit)
}

func unescape(letter byte) byte {
	switch letter {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return letter // a quote, a backslash, a slash
}

// surrogateAt returns the lone surrogate that begins at text[i], if one does.
func surrogateAt(text string, i int) (rune, bool) {
	if i+surrogateLen > len(text) || text[i] != 0xED || text[i+1] < 0xA0 {
		return 0, false
	}
	return 0xD000 | rune(text[i+1]&0x3F)<<6 | rune(text[i+2]&0x3F), true
}
