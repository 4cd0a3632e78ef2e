package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs runs what the documents tell their readers to type. In each document,
//
//	```sh                  is run, in order, in one empty folder
//	```sh background=word  is started, until it says the word, and ended at the end
//	```yaml name.yaml      is written to that file, whatever the language
//	```console             is for what a test cannot do, such as cloning
//	```yaml part           is a part of a dialect, which internal/dialect's TestManualParts loads
//
// The ports are others than the documents', so that tests can run side by side.
func TestDocs(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range append(documents, filepath.Join("..", "..", "README.md")) {
		t.Run(filepath.Base(document), func(t *testing.T) {
			text, err := os.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			runDocument(t, string(text))
		})
	}
}

var fence = regexp.MustCompile("(?ms)^```([a-z]+)[ ]?([^\n]*)\n(.*?)^```$")

func runDocument(t *testing.T, document string) {
	folder, public, admin := t.TempDir(), freeAddress(t), freeAddress(t)
	local := strings.NewReplacer(
		"go run ./cmd/chancery demo", "chancery demo --listen "+public,
		"127.0.0.1:8080", public, "127.0.0.1:8081", admin,
	)
	// curl is made to fail where a reader would see a refusal.
	if err := os.WriteFile(filepath.Join(folder, ".curlrc"), []byte("fail-with-body\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := []string{"CHANCERY_ADMIN_LISTEN=" + admin, "CHANCERY_DRAIN=1ms", "CURL_HOME=" + folder}
	for _, block := range fence.FindAllStringSubmatch(document, -1) {
		language, info, body := block[1], block[2], local.Replace(block[3])
		until, background := strings.CutPrefix(info, "background=")
		switch {
		case strings.Contains(info, ".") && !strings.ContainsAny(info, " ="):
			if err := os.WriteFile(filepath.Join(folder, info), []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
		case language == "sh" && background:
			start(t, folder, strings.TrimSpace(body), strings.Trim(until, `"`), environment...)
		case language == "sh" && info == "":
			if out, err := shell(t, t.Context(), folder, body, environment...).CombinedOutput(); err != nil {
				t.Errorf("%s%v\n%s", body, err, out)
			}
		case language == "sh", language == "bash", language == "shell":
			t.Errorf("%s %s: this block would not be run; use sh or console", language, info)
		}
	}
}

func freeAddress(t *testing.T) string {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
