package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown/cache"

	"github.com/registry-janitor/registry-janitor/policy/internal/facts"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Judge is an engine pinned to the time of a scan. It is safe for concurrent
// use.
type Judge struct {
	engine *Engine
	now    time.Time
	depth  Depth
	cache  cache.InterQueryValueCache
	facts  *facts.Scan
	uses   *registry.UseIndex
}

// WithUses is the same judge with what is in use.
func (j *Judge) WithUses(uses *registry.UseIndex) *Judge {
	with := *j
	with.uses = uses
	return &with
}

// WithRestored is the same judge with what was restored from the archive.
func (j *Judge) WithRestored(restored registry.Restorations) *Judge {
	with, scan := *j, *j.facts
	scan.Restored = restored
	with.facts = &scan
	return &with
}

// Image judges an image with all its tags, which must be sorted newest first.
// If a policy fails, Verdict.Err has the failure; the error comes from the context.
func (j *Judge) Image(ctx context.Context, img *registry.Image) (registry.Verdict, error) {
	v := registry.Verdict{Namespace: img.Namespace, Image: img, Empty: len(img.Tags) == 0}
	inImage, inUse := j.uses.InImage(img)
	v.InUse = inImage
	about := j.facts.Image(img, inUse)
	d := &decoder{program: j.engine.image, verdict: &v, reportOnly: j.engine.reportOnly, tags: about.Find}
	b := j.engine.limits.budget()
	defer b.close()
	input, builtin := about.Document(facts.Marking)
	j.run(ctx, b, &j.engine.image.marks, input, d, builtin...)
	if j.depth == Everything || d.marked() {
		about.Relevant(j.relevant(&v))
		if j.depth == Everything && j.engine.rules.ByContent() {
			about.Touched(touched(&v))
		}
		input, builtin := about.Document(facts.Keeping)
		j.run(ctx, b, &j.engine.image.keeps, input, d, builtin...)
	}
	if err := j.unknownContent(img); err != nil {
		d.fail(nil, err)
	}
	if j.engine.rules.ByContent() {
		dropNeedless(&v)
	}
	d.finish()
	j.waive(&v)
	setInUse(&v, inUse)
	for i := range v.Tags {
		v.Tags[i].Restored = about.IsRestored(i)
	}
	return v, ctx.Err()
}

// setInUse sets in the verdict who uses which tag.
func setInUse(v *registry.Verdict, inUse [][]string) {
	if inUse == nil {
		return
	}
	if v.Tags == nil {
		v.Tags = make([]registry.TagVerdict, len(v.Image.Tags))
	}
	for i := range v.Tags {
		v.Tags[i].InUse = inUse[i]
	}
}

// RuleMatch is what one rule of the configuration is about in an image or a namespace.
type RuleMatch = facts.RuleMatch

// Matches lists what the rules of the configuration match in an image. A rule that
// matches nothing is not in the list.
func (j *Judge) Matches(img *registry.Image) []RuleMatch { return j.facts.Image(img, nil).Matches() }

// NamespaceMatches lists the rules of the configuration that are about a namespace
// itself.
func (j *Judge) NamespaceMatches(ns *registry.Namespace) []RuleMatch { return j.facts.Matches(ns) }

// Namespace judges a namespace. Empty means that a complete listing, unfiltered by
// the scope, proves that it has no image.
func (j *Judge) Namespace(ctx context.Context, ns *registry.Namespace, empty bool) (registry.Verdict, error) {
	v := registry.Verdict{Namespace: ns, Empty: empty}
	d := &decoder{program: j.engine.namespace, verdict: &v}
	b := j.engine.limits.budget()
	defer b.close()
	input := j.facts.Namespace(ns, empty)
	j.run(ctx, b, &j.engine.namespace.marks, input, d)
	if j.depth == Everything || d.marked() {
		j.run(ctx, b, &j.engine.namespace.keeps, input, d)
	}
	d.finish()
	j.waive(&v)
	return v, ctx.Err()
}

// Part is one query that judging an image consists of.
type Part struct {
	Package string // as policies write it
	// Eval evaluates the query.
	Eval func(context.Context) error
}

// Parts are the queries for one image, each of which evaluates one package, to
// measure what the packages cost.
func (j *Judge) Parts(img *registry.Image) []Part {
	var parts []Part
	about := j.facts.Image(img, nil)
	add := func(ph *phase, input ast.Value) {
		for _, s := range ph.single {
			name := s.slots[0].pkg.name()
			parts = append(parts, Part{Package: name, Eval: func(ctx context.Context) error {
				b := j.engine.limits.budget()
				defer b.close()
				if _, err := j.eval(ctx, b, s.slots[0].pkg, s.query, input); err != nil {
					return fmt.Errorf("policy %s: %w", name, err)
				}
				return nil
			}})
		}
	}
	marking, _ := about.Document(facts.Marking)
	add(&j.engine.image.marks, marking)
	keeping, _ := about.Document(facts.Keeping)
	add(&j.engine.image.keeps, keeping)
	return parts
}

// run evaluates all packages at once, or only the one that can decide something.
// If that fails, it evaluates each on its own, so that what the others mark is held
// and the error names the one that failed. About names the built-in policies that
// the input has facts for; none means all.
func (j *Judge) run(ctx context.Context, b *budget, ph *phase, input ast.Value, d *decoder, about ...string) {
	if len(ph.slots) == 0 || input == nil || ctx.Err() != nil {
		return
	}
	query, slots := ph.all, ph.slots
	if only := ph.only(about); only != nil {
		query, slots = only.query, only.slots
	}
	answer, err := j.eval(ctx, b, nil, query, input)
	if err == nil {
		d.addAll(slots, answer)
		return
	}
	if ctx.Err() != nil {
		return
	}
	failed := false
	for _, s := range ph.single {
		answer, err := j.eval(ctx, b, s.slots[0].pkg, s.query, input)
		if err != nil {
			failed = true
			d.fail(s.slots[0].pkg, err)
			continue
		}
		d.addAll(s.slots, answer)
	}
	if !failed { // all at once exceeded a limit, one by one did not
		d.fail(nil, err)
	}
}

// only is the query of the one built-in package that has facts. It is nil if there
// are several, or if the operator has packages of their own.
func (ph *phase) only(about []string) *single {
	if len(about) != 1 {
		return nil
	}
	var found *single
	for i := range ph.single {
		switch pkg := ph.single[i].slots[0].pkg; {
		case !pkg.builtin:
			return nil
		case pkg.label == about[0]:
			found = &ph.single[i]
		}
	}
	return found
}

// eval runs one query within the budget. The answer is an array with an element for
// each slot.
//
// OPA looks between two steps whether it has to stop. A single step that never ends,
// such as comparing two values that contain themselves many times over, cannot be
// stopped: it is left behind, and the engine evaluates nothing any more.
func (j *Judge) eval(ctx context.Context, b *budget, one *rulePackage, query rego.PreparedEvalQuery, input ast.Value) (*ast.Array, error) {
	if stuck := j.engine.stuck.Load(); stuck != nil {
		return nil, *stuck
	}
	e := b.begin(one)
	defer context.AfterFunc(ctx, e.cancel.Cancel)()
	type result struct {
		answer *ast.Array
		err    error
	}
	done := make(chan result, 1)
	go func() {
		growStack(0)
		answer, err := j.evalQuery(ctx, e, query, input)
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, e.explain(r.err)
	case <-b.lost:
		err := errors.New("stopped, but one of its steps does not end, so the program evaluates no policies any more: correct the policy and restart the program")
		j.engine.stuck.CompareAndSwap(nil, &err)
		return nil, err
	}
}

// growStack makes room on the stack of a new goroutine at once: an evaluation would
// grow it in many small steps, which costs more than judging a small image.
//
//go:noinline
func growStack(at uint8) byte {
	var room [32 << 10]byte
	return room[at]
}

func (j *Judge) evalQuery(ctx context.Context, e *evaluation, query rego.PreparedEvalQuery, input ast.Value) (answer *ast.Array, err error) {
	defer func() { // a bug in a built-in function is the failure of the policy that called it
		if p := recover(); p != nil {
			answer, err = nil, fmt.Errorf("the evaluation panicked: %v", p)
		}
	}()
	results, err := query.Eval(ctx,
		rego.EvalParsedInput(input),
		rego.EvalTime(j.now),
		rego.EvalMetrics(metrics.NoOp()),
		rego.EvalSortSets(false),
		rego.EvalInterQueryBuiltinValueCache(j.cache),
		rego.EvalExternalCancel(e.cancel),
		rego.EvalPrintHook(j.engine.limits.print),
	)
	if err != nil {
		return nil, err
	}
	if len(results) == 1 && len(results[0].Expressions) == 1 {
		if term, ok := results[0].Expressions[0].Value.(*ast.Term); ok {
			if array, ok := term.Value.(*ast.Array); ok {
				return array, nil
			}
		}
	}
	return nil, errors.New("a decision is undefined")
}

// relevant reports for which tags a keep can matter: those that are marked for
// deletion, those that share a digest with one, and attachments, which may follow
// their subject.
func (j *Judge) relevant(v *registry.Verdict) []bool {
	if j.depth == Everything {
		return nil // all of them
	}
	return touched(v)
}

// touched are those tags.
func touched(v *registry.Verdict) []bool {
	digests := map[string]bool{}
	for i, t := range v.Tags {
		if len(t.Delete) > 0 {
			digests[v.Image.Tags[i].Digest] = true
		}
	}
	out, subjects := make([]bool, len(v.Image.Tags)), v.Image.Subjects()
	for i, t := range v.Image.Tags {
		out[i] = digests[t.Digest] || subjects[i] != ""
	}
	return out
}

// decoder collects the decisions of the packages into a verdict.
type decoder struct {
	program      *program
	verdict      *registry.Verdict
	tags         func(name string) (int, bool)
	reportOnly   map[string]bool
	shadows      map[*rulePackage][]*ast.Array // the values of the visibility rules of a package
	visibilities []visibilityDecision
	errs         []error
}

// marked reports whether anything is marked for deletion, so that keep rules matter.
func (d *decoder) marked() bool {
	if len(d.verdict.Delete) > 0 {
		return true
	}
	return slices.ContainsFunc(d.verdict.Tags, func(t registry.TagVerdict) bool { return len(t.Delete) > 0 })
}

// fail records that a package, or all of them together, failed.
func (d *decoder) fail(pkg *rulePackage, err error) {
	if pkg != nil {
		err = fmt.Errorf("policy %s: %w", pkg.name(), err)
	}
	d.errs = append(d.errs, err)
}

// finish brings the verdict into its final order.
func (d *decoder) finish() {
	v := d.verdict
	var lists sharedReasons
	for i := range v.Tags {
		v.Tags[i].Delete = lists.share(tidyReasons(v.Tags[i].Delete))
		v.Tags[i].Keep = lists.share(tidyReasons(v.Tags[i].Keep))
	}
	v.Delete, v.Keep = tidyReasons(v.Delete), tidyReasons(v.Keep)
	d.resolveVisibility()
	slices.SortFunc(v.Violations, registry.CompareViolations)
	v.Err = errors.Join(distinct(d.errs)...)
}

// sharedReasons lets the tags of an image share equal lists of reasons, which a
// plan keeps: an image is marked by a handful of rules, or every reason is its own.
type sharedReasons [][]registry.Reason

const sharedReasonsMax = 16

func (s *sharedReasons) share(reasons []registry.Reason) []registry.Reason {
	if len(reasons) == 0 {
		return reasons
	}
	for _, list := range *s {
		if slices.Equal(list, reasons) {
			return list
		}
	}
	if len(*s) < sharedReasonsMax {
		*s = append(*s, reasons)
	}
	return reasons
}
