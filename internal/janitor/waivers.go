package janitor

import (
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// endings are the violations of waivers that end soon, or have ended, at the time of the
// plan.
func (p *Planner) endings() []registry.Violation {
	waivers := p.Config.WaiversAt(p.TakenAt)
	var out []registry.Violation
	add := func(severity registry.Severity, owner, rule, format string, args ...any) {
		out = append(out, registry.Violation{
			Ref: actions.ConfigSubject, Severity: severity, Owner: owner,
			Reason: registry.Reason{Rule: rule, Text: fmt.Sprintf(format, args...)},
		})
	}
	for _, w := range waivers.Expiring {
		add(registry.Warn, w.Owner, w.Rule(), "the waiver for %s ends with the day %s (%s): set a later until, or let what it keeps go", w.What(), w.Until, w.Reason)
	}
	for _, w := range waivers.Ended {
		add(registry.Deny, w.Owner, w.Rule(), "the waiver for %s has ended with the day %s, and keeps nothing any more (%s): set a later until, or remove it", w.What(), w.Until, w.Reason)
	}
	return out
}

// Waivers counts the waivers in force at the time of the plan.
func (p *Planner) Waivers() runs.Waivers { return WaiversOf(p.Config, p.TakenAt) }

// WaiversOf counts the waivers of a configuration that are in force at a time.
func WaiversOf(c *config.Config, at time.Time) runs.Waivers {
	waivers := c.WaiversAt(at)
	return runs.Waivers{InForce: len(waivers.InForce) + len(waivers.Expiring), Expiring: len(waivers.Expiring)}
}
