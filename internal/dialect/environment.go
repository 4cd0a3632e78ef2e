package dialect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

// baseEnv knows every fact; where each may be named is checked after compiling.
// endlessEnv is that of places whose token may have no end.
var (
	baseEnv    = sync.OnceValues(func() (*cel.Env, error) { return factsEnv(nil) })
	endlessEnv = sync.OnceValues(func() (*cel.Env, error) { return factsEnv(endFacts) })
)

func factsEnv(absent []string) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.StdLib(), cel.Macros(cel.StandardMacros...), ext.Strings(ext.StringsVersion(4)),
		cel.ParserExpressionSizeLimit(maxExpression), cel.ParserRecursionLimit(60), cel.RegexProgramSizeLimit(1_000),
		cel.ASTValidators(cel.ValidateRegexLiterals()),
	}
	for i := range facts {
		nullable := facts[i].nullable || slices.Contains(absent, facts[i].name)
		options = append(options, cel.Variable(facts[i].name, facts[i].typ.cel(nullable)))
	}
	return cel.NewCustomEnv(append(options, functions()...)...)
}

// A declaration is a variable that a place adds to the facts.
type declaration struct {
	name     string
	typ      factType
	nullable bool
}

// env is the environment of a place: every fact, the settings and messages, and what
// the place adds. Places that add the same share one, as it costs more to make than
// to compile an expression.
func (r *reader) env(p *place) (*cel.Env, error) {
	declared := r.declarations(p)
	var key strings.Builder
	fmt.Fprintf(&key, "%t\n", p.endless)
	for _, d := range declared {
		fmt.Fprintf(&key, "%s %s %t\n", d.name, d.typ, d.nullable)
	}
	if env := r.envs[key.String()]; env != nil {
		return env, nil
	}
	env, err := baseEnv()
	if p.endless {
		env, err = endlessEnv()
	}
	if err != nil {
		return nil, err
	}
	if len(declared) > 0 {
		options := make([]cel.EnvOption, len(declared))
		for i, d := range declared {
			options[i] = cel.Variable(d.name, d.typ.cel(d.nullable))
		}
		if env, err = env.Extend(options...); err != nil {
			return nil, err
		}
	}
	if r.envs == nil {
		r.envs = map[string]*cel.Env{}
	}
	r.envs[key.String()] = env
	return env, nil
}

// declarations are what a place knows beside the facts: the file's settings and
// messages, the route's inputs, and the variables of the loops around.
func (r *reader) declarations(p *place) []declaration {
	var all []declaration
	for _, name := range r.settings.names() {
		all = append(all, declaration{"setting." + name, r.settings[name].factType(), false})
	}
	for _, name := range r.messageNames() {
		all = append(all, declaration{messageFact + "." + name, textType, false})
	}
	for _, name := range slices.Sorted(maps.Keys(p.inputs)) {
		all = append(all, declaration{"input." + name, p.inputs[name].factType(), !p.decoded || !p.inputs[name].always()})
		if p.in&inRequest != 0 {
			all = append(all, declaration{"sent." + name, booleanType, false})
		}
	}
	known := map[string]bool{}
	for _, l := range slices.Backward(p.loops) {
		if known[l.name] {
			continue
		}
		known[l.name] = true
		if !l.ofIssues {
			all = append(all, declaration{l.name, l.typ, false})
			continue
		}
		all = append(all, declaration{l.name + ".text", textType, true})
		for _, f := range issueFacts {
			if l.name != "issue" {
				all = append(all, declaration{l.name + "." + f.short, f.typ, f.nullable})
			}
		}
	}
	return all
}
