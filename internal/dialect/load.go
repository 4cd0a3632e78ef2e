package dialect

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

var dialectName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// maxRoutes bounds what a file can ask of the loader.
const maxRoutes = 50

// Load reads a dialect file and binds it. The error is [Faults]: everything that
// is wrong with the file, each with its place.
func Load(file string, source []byte, options Options) (*Dialect, error) {
	r := &reader{file: file, shared: map[spot]bool{}, told: map[repetition]bool{}}
	d := &Dialect{
		realm: options.Realm, issuer: options.Issuer, baseURL: options.BaseURL,
		limits: options.Limits, now: options.Now, trace: options.Trace,
	}
	if d.limits == (body.Limits{}) {
		d.limits = body.DefaultLimits
	}
	if d.now == nil {
		d.now = time.Now
	}
	digest := sha256.Sum256(source)
	d.version = hex.EncodeToString(digest[:6])
	r.dialect = d
	if root := r.parse(source); root != nil {
		r.load(root, options)
	}
	if len(r.faults) > 0 {
		return nil, r.faults.sorted()
	}
	d.warnings = r.warnings.sorted()
	return d, nil
}

// load reads the sections, those first that others refer to.
func (r *reader) load(root *yaml.Node, options Options) {
	d := r.dialect
	d.root = root
	s := r.section(root, &dialectShape)
	r.settings = r.readSettings(s.get("settings"), options.Settings)
	d.settings = r.settings
	r.head(s)
	r.conduct(s)
	d.messages = r.messages(s.get("messages"))
	r.policies(s.get("tokens"), d)
	d.carriers = r.carriers(s.get("carriers"))
	r.tickets(s.get("tickets"), d)
	r.mails(s.get("mails"), d)
	r.defaults(s)
	d.fileIssueTemplates = r.issueTemplates(s.get("issues"))
	r.words(s, d)
	for i, n := range r.items(s.need("routes"), "routes") {
		if i == maxRoutes {
			r.fault(n, "split it into two dialects", "there are more than %d routes", maxRoutes)
			break
		}
		d.routes = append(d.routes, r.route(n, d))
	}
	d.samples = r.samples(s.get("samples"), d)
	d.examples = r.examples(s.get("examples"), d)
	if !r.full() {
		r.finish(s)
	}
}

// head reads what the dialect is and whom it takes.
func (r *reader) head(s section) {
	d := r.dialect
	if n := s.need("dialect"); n != nil {
		if d.name = r.text(n, "dialect"); d.name != "" && !dialectName.MatchString(d.name) {
			r.fault(n, "use lower-case letters, digits and hyphens, at most 63", "%q cannot name a dialect", d.name)
		}
	}
	d.title = d.name
	if n := s.get("title"); n != nil {
		d.title = r.text(n, "title")
	}
	if n := s.get("about"); n != nil {
		d.about = r.text(n, "about")
	}
	d.subject = []core.SubjectKind{core.SubjectAccount}
	if n := s.get("subject"); n != nil {
		d.subject = r.subject(n, "subject")
	}
	if n := s.get("credentials"); n != nil {
		c := r.section(n, &credentialsShape)
		if k := c.get("key"); k != nil {
			d.keyForm.Identifier = r.text(k, "key")
			r.form(k, core.KeyForm{Identifier: d.keyForm.Identifier})
		}
		if k := c.get("secret"); k != nil {
			d.keyForm.Secret = r.text(k, "secret")
			r.form(k, core.KeyForm{Secret: d.keyForm.Secret})
		}
	}
}

func (r *reader) form(n *yaml.Node, f core.KeyForm) {
	if err := f.Validate(); err != nil {
		r.fault(n, "such as key: hex20 and secret: base64_36", "%v", err)
	}
}

// conduct reads how requests are judged.
func (r *reader) conduct(s section) {
	d := r.dialect
	for _, item := range r.items(s.get("admit"), "admit") {
		if r.word(item, "admit", s.shape.slot("admit").Item.Words...) != "" {
			d.admitUnverified = true
			r.warn(item, "leave admit out, if the contract allows", "accounts sign in before anybody has verified them")
		}
	}
	if n := s.get("validation"); n != nil {
		v := r.section(n, &validationShape)
		d.firstOnly = v.word("report") == "first"
		d.byRule = v.word("order") == "rule"
	}
	d.trailingSlash = "strict"
	if s.get("trailing_slash") != nil {
		d.trailingSlash = s.word("trailing_slash")
	}
	d.limits.Once = s.word("repeated_fields") == "refuse"
	d.refuseUnknown = s.word("unknown_inputs") == "refuse"
	if d.foldNames = s.word("names") == "fold"; d.foldNames {
		r.warn(s.get("names"), "leave names out, if the contract allows", "two members whose names differ in case alone are one to this contract, and two to others who read the body")
	}
}

// finish joins the parts and checks that they suffice for each other.
func (r *reader) finish(s section) {
	d := r.dialect
	d.replies = resolve(d.errors)
	d.protectedReplies = resolve(d.protectedErrors)
	for kind, a := range d.replies {
		if d.protectedReplies[kind] == nil {
			d.protectedReplies[kind] = a
		}
	}
	for _, rt := range d.routes {
		own := rt.issueTemplates
		rt.issueTemplates = maps.Clone(d.fileIssueTemplates)
		maps.Copy(rt.issueTemplates, own)
		rt.replies = resolve(rt.errors, d.errors)
		if len(own) > 0 && !rt.disabled {
			r.unsaid(rt)
		}
	}
	d.table = newTable(d.served())
	r.collisions()
	r.reachable(s)
	r.tracking(d)
	r.grantedNames(d)
	r.secondFactors(d)
	r.tellsTaken(d)
	r.keep(d)
	r.neededMails(s, d)
	r.unnamedMessages(d)
}
