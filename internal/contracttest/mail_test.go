package contracttest

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A letter is one mail, as its recipient's program shows it.
type letter struct {
	file    string
	header  mail.Header
	to      []*mail.Address
	subject string
	texts   map[string]string // by media type
}

// ticket is what the letter's link carries.
func (l letter) ticket(t testing.TB) string {
	t.Helper()
	link := regexp.MustCompile(`https://app\.example/\S*`).FindString(l.texts["text/plain"])
	parsed, err := url.Parse(link)
	if err != nil || link == "" {
		t.Fatalf("no link in %q: %v", l.texts["text/plain"], err)
	}
	return parsed.Query().Get("token")
}

// letters reads every mail to an address.
func (w *world) letters(t testing.TB, to string) (found []letter) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(w.config.Mail.Folder, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		l := readLetter(t, file)
		for _, address := range l.to {
			if address.Address == to {
				found = append(found, l)
			}
		}
	}
	return found
}

// letter waits for the nth mail to an address.
func (w *world) letter(t testing.TB, to string, n int) letter {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if found := w.letters(t, to); len(found) >= n {
			newest := found[0]
			for _, l := range found {
				if newer(t, l, newest) {
					newest = l
				}
			}
			return newest
		}
	}
	t.Fatalf("no mail number %d to %s", n, to)
	return letter{}
}

func newer(t testing.TB, a, b letter) bool {
	t.Helper()
	infoA, errA := os.Stat(a.file)
	infoB, errB := os.Stat(b.file)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	return infoA.ModTime().After(infoB.ModTime())
}

func readLetter(t testing.TB, file string) letter {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	message, err := mail.ReadMessage(f)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	l := letter{file: file, header: message.Header, texts: map[string]string{}}
	if l.to, err = message.Header.AddressList("To"); err != nil {
		t.Fatalf("%s: To: %v", file, err)
	}
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		t.Fatalf("%s: Subject: %v", file, err)
	}
	l.read(t, message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
	return l
}

// read keeps the texts of a body and of the parts in it.
func (l *letter) read(t testing.TB, contentType, coding string, body io.Reader) {
	t.Helper()
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatalf("%s: Content-Type %q: %v", l.file, contentType, err)
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		for parts := multipart.NewReader(body, parameters["boundary"]); ; {
			part, err := parts.NextRawPart()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", l.file, err)
			}
			l.read(t, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
		}
	}
	switch strings.ToLower(coding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s: %v", l.file, err)
	}
	l.texts[mediaType] = string(text)
}
