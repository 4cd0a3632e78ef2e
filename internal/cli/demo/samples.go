package demo

import (
	"embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed samples/*.tmpl
var sampleFiles embed.FS

var sampleTemplates = template.Must(template.New("").Funcs(template.FuncMap{"literal": literal}).ParseFS(sampleFiles, "samples/*.tmpl"))

// literal writes text as a string of Python, JavaScript and Go: JSON's form is
// right in all three.
func literal(text string) (string, error) {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(text)
	return strings.TrimSuffix(out.String(), "\n"), err
}

// Samples are the names of the sample clients in a contract's folder.
var Samples = []string{"login.py", "login.mjs", "login.go"}

// Write writes the sample clients, ready to run, into folder.
func (c Call) Write(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, name := range Samples {
		var out strings.Builder
		if err := sampleTemplates.ExecuteTemplate(&out, name+".tmpl", c); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(out.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}
