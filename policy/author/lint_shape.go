package author

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
)

// shape checks the values of a decision that can be seen without evaluating it.
func (l *linter) shape(rule *ast.Rule, subject modules.Subject) {
	name := modules.RuleName(rule)
	for r := rule; r != nil; r = r.Else {
		value := r.Head.Key
		if name == modules.Visibility {
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

func (l *linter) shapeOf(name string, subject modules.Subject, value *ast.Term) {
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
		case name == modules.Visibility:
			l.visibilityShape(subject, value, wrong)
		case subject == modules.Namespace && (name == modules.Delete || name == modules.Keep):
			wrong(value, "%v: a namespace has no tags", value).WithHint(`write {"namespace": input.namespace.name, "reason": …}`)
		}
	case ast.Number, ast.Boolean, ast.Null, *ast.Array, ast.Set, *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension:
		wrong(value, "%s gives %s", name, modules.Brief(value)).WithHint("want %s", wanted(name, subject))
	}
}

// wanted words the shapes that a decision may have.
func wanted(name string, subject modules.Subject) string {
	switch {
	case name == modules.Visibility && subject == modules.Namespace:
		return `"private", "public" or {"visibility": …, "reason": …}`
	case name == modules.Visibility:
		return `"private", "public", "inherit" or {"visibility": …, "reason": …}`
	case name == modules.Deny || name == modules.Warn:
		return `a message or {"reason": …}`
	case subject == modules.Namespace:
		return `{"namespace": name, "reason": …}`
	}
	return `the name of a tag, {"tag": name, "reason": …} or {"image": name, "reason": …}`
}

func (l *linter) visibilityShape(subject modules.Subject, value *ast.Term, wrong func(*ast.Term, string, ...any) *Finding) {
	allowed := []string{"private", "public", "inherit"}
	if subject == modules.Namespace {
		allowed = allowed[:2]
	}
	word, ok := value.Value.(ast.String)
	if !ok || slices.Contains(allowed, string(word)) {
		return
	}
	f := wrong(value, "%v is not a visibility here: use %s", value, modules.Quoted(allowed))
	if meant := text.Nearest(string(word), allowed); meant != "" {
		f.WithHint("did you mean %q?", meant)
	}
}

func (l *linter) objectShape(name string, subject modules.Subject, whole *ast.Term, o ast.Object, wrong func(*ast.Term, string, ...any) *Finding) {
	allowed := []string{"tag", "image", "reason"}
	switch {
	case name == modules.Visibility:
		allowed = []string{"visibility", "reason"}
	case (name == modules.Deny || name == modules.Warn) && subject == modules.Image:
		allowed = []string{"reason", "tag"}
	case name == modules.Deny || name == modules.Warn:
		allowed = []string{"reason"}
	case subject == modules.Namespace:
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
			f := wrong(k, "%v is not a key of a decision %s: use %s", k, name, modules.Quoted(allowed))
			if meant := text.Nearest(string(key), allowed); meant != "" {
				f.WithHint("did you mean %q?", meant)
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
func (l *linter) fieldShape(key string, subject modules.Subject, value *ast.Term, wrong func(*ast.Term, string, ...any) *Finding) {
	switch v := value.Value.(type) {
	case ast.String:
		if v == "" {
			wrong(value, "field %q is empty", key)
		} else if key == "visibility" {
			l.visibilityShape(subject, value, wrong)
		}
	case ast.Number, ast.Boolean, ast.Null, *ast.Array, ast.Object, ast.Set:
		wrong(value, "field %q must be a string, not %s", key, modules.Brief(value))
	}
}

// subjectShape checks that a decision names what it is about.
func (l *linter) subjectShape(name string, whole *ast.Term, keys []string, wrong func(*ast.Term, string, ...any) *Finding) {
	has := func(key string) bool { return slices.Contains(keys, key) }
	switch name {
	case modules.Visibility:
		if !has("visibility") {
			wrong(whole, `%s lacks the key "visibility"`, name)
		}
	case modules.Deny, modules.Warn:
		if !has("reason") {
			wrong(whole, `%s lacks the key "reason"`, name)
		}
	default:
		subjects := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == "reason" })
		if len(subjects) != 1 {
			wrong(whole, "%s is about %s", name, [...]string{"nothing", "", "two things at once"}[min(len(subjects), 2)]).
				WithHint(`want exactly one of "tag", "image" and "namespace"`)
		}
	}
}
