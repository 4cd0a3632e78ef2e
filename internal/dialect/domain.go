package dialect

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// domains say which an e-mail address may have: exact ones, or suffixes that begin
// with a dot.
type domains struct {
	names  []string // in lower case
	except bool     // all but these
}

var domainName = regexp.MustCompile(`^\.?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?$`)

func (r *reader) domainRule(n *yaml.Node) rule {
	made := rule{name: ruleDomain, node: n}
	s := r.section(n, &domainShape)
	list := s.get("only")
	if except := s.get("except"); except != nil {
		made.domains.except = true
		if list != nil {
			r.fault(except, "keep one of them", "a domain rule has only or except, not both")
		}
		list = except
	}
	items := r.items(list, "domain")
	if len(items) == 0 && n.Kind == yaml.MappingNode {
		r.fault(n, "such as domain: {only: [example.com, .example.com]}", "domain names no domain")
	}
	for _, item := range items {
		name := strings.ToLower(r.text(item, "domain"))
		if name != "" && (!domainName.MatchString(name) || strings.Contains(name, "..")) {
			r.fault(item, "such as example.com, or .example.com for all below it; others as xn--…", "%q is no domain", name)
		}
		made.domains.names = append(made.domains.names, name)
		if !made.domains.except {
			made.allowed = append(made.allowed, name)
		}
	}
	return made
}

// have reports whether an address may have its domain. What has none is no matter
// of domains, unless a list says which there may be.
func (d *domains) have(address string) bool {
	_, domain, found := cutLast(address, "@")
	if !found {
		return d.except
	}
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	listed := slices.ContainsFunc(d.names, func(name string) bool {
		return domain == name || strings.HasPrefix(name, ".") && strings.HasSuffix(domain, name) && len(domain) > len(name)
	})
	return listed != d.except
}

func (d *domains) words() string {
	names := strings.Join(d.names, ", ")
	if d.except {
		return "of any domain but " + names
	}
	return "of the domain " + names
}
