package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// shape checks the values of a decision that can be seen without evaluating it.
func (l *linter) shape(rule *ast.Rule, subject subject) {
	name := ruleName(rule)
	for r := rule; r != nil; r = r.Else {
		value := r.Head.Key
		if name == ruleVisibility {
			value = r.Head.Value
		}
		for _, v := range l.valuesOf(r, value) {
			l.shapeOf(name, subject, v)
		}
	}
}

// valuesOf is what a head gives, followed to where the body assigns it.
func (l *linter) valuesOf(rule *ast.Rule, value *ast.Term) []*ast.Term {
	if value == nil {
		return nil
	}
	name, ok := value.Value.(ast.Var)
	if !ok {
		return []*ast.Term{value}
	}
	var out []*ast.Term
	for _, e := range rule.Body {
		if e.IsAssignment() && e.Operand(0).Value.Compare(name) == 0 {
			out = append(out, e.Operand(1))
		}
	}
	return out
}

func (l *linter) shapeOf(name string, subject subject, value *ast.Term) {
	wrong := func(at *ast.Term, format string, args ...any) *Finding {
		return l.add(at.Location, Problem, "decision-shape", format, args...)
	}
	switch v := value.Value.(type) {
	case ast.Object:
		l.objectShape(name, subject, value, v, wrong)
	case ast.String:
		switch {
		case v == "":
			wrong(value, "an empty string decides nothing")
		case name == ruleVisibility:
			l.visibilityShape(subject, value, wrong)
		case subject == namespaceSubject && (name == ruleDelete || name == ruleKeep):
			wrong(value, "%v: a namespace has no tags", value).but(`write {"namespace": input.namespace.name, "reason": …}`)
		}
	case ast.Number, ast.Boolean, ast.Null, *ast.Array, ast.Set, *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension:
		wrong(value, "%s gives %s", name, brief(value)).but("want %s", wanted(name, subject))
	}
}

// wanted words the shapes that a decision may have.
func wanted(name string, subject subject) string {
	switch {
	case name == ruleVisibility && subject == namespaceSubject:
		return `"private", "public" or {"visibility": …, "reason": …}`
	case name == ruleVisibility:
		return `"private", "public", "inherit" or {"visibility": …, "reason": …}`
	case name == ruleDeny || name == ruleWarn:
		return `a message or {"reason": …}`
	case subject == namespaceSubject:
		return `{"namespace": name, "reason": …}`
	}
	return `the name of a tag, {"tag": name, "reason": …} or {"image": name, "reason": …}`
}

func (l *linter) visibilityShape(subject subject, value *ast.Term, wrong func(*ast.Term, string, ...any) *Finding) {
	allowed := []string{"private", "public", "inherit"}
	if subject == namespaceSubject {
		allowed = allowed[:2]
	}
	text, ok := value.Value.(ast.String)
	if !ok || slices.Contains(allowed, string(text)) {
		return
	}
	f := wrong(value, "there is no visibility %v here: there are %s", value, quoted(allowed))
	if meant := nearest(string(text), allowed); meant != "" {
		f.but("did you mean %q?", meant)
	}
}

func (l *linter) objectShape(name string, subject subject, whole *ast.Term, o ast.Object, wrong func(*ast.Term, string, ...any) *Finding) {
	allowed := []string{"tag", "image", "reason"}
	switch {
	case name == ruleVisibility:
		allowed = []string{"visibility", "reason"}
	case (name == ruleDeny || name == ruleWarn) && subject == imageSubject:
		allowed = []string{"reason", "tag"}
	case name == ruleDeny || name == ruleWarn:
		allowed = []string{"reason"}
	case subject == namespaceSubject:
		allowed = []string{"namespace", "reason"}
	}
	var keys []string
	complete := true
	for _, k := range o.Keys() {
		key, ok := k.Value.(ast.String)
		if !ok {
			complete = false
			continue
		}
		keys = append(keys, string(key))
		if !slices.Contains(allowed, string(key)) {
			complete = false
			f := wrong(k, "there is no key %v in a decision %s: there are %s", k, name, quoted(allowed))
			if meant := nearest(string(key), allowed); meant != "" {
				f.but("did you mean %q?", meant)
			}
			continue
		}
		l.fieldShape(string(key), subject, o.Get(k), wrong)
	}
	if complete {
		l.subjectShape(name, whole, keys, wrong)
	}
}

// fieldShape checks the value of one field that is a literal.
func (l *linter) fieldShape(key string, subject subject, value *ast.Term, wrong func(*ast.Term, string, ...any) *Finding) {
	switch v := value.Value.(type) {
	case ast.String:
		if v == "" {
			wrong(value, "field %q is empty", key)
		} else if key == "visibility" {
			l.visibilityShape(subject, value, wrong)
		}
	case ast.Number, ast.Boolean, ast.Null, *ast.Array, ast.Object, ast.Set:
		wrong(value, "field %q wants a string, and is %s", key, brief(value))
	}
}

// subjectShape checks that a decision says what it is about.
func (l *linter) subjectShape(name string, whole *ast.Term, keys []string, wrong func(*ast.Term, string, ...any) *Finding) {
	has := func(key string) bool { return slices.Contains(keys, key) }
	switch name {
	case ruleVisibility:
		if !has("visibility") {
			wrong(whole, `%s does not say which: "visibility" is missing`, name)
		}
	case ruleDeny, ruleWarn:
		if !has("reason") {
			wrong(whole, `%s does not say why: "reason" is missing`, name)
		}
	default:
		subjects := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == "reason" })
		if len(subjects) != 1 {
			wrong(whole, "%s is about %s", name, [...]string{"nothing", "", "two things at once"}[min(len(subjects), 2)]).
				but(`want exactly one of "tag", "image" and "namespace"`)
		}
	}
}
