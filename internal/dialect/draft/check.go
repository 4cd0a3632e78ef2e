package draft

import (
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// Bounds of what a draft takes over. A sign-in has a few of each.
const (
	maxFields = 60
	maxValues = 400
	maxNested = 20
	maxText   = 4 << 10
)

var (
	methods     = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	headerName  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	pathSegment = regexp.MustCompile(`^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*$`)
	pathName    = regexp.MustCompile(`^\{([a-z][a-z0-9_]{0,62})\}$`)
)

// check refuses what no dialect can say, and leaves out what is of no weight.
func (d *Draft) check() error {
	r := &d.Request
	if !slices.Contains(methods, r.Method) {
		return &Problem{fmt.Sprintf("%q is no method", r.Method), "one of " + strings.Join(methods, ", ")}
	}
	if err := r.checkPath(); err != nil {
		return err
	}
	if r.MediaType != "" {
		if typ, _, err := mime.ParseMediaType(r.MediaType); err != nil || !strings.Contains(typ, "/") {
			return &Problem{fmt.Sprintf("%q is no media type", r.MediaType), "such as application/json"}
		}
	}
	if len(r.Fields) > maxFields {
		return &Problem{fmt.Sprintf("the request has more than %d fields", maxFields), "leave out those that say nothing of the sign-in"}
	}
	if err := d.checkFields(); err != nil {
		return err
	}
	for _, reply := range []*Reply{d.Success, d.Refusal} {
		if reply == nil {
			continue
		}
		if err := reply.check(); err != nil {
			return err
		}
	}
	d.Carriers = slices.DeleteFunc(d.Carriers, func(c Carrier) bool {
		return !slices.Contains([]string{"header", "query", "cookie"}, c.In) || !headerName.MatchString(c.Name) || c.Scheme != "" && !headerName.MatchString(c.Scheme)
	})
	return nil
}

func (r *Request) checkPath() error {
	problem := &Problem{fmt.Sprintf("%q cannot be the path of a route", r.Path), "such as /login; a part that differs from call to call is written {name}"}
	if !strings.HasPrefix(r.Path, "/") || strings.HasPrefix(r.Path, "//") {
		return problem
	}
	for segment := range strings.SplitSeq(r.Path[1:], "/") {
		variable := pathName.FindStringSubmatch(segment)
		known := variable != nil && slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Place == "path" && f.Path[0] == variable[1] })
		if !known && (!pathSegment.MatchString(segment) || segment == "." || segment == "..") {
			return problem
		}
	}
	return nil
}

// checkFields leaves out the fields that no input can read; none of the sign-in's own
// may be among them.
func (d *Draft) checkFields() error {
	var kept []Field
	seen := map[string]bool{}
	for _, f := range d.Request.Fields {
		source := f.Place + "." + strings.Join(f.Path, ".")
		readable := !seen[strings.ToLower(source)] && !slices.Contains(f.Path, "") && !strings.ContainsFunc(source, unicode.IsControl) &&
			(f.Place != "header" || headerName.MatchString(f.last())) && (f.Place != "body" || !strings.Contains(strings.Join(f.Path, ""), "."))
		switch {
		case readable:
			seen[strings.ToLower(source)] = true
			kept = append(kept, f)
		case f.Role == "identifier" || f.Role == "secret":
			return &Problem{fmt.Sprintf("the field %q cannot be read: a name has no dots and control characters, and is there once", f.last()), "rename it, and write the file by hand where that matters"}
		default:
			d.Notes = append(d.Notes, fmt.Sprintf("The field %q, whose name cannot be read.", f.last()))
		}
	}
	d.Request.Fields = kept
	if client, secret := d.Request.byRole("client"), d.Request.byRole("client_secret"); client == nil && secret != nil {
		secret.Role, secret.Need = "", false // one of them alone is no application
	} else if secret == nil && client != nil {
		client.Role, client.Need = "", false
	}
	return nil
}

// check refuses a reply that is none, or too large for a sign-in's.
func (r *Reply) check() error {
	if r.Status != 0 && (r.Status < 200 || r.Status > 599) {
		return &Problem{fmt.Sprintf("%d is no status of a reply", r.Status), "a status from 200 to 599"}
	}
	if typ, _, err := mime.ParseMediaType(r.Type); err != nil || !strings.Contains(typ, "/") || strings.ContainsFunc(r.Type, unprintable) {
		r.Type = ""
	}
	r.Headers = slices.DeleteFunc(r.Headers, func(h Header) bool {
		return !headerName.MatchString(h.Name) || strings.ContainsFunc(h.Value, unprintable) || len(h.Value) > maxText
	})
	r.Cookies = slices.DeleteFunc(r.Cookies, func(c *http.Cookie) bool { return c.Valid() != nil || !headerName.MatchString(c.Name) })
	if len(r.Text) > maxText {
		return &Problem{fmt.Sprintf("the reply's body has more than %d bytes and is no JSON", maxText), "give one that is shorter: a page is nothing that programs read"}
	}
	values := 0
	if r.JSON != nil && !countable(*r.JSON, 0, &values) {
		return &Problem{fmt.Sprintf("the reply has more than %d values, or is nested deeper than %d levels", maxValues, maxNested), "leave out what says nothing of the sign-in"}
	}
	if r.Status == http.StatusNoContent || r.Status == http.StatusNotModified {
		r.JSON, r.Text = nil, "" // they have no body
	}
	if r.JSON == nil && r.Text == "" {
		r.Type = ""
	}
	return nil
}

func unprintable(c rune) bool { return c < ' ' || c > '~' }

func countable(v body.Value, depth int, values *int) bool {
	if *values++; *values > maxValues || depth > maxNested || len(v.Text()) > maxText {
		return false
	}
	for _, m := range v.Members() {
		if m.Name() == "" || !countable(m.Value(), depth+1, values) {
			return false
		}
	}
	for _, item := range v.Items() {
		if !countable(item, depth+1, values) {
			return false
		}
	}
	return true
}
