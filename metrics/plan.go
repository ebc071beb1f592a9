package metrics

import (
	"maps"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// bytesPerGB is the gigabyte of the price.
const bytesPerGB = 1e9

// setPlan sets the values of the plan.
func (m *Metrics) setPlan(run *runs.Run) {
	p := run.Plan
	m.plan = values{}
	m.plan.set("scanned_namespaces", float64(p.Summary.Namespaces))
	m.plan.set("scanned_images", float64(p.Summary.Images))
	m.plan.set("images_from_cache", float64(p.Summary.ImagesFromCache))
	m.plan.set("scanned_tags", float64(p.Summary.Tags))
	m.plan.set("gaps", float64(p.Summary.Gaps))
	m.namespaces.renew(namespacesOf(p))
	if p.Stats != nil {
		m.plan.set("scanned_image_bytes", float64(p.Stats.Bytes))
		m.setStorage(p.Stats.Namespaces, run.Price)
	}
	m.setMarked(p)
	m.setSteps(p)
	m.setFindings(p)
	m.setFrees(p, run.Price)
}

// setStorage sets what the namespaces contain, and what that costs.
func (m *Metrics) setStorage(namespaces map[string]actions.NamespaceStats, price runs.Price) {
	for _, ref := range slices.Sorted(maps.Keys(namespaces)) {
		n := namespaces[ref]
		region, namespace := m.label(ref)
		m.plan.add("images", float64(n.Images), region, namespace)
		m.plan.add("public_images", float64(n.PublicImages), region, namespace)
		m.plan.add("tags", float64(n.Tags), region, namespace)
		m.plan.add("image_bytes", float64(n.Bytes), region, namespace)
		m.plan.add("public_image_bytes", float64(n.PublicBytes), region, namespace)
		private := float64(n.Bytes) - float64(min(n.Bytes, n.PublicBytes))
		m.plan.add("estimated_storage_cost_per_month", private/bytesPerGB*price.PerGB, region, namespace, validUTF8(price.Currency))
	}
}

// setMarked sets what rules marked for deletion, deleted or held.
func (m *Metrics) setMarked(p *actions.Plan) {
	add := func(action actions.Action, ref string, n float64) {
		region, namespace := m.label(ref)
		switch action {
		case actions.DeleteTag:
			m.plan.add("condemned_tags", n, region, namespace)
		case actions.DeleteImage:
			m.plan.add("condemned_images", n, region, namespace)
		}
	}
	if p.Stats != nil {
		for ref := range p.Stats.Namespaces {
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
}

// setSteps sets the steps of the plan, and what its guards held.
func (m *Metrics) setSteps(p *actions.Plan) {
	for _, region := range regionsOf(p) {
		for _, action := range actionNames() {
			m.plan.add("planned_steps", 0, region, action)
		}
	}
	for i := range p.Steps {
		m.plan.add("planned_steps", 1, string(p.Steps[i].Region), string(p.Steps[i].Action))
	}
	for i := range p.Held {
		h := &p.Held[i]
		region, _ := place(h.Ref)
		m.plan.add("held_steps", 1, region, string(h.Action), string(h.Guard))
	}
}

// setFindings sets the violations, and the limits that refuse the plan.
func (m *Metrics) setFindings(p *actions.Plan) {
	rules := make([]string, len(p.Violations))
	for i := range p.Violations {
		rules[i] = p.Violations[i].Rule
	}
	for i := range p.FreesByRule {
		rules = append(rules, p.FreesByRule[i].Rule)
	}
	m.rules.renew(rules)
	for i := range p.Violations {
		m.plan.add("violations", 1, string(p.Violations[i].Severity), m.rules.label(p.Violations[i].Rule))
	}
	for _, limit := range limitNames() {
		m.plan.set("limits_refused", 0, limit)
	}
	for _, r := range p.Refusals {
		m.plan.set("limits_refused", 1, r.Limit)
	}
}

// label are the labels of the namespace of a reference.
func (m *Metrics) label(ref string) (region, namespace string) {
	region, namespace = place(ref)
	if !m.namespaces.has(region + "/" + namespace) {
		return region, other
	}
	return region, validUTF8(namespace)
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
	return validUTF8(strings.TrimSuffix(strings.TrimPrefix(host, "rg."), ".scw.cloud")), namespace
}
