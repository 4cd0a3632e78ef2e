package store

import (
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// SQLite finds the rows of every query by an index that narrows them down further
// than to a realm, lists apart.
func TestPlans(t *testing.T) {
	lists := []query{readRealms, readAccounts, readTenants, readAccessKeys, readEvents, readRealmEvents, findEvents, lastEvents, readOldest, eraseAddresses, readSigningKeys, readAnySigningKey}
	whole := regexp.MustCompile(`^SCAN [a-z]|\(realm=\?\)`)
	s := openTest(t, sqliteURL(t))
	for q, text := range queries {
		if slices.Contains(lists, query(q)) || strings.Contains(text, "savepoint step") {
			continue
		}
		for _, step := range plan(t, s.writer.prepared.db, text) {
			if whole.MatchString(step) && step != "SCAN named" { // which is a row that the query makes
				t.Errorf("%s\n%s", text, step)
			}
		}
	}
}

// plan returns the steps by which SQLite runs a query.
func plan(t *testing.T, db *sql.DB, text string) []string {
	t.Helper()
	parameters := map[string]bool{}
	for _, name := range parameter.FindAllString(text, -1) {
		parameters[name] = true
	}
	rows, err := db.QueryContext(t.Context(), "explain query plan "+text, make([]any, len(parameters))...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	steps, err := collect(rows, func(r row) (step string, err error) {
		var id, parent, unused int
		return step, r.Scan(&id, &parent, &unused, &step)
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}
