package dialect

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"
	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// Bounds of one expression: what the loader takes, and what a run may cost.
const (
	maxExpression = 500 // characters
	maxCost       = 100_000
	maxTotalCost  = 5_000_000 // of a file
	assumedSize   = 100       // items of a list, characters of a text, for the estimate
)

// A leaf is a compiled expression.
type leaf struct {
	get      func(*scope) (any, error)
	typ      factType
	nullable bool
	fact     string // the fact's name, when the leaf is nothing but a fact
	constant bool   // the value is known at load
	settled  bool   // it names nothing but what is known at load
	asked    bool   // the value is made of inputs, which may be anything
}

// refuse makes a failure the request's, where it is its inputs that the expression
// cannot work with or that have no form in their place (S54).
func (l *leaf) refuse(err error) error {
	if err == nil || !l.asked {
		return err
	}
	return &core.Error{Kind: core.InvalidField, Err: err}
}

var (
	factPath      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
	attributePath = regexp.MustCompile(`\b(?:account|key|client)\.attributes\.([A-Za-z_][A-Za-z0-9_]*)`)
	instantF      = regexp.MustCompile(`^(iso|iso_full|epoch|epoch_ms)\(\s*([A-Za-z_.]+)\s*(?:,\s*([0-9])\s*)?\)$`)
	keywords      = []string{"true", "false", "null"}
)

// expression compiles the text between ${ and }, which begins offset characters
// into the node's text. It returns nil after a fault.
func (r *reader) expression(n *yaml.Node, text string, offset int, p *place) *leaf {
	lead := len([]rune(text)) - len([]rune(strings.TrimLeft(text, " \t\n")))
	text, offset = strings.TrimSpace(text), offset+lead
	for _, m := range attributePath.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(r.dialect.attributes, m[1]) {
			r.dialect.attributes = append(r.dialect.attributes, m[1])
		}
	}
	if r.expressions++; r.expressions > maxExpressions {
		if r.expressions == maxExpressions+1 {
			r.faultAt(n, offset, "split it into two dialects", "the file has more than %d expressions", maxExpressions)
		}
		return nil
	}
	if text == "" {
		r.faultAt(n, offset, "name a fact, such as ${account.id}", "an expression is empty")
		return nil
	}
	if factPath.MatchString(text) && !slices.Contains(keywords, text) {
		return r.plain(n, text, offset, p)
	}
	if m := instantF.FindStringSubmatch(text); m != nil {
		if l := r.instantCall(m, p); l != nil {
			return l
		}
	}
	return r.compile(n, text, offset, p)
}

// plain resolves an expression that is one fact: no run of CEL is needed for it.
func (r *reader) plain(n *yaml.Node, name string, offset int, p *place) *leaf {
	v, problem, hint := p.resolve(r, name)
	if problem != "" {
		r.faultAt(n, offset, hint, "%s", problem)
		return nil
	}
	if rest, ok := strings.CutPrefix(name, grantedFact+"."); ok && openFact(name) != nil {
		r.namesGranted(n, rest, offset)
	}
	return v.leaf()
}

var secretWord = regexp.MustCompile(`(?i)password|secret|hash|digest|passwd`)

func secretName(name string) bool { return secretWord.MatchString(name) }

// compile type-checks an expression and makes it ready to run.
func (r *reader) compile(n *yaml.Node, text string, offset int, p *place) *leaf {
	if r.full() {
		return nil
	}
	env, err := r.env(p)
	if err != nil {
		r.faultAt(n, offset, "leave loops, or inputs that nobody names, out", "expression environment: %v", err)
		return nil
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		r.celFaults(n, text, offset, p, issues)
		return nil
	}
	vars, ok := r.variables(n, text, offset, p, checked)
	if !ok {
		return nil
	}
	if name := swelling(checked); name != "" {
		r.faultAt(n, offset, "write replace and join with constants of "+strconv.Itoa(maxSeparator)+" bytes at most, "+strconv.Itoa(maxSwelling)+" at most, and texts by +", "%s may make a text or a list without bound", name)
		return nil
	}
	estimate, err := env.EstimateCost(checked, estimator{})
	if err != nil || estimate.Max > maxCost {
		r.faultAt(n, offset, "loops inside loops cost most: leave one out", "the expression may cost too much to run")
		return nil
	}
	if before := r.cost; before <= maxTotalCost {
		if r.cost += estimate.Max; r.cost > maxTotalCost {
			r.faultAt(n, offset, "move what is computed from data into attributes", "the expressions of the file may cost too much to run, all together")
			return nil
		}
	}
	program, err := env.Program(checked, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		r.faultAt(n, offset, notCEL, "%v", err)
		return nil
	}
	typ, nullable, problem, hint := resultType(checked.OutputType())
	if problem != "" {
		r.faultAt(n, offset, hint, "%s", problem)
		return nil
	}
	l := &leaf{typ: typ, nullable: nullable, settled: settled(vars), asked: p.asks(vars)}
	l.get = func(s *scope) (any, error) {
		v, _, err := program.Eval(&activation{s, vars})
		if err != nil {
			return nil, l.refuse(fmt.Errorf("expression %q: %w", text, err))
		}
		return toNative(v)
	}
	if err := l.probe(p); err != nil {
		problem, hint := p.failure(text, vars, err)
		r.faultAt(n, offset, hint, "%s", problem)
		return nil
	}
	return l
}

// Bounds of functions that make long texts of short ones, of which CEL counts no cost.
const (
	maxSwelling  = 3
	maxSeparator = 16
)

// swelling names a function by which an expression may make a text or a list
// without bound: format, whose precision is any number; replace, join and quote but
// for a few by constants; and lists that loops add to themselves.
func swelling(checked *cel.Ast) (name string) {
	rep := checked.NativeRep()
	count, sums, loops := 0, 0, false
	ast.PreOrderVisit(rep.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if loops = loops || e.Kind() == ast.ComprehensionKind; e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		switch f := call.FunctionName(); f {
		case "format":
			name = f
		case "replace", "join", "strings.quote":
			if count++; count > maxSwelling || f != "strings.quote" && slices.ContainsFunc(call.Args(), swells) ||
				f == "replace" && call.Args()[0].AsLiteral() == types.String("") { // between all characters
				name = f
			}
		case operators.Add:
			if slices.Contains(rep.ReferenceMap()[e.ID()].OverloadIDs, overloads.AddList) && !accumulates(call.Args()[0]) {
				sums++
			}
		}
	}))
	if loops && sums > maxSwelling {
		return "+"
	}
	return name
}

// accumulates recognizes what a loop itself collects its results in.
func accumulates(e ast.Expr) bool {
	return e.Kind() == ast.IdentKind && (e.AsIdent() == parser.HiddenAccumulatorName || e.AsIdent() == parser.AccumulatorName)
}

// swells tells whether a function's argument may be a long text.
func swells(e ast.Expr) bool {
	if e.Kind() != ast.LiteralKind {
		return true
	}
	text, ok := e.AsLiteral().(types.String)
	return ok && len(text) > maxSeparator
}

// variables finds what the expression names, and checks that the place knows it.
func (r *reader) variables(n *yaml.Node, text string, offset int, p *place, checked *cel.Ast) (map[string]getter, bool) {
	rep := checked.NativeRep()
	local := map[string]bool{}
	ast.PreOrderVisit(rep.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			c := e.AsComprehension()
			local[c.IterVar()], local[c.IterVar2()], local[c.AccuVar()] = true, true, true
		}
		if e.Kind() == ast.SelectKind {
			s := e.AsSelect()
			if s.Operand().Kind() == ast.IdentKind && s.Operand().AsIdent() == grantedFact {
				r.namesGranted(n, s.FieldName(), offset+runeIndex(text, grantedFact+"."+s.FieldName()))
			}
		}
	}))
	vars, ok := map[string]getter{}, true
	references := rep.ReferenceMap()
	for _, id := range slices.Sorted(maps.Keys(references)) {
		name := references[id].Name
		if name == "" || len(references[id].OverloadIDs) > 0 || local[name] || references[id].Value != nil {
			continue
		}
		v, problem, hint := p.resolve(r, name)
		if problem != "" {
			r.faultAt(n, offset+runeIndex(text, name), hint, "%s", problem)
			ok = false
			continue
		}
		vars[name] = v.get
	}
	return vars, ok
}

// settled reports whether an expression names settings and other constants alone.
func settled(vars map[string]getter) bool {
	for name := range vars {
		if !strings.HasPrefix(name, "setting.") && name != "issuer" && name != "base_url" {
			return false
		}
	}
	return true
}

// asks reports whether some of the names that an expression uses are made of inputs.
func (p *place) asks(vars map[string]getter) bool {
	for name := range vars {
		if strings.HasPrefix(name, "input.") || slices.ContainsFunc(p.loops, func(l loop) bool { return l.name == name && l.asked }) {
			return true
		}
	}
	return false
}

// runeIndex finds a name in a text, in characters.
func runeIndex(text, name string) int {
	i := strings.Index(text, name)
	return len([]rune(text[:max(i, 0)]))
}

// An activation gives an expression the facts that it names.
type activation struct {
	scope *scope
	vars  map[string]getter
}

// ResolveName implements cel.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	get, ok := a.vars[name]
	if !ok {
		return nil, false
	}
	return get(a.scope), true
}

// Parent implements cel.Activation.
func (*activation) Parent() cel.Activation { return nil }

// An estimator bounds what facts hold, for the estimate of an expression's cost.
type estimator struct{}

// EstimateSize implements cost.Estimator.
func (estimator) EstimateSize(cost.AstNode) *cost.SizeEstimate {
	return &cost.SizeEstimate{Min: 0, Max: assumedSize}
}

// EstimateCallCost implements cost.Estimator.
func (estimator) EstimateCallCost(function, overload string, target *cost.AstNode, args []cost.AstNode) *cost.CallEstimate {
	return nil
}
