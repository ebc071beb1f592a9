package metrics

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// bytesPerGB is the gigabyte of the price.
const bytesPerGB = 1e9

// setPlan sets the values of the plan.
func (m *Metrics) setPlan(run *runs.Run) {
	p, s := run.Plan, &m.states
	all := []prometheus.Metric{
		s.scannedNamespaces.is(float64(p.Summary.Namespaces)),
		s.scannedImages.is(float64(p.Summary.Images)),
		s.scannedTags.is(float64(p.Summary.Tags)),
		s.gaps.is(float64(p.Summary.Gaps)),
	}
	m.namespaces.renew(namespacesOf(p))
	if p.Stats != nil {
		all = append(all, s.scannedBytes.is(float64(p.Stats.Bytes)))
		all = append(all, m.storage(p.Stats.Namespaces, run.Price)...)
	}
	all = append(all, m.marked(p)...)
	all = append(all, m.steps(p)...)
	all = append(all, m.findings(p)...)
	m.plan = all
}

// storage is what the namespaces contain, and what that costs.
func (m *Metrics) storage(namespaces map[string]actions.NamespaceStats, price runs.Price) []prometheus.Metric {
	s := &m.states
	images, public, tags := tally{state: s.images}, tally{state: s.publicImages}, tally{state: s.tags}
	bytes, publicBytes, cost := tally{state: s.bytes}, tally{state: s.publicBytes}, tally{state: s.cost}
	for _, ref := range slices.Sorted(maps.Keys(namespaces)) {
		n := namespaces[ref]
		region, namespace := m.label(ref)
		images.add(float64(n.Images), region, namespace)
		public.add(float64(n.PublicImages), region, namespace)
		tags.add(float64(n.Tags), region, namespace)
		bytes.add(float64(n.Bytes), region, namespace)
		publicBytes.add(float64(n.PublicBytes), region, namespace)
		private := float64(n.Bytes) - float64(min(n.Bytes, n.PublicBytes))
		cost.add(private/bytesPerGB*price.PerGB, region, namespace, clean(price.Currency))
	}
	var all []prometheus.Metric
	for _, t := range []tally{images, public, tags, bytes, publicBytes, cost} {
		all = append(all, t.metrics()...)
	}
	return all
}

// marked is what rules marked for deletion, deleted or held.
func (m *Metrics) marked(p *actions.Plan) []prometheus.Metric {
	tags, images := tally{state: m.states.condemnedTags}, tally{state: m.states.condemnedImages}
	add := func(action actions.Action, ref string, n float64) {
		region, namespace := m.label(ref)
		switch action {
		case actions.DeleteTag:
			tags.add(n, region, namespace)
		case actions.DeleteImage:
			images.add(n, region, namespace)
		}
	}
	if p.Stats != nil {
		for _, ref := range slices.Sorted(maps.Keys(p.Stats.Namespaces)) {
			add(actions.DeleteTag, ref, 0)
			add(actions.DeleteImage, ref, 0)
		}
	}
	for i := range p.Steps {
		add(p.Steps[i].Action, p.Steps[i].Ref, 1)
	}
	for i := range p.Held {
		add(p.Held[i].Action, p.Held[i].Ref, 1)
	}
	return append(tags.metrics(), images.metrics()...)
}

// steps are the steps of the plan, and what its guards held.
func (m *Metrics) steps(p *actions.Plan) []prometheus.Metric {
	planned, held := tally{state: m.states.planned}, tally{state: m.states.held}
	for _, region := range regionsOf(p) {
		for _, action := range actionNames() {
			planned.add(0, region, action)
		}
	}
	for i := range p.Steps {
		planned.add(1, string(p.Steps[i].Region), string(p.Steps[i].Action))
	}
	for i := range p.Held {
		h := &p.Held[i]
		region, _ := place(h.Ref)
		held.add(1, region, string(h.Action), string(h.Guard))
	}
	return append(planned.metrics(), held.metrics()...)
}

// findings are the violations, and the limits that refuse the plan.
func (m *Metrics) findings(p *actions.Plan) []prometheus.Metric {
	rules := make([]string, len(p.Violations))
	for i := range p.Violations {
		rules[i] = p.Violations[i].Rule
	}
	m.rules.renew(rules)
	violations := tally{state: m.states.violations}
	for i := range p.Violations {
		violations.add(1, string(p.Violations[i].Severity), m.rules.label(p.Violations[i].Rule))
	}
	refused := map[string]bool{}
	for _, limit := range limitNames() {
		refused[limit] = false
	}
	for _, r := range p.Refusals {
		refused[r.Limit] = true
	}
	all := violations.metrics()
	for _, limit := range slices.Sorted(maps.Keys(refused)) {
		all = append(all, m.states.refused.is(number(refused[limit]), limit))
	}
	return all
}

// label are the labels of the namespace of a reference.
func (m *Metrics) label(ref string) (region, namespace string) {
	region, namespace = place(ref)
	if !m.namespaces.has(region + "/" + namespace) {
		return region, other
	}
	return region, clean(namespace)
}

// namespacesOf are the namespaces that a plan mentions.
func namespacesOf(p *actions.Plan) []string {
	seen := map[string]bool{}
	add := func(ref string) {
		region, namespace := place(ref)
		seen[region+"/"+namespace] = true
	}
	if p.Stats != nil {
		for ref := range p.Stats.Namespaces {
			add(ref)
		}
	}
	for i := range p.Steps {
		add(p.Steps[i].Ref)
	}
	for i := range p.Held {
		add(p.Held[i].Ref)
	}
	return slices.Collect(maps.Keys(seen))
}

func regionsOf(p *actions.Plan) []string {
	var regions []string
	if p.Stats != nil {
		for ref := range p.Stats.Namespaces {
			region, _ := place(ref)
			regions = append(regions, region)
		}
	}
	slices.Sort(regions)
	return slices.Compact(regions)
}

// place is the region and the namespace of a full reference:
// rg.<region>.scw.cloud/<namespace>/…
func place(ref string) (region, namespace string) {
	host, rest, _ := strings.Cut(ref, "/")
	namespace, _, _ = strings.Cut(rest, "/")
	return clean(strings.TrimSuffix(strings.TrimPrefix(host, "rg."), ".scw.cloud")), namespace
}
