package metrics

import (
	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// setFrees sets what the deletions of the plan free. Where nothing is known of any of
// them, there is no value: it would not be 0.
func (m *Metrics) setFrees(p *actions.Plan, price runs.Price) {
	if !p.Summary.Bytes.Known {
		return
	}
	add := func(ref string, f actions.Frees) {
		region, namespace := m.label(ref)
		m.plan.add("freed_bytes", float64(f.Bytes.N), region, namespace)
		m.plan.add("estimated_savings_per_month", float64(f.Billed.N)/bytesPerGB*price.PerGB, region, namespace, validUTF8(price.Currency))
	}
	if p.Stats != nil {
		for ref := range p.Stats.Namespaces {
			add(ref, actions.Frees{})
		}
	}
	for i := range p.Images {
		add(p.Images[i].Ref, p.Images[i].Frees)
	}
	for _, r := range p.FreesByRule {
		m.plan.add("freed_bytes_by_rule", float64(r.Bytes.N), m.rules.label(r.Rule))
	}
	m.plan.set("freed_unknown_tags", float64(p.Summary.Unknown.N))
}
