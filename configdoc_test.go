package chancery

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestEverySettingIsDocumented compares Config with docs/configuration.md, both ways.
func TestEverySettingIsDocumented(t *testing.T) {
	manual, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9_.\\[\\]]+)` \\|(.*)$").FindAllStringSubmatch(string(manual), -1) {
		rows[row[1]] = row[2]
	}
	settings := settingPaths(reflect.TypeFor[Config](), "")
	variables := map[string]string{}
	for name, path := range variablePaths(reflect.TypeFor[Config](), "", envPrefix) {
		variables[path] = name
	}
	for _, path := range settings {
		row, ok := rows[path]
		if !ok {
			t.Errorf("%s has no row in docs/configuration.md", path)
		} else if name := variables[path]; name != "" && !strings.Contains(row, "`"+name+"`") {
			t.Errorf("the row of %s does not name %s", path, name)
		}
		delete(rows, path)
	}
	for path := range rows {
		t.Errorf("docs/configuration.md has a row for %s, which is no setting", path)
	}
}

func settingPaths(config reflect.Type, path string) (paths []string) {
	for field := range config.Fields() {
		member := path + field.Tag.Get("yaml")
		kind := field.Type
		switch {
		case field.Tag.Get("envPrefix") != "":
			paths = append(paths, settingPaths(kind, member+".")...)
			continue
		case kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct:
			paths = append(paths, settingPaths(kind.Elem(), member+"[].")...)
		}
		paths = append(paths, member)
	}
	return paths
}
