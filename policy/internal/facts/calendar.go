package facts

import (
	"fmt"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// unit is a kind of calendar period, named as the keep that counts it.
type unit string

const (
	hourly  unit = "hourly"
	daily   unit = "daily"
	weekly  unit = "weekly"
	monthly unit = "monthly"
	yearly  unit = "yearly"
)

// unitLimit is how many periods of a unit a rule keeps.
type unitLimit struct {
	unit  unit
	limit *ast.Term
}

// unitsOf lists the units that a keep counts.
func unitsOf(k *rules.Keep) []unitLimit {
	var out []unitLimit
	for _, u := range []struct {
		unit  unit
		count int
	}{{hourly, k.Hourly}, {daily, k.Daily}, {weekly, k.Weekly}, {monthly, k.Monthly}, {yearly, k.Yearly}} {
		if u.count > 0 {
			out = append(out, unitLimit{u.unit, ast.InternedTerm(u.count)})
		}
	}
	return out
}

// period is one calendar period of a unit: the fields that the unit does not
// have are 0. The two calendar hours of a repeated hour are the same period.
type period struct{ year, month, day, hour, week int }

func (u unit) of(local time.Time) period {
	if u == weekly {
		year, week := local.ISOWeek()
		return period{year: year, week: week}
	}
	year, month, day := local.Date()
	p := period{year: year}
	switch u {
	case monthly:
		p.month = int(month)
	case daily:
		p.month, p.day = int(month), day
	case hourly:
		p.month, p.day, p.hour = int(month), day, local.Hour()
	}
	return p
}

// name is the period in reasons and in the bucket of a tag.
func (u unit) name(p period) string {
	switch u {
	case hourly:
		return fmt.Sprintf("%04d-%02d-%02dT%02d", p.year, p.month, p.day, p.hour)
	case daily:
		return fmt.Sprintf("%04d-%02d-%02d", p.year, p.month, p.day)
	case weekly:
		return fmt.Sprintf("%04d-W%02d", p.year, p.week)
	case monthly:
		return fmt.Sprintf("%04d-%02d", p.year, p.month)
	default:
		return fmt.Sprintf("%04d", p.year)
	}
}

// calendar adds, for each unit that the rule counts, the newest counting tag of each
// period in a group, with the position of the period among those that have one.
func (f *Image) calendar(r *retentionRule, g group) []*ast.Term {
	units := r.terms.units
	if len(units) == 0 {
		return nil
	}
	var names, positions, limits, reasons []*ast.Term
	found := make([]periods, len(units))
	for _, t := range g.tags {
		if !t.counts() {
			continue
		}
		local := r.time(t).In(f.scan.Rules.location)
		for i, u := range units {
			p := u.unit.of(local)
			if !found[i].add(p) || !f.matters(t) {
				continue
			}
			names = append(names, f.names[t.index])
			positions = append(positions, ast.InternedTerm(found[i].count-1))
			limits = append(limits, u.limit)
			reasons = append(reasons, ast.StringTerm(string(u.unit)+" "+u.unit.name(p)+g.of))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []*ast.Term{r.entry(ast.ArrayTerm(names...),
		[2]*ast.Term{keyPositions, ast.ArrayTerm(positions...)},
		[2]*ast.Term{keyLimits, ast.ArrayTerm(limits...)},
		[2]*ast.Term{keyReasons, ast.ArrayTerm(reasons...)},
	)}
}

// periods are the periods of one unit that hold a tag.
type periods struct {
	count  int
	latest period
	others map[period]bool // all except the latest, which saves most look-ups
}

// add reports whether the period is a new one.
func (ps *periods) add(p period) bool {
	if ps.count > 0 && (p == ps.latest || ps.others[p]) {
		return false
	}
	if ps.count == 1 {
		ps.others = map[period]bool{}
	}
	if ps.count > 0 {
		ps.others[ps.latest] = true
	}
	ps.latest = p
	ps.count++
	return true
}
