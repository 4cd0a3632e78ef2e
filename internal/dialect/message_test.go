package dialect

import (
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

const threeLanguages = `messages:
  languages: [en, es, pt-BR]
  from: [query.lang, cookie.lang, header.Accept-Language]
  announce: ANNOUNCE
  texts:
    bad: {en: Invalid, es: "No v\u00e1lido", pt-BR: "Inv\u00e1lido"}
    wait: {en: "Wait ${limit.retry_after} s", es: "Espere ${limit.retry_after} s", pt-BR: "${limit.retry_after} s"}
    field: {en: "${issue.label} is missing", es: "Falta ${issue.label}", pt-BR: "Falta ${issue.label}"}
routes:`

func speaking(announce string) string {
	text := filled(map[string]string{"ISSUES": `invalid_request: "${message.field}"`})
	text = strings.Replace(text, "routes:", strings.Replace(threeLanguages, "ANNOUNCE", announce, 1), 1)
	text = strings.Replace(text, "{status: 401, empty: true}", `{status: 401, json: {message: "${message.bad}", loud: "${message.bad + '!'}", language: "${request.language}"}}`, 1)
	return strings.Replace(text, `text: "wait ${limit.retry_after} s"`, `text: "${message.wait}"`, 1)
}

// TestMessages: a message is in the language that the first place names, and in the
// first language where none does, or in none of ours.
func TestMessages(t *testing.T) {
	d := loadText(t, speaking("false"))
	for _, tt := range []struct{ query, cookie, accept, want string }{
		{"", "", "", "Invalid en"},
		{"", "", "es", "No válido es"},
		{"", "", "es-MX, en;q=0.5", "No válido es"},
		{"", "", "en;q=0.5, es", "No válido es"},
		{"", "", "pt", "Inválido pt-BR"},
		{"", "", "ja, ko;q=0.5", "Invalid en"},
		{"", "", "*", "Invalid en"},
		{"", "", "no language", "Invalid en"},
		{"", "", "es" + strings.Repeat(",fr", 1000), "Invalid en"},
		{"lang=es", "", "pt-BR", "No válido es"},
		{"lang=ja", "", "pt-BR", "Inválido pt-BR"},
		{"lang=", "lang=pt-BR", "es", "Inválido pt-BR"},
		{"", "lang=pt-BR", "es", "Inválido pt-BR"},
		{"lang=%zz", "", "es", "No válido es"},
	} {
		r := post("/nowhere?"+tt.query, "", "")
		r.Header.Set("Cookie", tt.cookie)
		if tt.accept != "" {
			r.Header.Set("Accept-Language", tt.accept)
		}
		w := recorder()
		d.Match(r).Refuse(w, &core.Error{Kind: core.BadSecret})
		text, language, _ := strings.Cut(tt.want, " ")
		if text == "No" {
			text, language = "No válido", "es"
		}
		want := `{"message":"` + text + `","loud":"` + text + `!","language":"` + language + `"}`
		if w.Body.String() != want || w.Header().Get("Vary") != "" || w.Header().Get("Content-Language") != "" {
			t.Errorf("%+v: %s\nwant %s", tt, w.Body, want)
		}
	}
	r := post("/login", jsonTyp, "{}")
	r.Header.Set("Accept-Language", "es")
	if _, w, _ := serve(d, r); w.Body.String() != `["Falta user","Falta password"]` {
		t.Errorf("issues: %s", w.Body)
	}
}

// TestAnnouncedLanguage: where the contract says so, a reply with messages tells its
// language, and what chose it; one without does not.
func TestAnnouncedLanguage(t *testing.T) {
	d := loadText(t, speaking("true"))
	for kind, want := range map[core.Kind]string{
		core.RateLimited:    "429 | Content-Language: es | Content-Type: text/plain | Retry-After: 1 | Vary: Cookie | Vary: Accept-Language | Espere 1 s",
		core.Internal:       "500 | Content-Type: text/plain | sorry",
		core.MalformedBody:  `400 | Content-Language: es | Content-Type: application/json | Vary: Cookie | Vary: Accept-Language | ["Falta "]`,
		core.TokenMissing:   "401 | ",
		core.NotFound:       "404 | ",
		core.BadCredentials: `401 | Content-Language: es | Content-Type: application/json | Vary: Cookie | Vary: Accept-Language | {"message":"No válido","loud":"No válido!","language":"es"}`,
	} {
		r := post("/nowhere", "", "")
		r.Header.Set("Accept-Language", "es")
		w := recorder()
		d.Match(r).Refuse(w, &core.Error{Kind: kind})
		if got := wire(w); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", kind, got, want)
		}
	}
}

// TestMessageWarnings: a message that nothing says is told.
func TestMessageWarnings(t *testing.T) {
	text := strings.Replace(filled(nil), "routes:", "messages: {languages: [en], texts: {bad: {en: x}}}\nroutes:", 1)
	warnings := Faults(loadText(t, text).Warnings()).Error()
	if !strings.Contains(warnings, "6:37: nothing says the message bad; hint: write ${message.bad}, or leave it out") {
		t.Errorf("warnings:\n%s", warnings)
	}
}
