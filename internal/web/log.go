package web

import (
	"bytes"
	"fmt"
	"log"
	"log/slog"
	"runtime"
	"strings"
	"unicode/utf8"
)

// maxLogField bounds what one field adds to a log line (S77).
const maxLogField = 1 << 10

// Cut shortens text to what a log field may hold.
func Cut(text string) string {
	if len(text) <= maxLogField {
		return text
	}
	end := maxLogField - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// describePanic tells what kind of panic it was without repeating a value that a
// request may have shaped.
func describePanic(reason any) string {
	if err, ok := reason.(runtime.Error); ok {
		return Cut(err.Error())
	}
	return fmt.Sprintf("a value of type %T", reason)
}

// ErrorLog returns what net/http logs to. Its lines can repeat bytes that a
// client sent, so only what they are about is passed on: at debug level, save
// that connections could not be accepted, which an operator must know.
func ErrorLog(to *slog.Logger) *log.Logger { return log.New(errorLog{to}, "", 0) }

type errorLog struct{ log *slog.Logger }

func (e errorLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	switch {
	case strings.HasPrefix(text, "http: Accept error: "): // the kernel's words alone
		e.log.Warn("connections cannot be accepted", slog.String("error", Cut(strings.TrimPrefix(text, "http: Accept error: "))))
	case strings.HasPrefix(text, "http: TLS handshake error"):
		e.log.Debug("a TLS handshake failed")
	case strings.HasPrefix(text, "http: superfluous response.WriteHeader call"):
		e.log.Debug("a handler began its reply twice")
	default:
		e.log.Debug("net/http reported a fault of a connection")
	}
	return len(line), nil
}
