package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// decision is one value of a rule of a policy. An absent field is "".
type decision struct {
	Tag, Image, Namespace string     // what it is about; none for the subject itself
	Tags                  *ast.Array // of built-in policies: several tags, for which it is the same
	Visibility            string
	Reason                string
	Rule                  string // of built-in policies: the name of the rule in the configuration
	Severity              string // of built-in policies: already decided by the rule's kind
}

// addAll adds the answer of a query: for each slot a set of [rule index, value].
func (d *decoder) addAll(slots []slot, answer *ast.Array) {
	for i, s := range slots {
		set, ok := answer.Elem(i).Value.(ast.Set)
		if !ok {
			d.fail(s.pkg, fmt.Errorf("%s is not a set", s.kind))
			continue
		}
		if s.kind == modules.Visibility && !s.pkg.builtin {
			d.remember(s.pkg, set)
			continue
		}
		set.Foreach(func(element *ast.Term) {
			rule, value := s.pkg.ruleOf(s.kind, element, d.shadows)
			if err := d.add(s, rule, value); err != nil {
				src := rule.source
				d.fail(s.pkg, fmt.Errorf("%s:%d: rule %s gave %s: %w", cmp.Or(src.File, "builtin"), src.Line, src.Name, modules.Brief(value), err))
			}
		})
	}
}

// remember keeps the value of each visibility rule of a package, to find out later
// which of them decided.
func (d *decoder) remember(pkg *rulePackage, set ast.Set) {
	if d.shadows == nil {
		d.shadows = map[*rulePackage][]*ast.Array{}
	}
	set.Foreach(func(element *ast.Term) {
		d.shadows[pkg] = append(d.shadows[pkg], element.Value.(*ast.Array))
	})
	slices.SortFunc(d.shadows[pkg], func(a, b *ast.Array) int { return a.Compare(b) })
}

// ruleOf splits an element into its value and the rule that it comes from. The
// visibility of a package comes after the shadows of its rules, and is attributed
// to the first rule with the same value. Else branches and defaults have no shadow,
// and count as the first rule.
func (d *rulePackage) ruleOf(kind string, element *ast.Term, shadows map[*rulePackage][]*ast.Array) (*decisionRule, *ast.Term) {
	if kind == visibilityValue {
		for _, pair := range shadows[d] {
			if pair.Elem(1).Equal(element) {
				return d.rule(pair), element
			}
		}
		for _, rule := range d.rules {
			if rule.kind == modules.Visibility {
				return rule, element
			}
		}
	}
	pair := element.Value.(*ast.Array)
	return d.rule(pair), pair.Elem(1)
}

func (d *rulePackage) rule(pair *ast.Array) *decisionRule {
	index, _ := pair.Elem(0).Value.(ast.Number).Int()
	return d.rules[index]
}

// add adds one decision to the verdict.
func (d *decoder) add(s slot, rule *decisionRule, value *ast.Term) error {
	dec, err := read(value, s)
	if err != nil {
		return err
	}
	reason := registry.Reason{
		Rule:   s.pkg.ruleName(rule.source, dec.Rule),
		Text:   cmp.Or(dec.Reason, rule.source.Title, rule.source.Package+"."+rule.source.Name),
		Source: rule.place, CustomSeverity: rule.source.Severity,
	}
	switch s.kind {
	case modules.Delete:
		reason.ReportOnly = rule.source.ReportOnly || s.pkg.builtin && d.reportOnly[reason.Rule]
		return d.addTo(dec, reason, func(t *registry.TagVerdict) *[]registry.Reason { return &t.Delete }, &d.verdict.Delete)
	case modules.Keep:
		return d.addTo(dec, reason, func(t *registry.TagVerdict) *[]registry.Reason { return &t.Keep }, &d.verdict.Keep)
	case modules.Visibility, visibilityValue:
		reason.ReportOnly = rule.source.ReportOnly
		return d.addVisibility(dec, reason)
	}
	severity := registry.Severity(s.kind)
	if rule.source.ReportOnly {
		severity = registry.Warn // so that it does not count
	}
	return d.violation(severity, dec, reason)
}

// read accepts the shapes of the contract and refuses every other.
func read(value *ast.Term, s slot) (decision, error) {
	switch v := value.Value.(type) {
	case ast.String:
		switch {
		case v == "":
			return decision{}, errors.New("want more than an empty string")
		case s.kind == modules.Delete || s.kind == modules.Keep:
			return decision{Tag: string(v)}, nil
		case s.kind == visibilityValue:
			return decision{Visibility: string(v)}, nil
		}
		return decision{Reason: string(v)}, nil
	case ast.Object:
		return readObject(v, s)
	}
	return decision{}, errors.New("want a string or an object")
}

func readObject(object ast.Object, s slot) (decision, error) {
	var dec decision
	err := object.Iter(func(k, v *ast.Term) error {
		key, _ := k.Value.(ast.String)
		if tags, ok := v.Value.(*ast.Array); ok && s.pkg.builtin && key == "tags" {
			dec.Tags = tags
			return nil
		}
		text, isText := v.Value.(ast.String)
		switch field := dec.field(key, s); {
		case field == nil:
			return fmt.Errorf("field %v is unknown", k)
		case !isText || text == "":
			return fmt.Errorf("field %v must be a string that is not empty", k)
		default:
			*field = string(text)
		}
		return nil
	})
	if err == nil && dec.lacks(s.kind) {
		err = errors.New(`a field is missing: want {"visibility": …} for visibility, {"reason": …} for deny and warn`)
	}
	return dec, err
}

// field is where the text of a field belongs; nil if decisions of this kind do not have it.
func (dec *decision) field(key ast.String, s slot) *string {
	marks := s.kind == modules.Delete || s.kind == modules.Keep
	visibility := s.kind == modules.Visibility || s.kind == visibilityValue
	switch {
	case key == "reason":
		return &dec.Reason
	case key == "tag" && !visibility:
		return &dec.Tag
	case key == "image" && marks:
		return &dec.Image
	case key == "namespace" && marks:
		return &dec.Namespace
	case key == "visibility" && visibility:
		return &dec.Visibility
	case key == "rule" && s.pkg.builtin:
		return &dec.Rule
	case key == "severity" && s.pkg.builtin:
		return &dec.Severity
	}
	return nil
}

// lacks reports whether a decision of this kind lacks a field that it must have.
func (dec *decision) lacks(kind string) bool {
	switch kind {
	case modules.Delete, modules.Keep:
		return false
	case modules.Visibility, visibilityValue:
		return dec.Visibility == ""
	}
	return dec.Reason == ""
}

// addTo adds a delete or a keep of a tag, or of the image or namespace itself.
func (d *decoder) addTo(dec decision, reason registry.Reason, of func(*registry.TagVerdict) *[]registry.Reason, self *[]registry.Reason) error {
	v := d.verdict
	switch {
	case dec.Tags != nil:
		return d.addToTags(dec.Tags, []registry.Reason{reason}, of)
	case dec.Tag != "" && dec.Image == "" && dec.Namespace == "":
		return d.addToTag(dec.Tag, []registry.Reason{reason}, of)
	case dec.Image != "" && dec.Tag == "" && dec.Namespace == "":
		if v.Image == nil || v.Image.Name != dec.Image {
			return fmt.Errorf("image %q is not the one that is judged", dec.Image)
		}
	case dec.Namespace != "" && dec.Tag == "" && dec.Image == "":
		if v.Image != nil || v.Namespace.Name != dec.Namespace {
			return fmt.Errorf("namespace %q is not the one that is judged", dec.Namespace)
		}
	default:
		return errors.New(`want exactly one of "tag", "image" and "namespace"`)
	}
	*self = append(*self, reason)
	return nil
}

func (d *decoder) addToTags(names *ast.Array, reason []registry.Reason, of func(*registry.TagVerdict) *[]registry.Reason) error {
	for i := range names.Len() {
		name, _ := names.Elem(i).Value.(ast.String)
		if err := d.addToTag(string(name), reason, of); err != nil {
			return err
		}
	}
	return nil
}

// addToTag adds a reason to those of a tag. Tags that have no other share the list: it
// is full, so whatever is appended to it makes a list of its own.
func (d *decoder) addToTag(name string, reason []registry.Reason, of func(*registry.TagVerdict) *[]registry.Reason) error {
	index, err := d.find(name)
	if err != nil {
		return err
	}
	v := d.verdict
	if v.Tags == nil {
		v.Tags = make([]registry.TagVerdict, len(v.Image.Tags))
	}
	reasons := of(&v.Tags[index])
	if *reasons == nil {
		*reasons = reason
		return nil
	}
	*reasons = append(*reasons, reason...)
	return nil
}

// find returns the position of a tag in the image.
func (d *decoder) find(tag string) (int, error) {
	if d.verdict.Image == nil {
		return 0, errors.New("a namespace has no tags")
	}
	index, ok := d.tags(tag)
	if !ok {
		return 0, fmt.Errorf("image %s has no tag %q", d.verdict.Image.Ref(), tag)
	}
	return index, nil
}

func (d *decoder) violation(severity registry.Severity, dec decision, reason registry.Reason) error {
	ref := d.verdict.Namespace.Ref()
	if d.verdict.Image != nil {
		ref = d.verdict.Image.Ref()
	}
	if dec.Tag != "" {
		if _, err := d.find(dec.Tag); err != nil {
			return err
		}
		ref.Tag = dec.Tag
	}
	d.verdict.Violations = append(d.verdict.Violations, registry.Violation{Ref: ref.String(), Severity: severity, Reason: reason})
	return nil
}
