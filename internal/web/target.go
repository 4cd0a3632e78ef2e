package web

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

// Ambiguous reports whether two servers could read the path of a request
// differently: a path like that is not judged but refused (S62). The query takes
// no part.
func Ambiguous(r *http.Request) bool {
	path, escaped := r.URL.Path, r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") || r.URL.Fragment != "" || !utf8.ValidString(path) {
		return true
	}
	for i := range len(path) {
		switch c := path[i]; {
		case c < ' ', c == 0x7f, c == '\\', c == ';', c == '#':
			return true
		}
	}
	return strings.Contains(path, "//") || dotSegment(path) || encodedSeparator(escaped)
}

func dotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// encodedSeparator finds %2F, %5C and %2E.
func encodedSeparator(escaped string) bool {
	for rest := escaped; ; {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			return false
		}
		if len(after) >= 2 {
			switch {
			case after[0] == '2' && strings.IndexByte("EeFf", after[1]) >= 0, after[0] == '5' && (after[1] == 'C' || after[1] == 'c'):
				return true
			}
		}
		rest = after
	}
}
