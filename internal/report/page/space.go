package page

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// spaceView is what storage takes and costs, by namespace. It has no rows if the
// plan is from a file, which has no sizes.
type spaceView struct {
	Rows   []spaceRow // the largest first
	Total  spaceRow
	Bars   []spaceBar
	Height int
	Price  string // of a gigabyte
	Freed  string // by the deletions of the plan; "" if that is not known
	// Archives is what is copied before the deletions; "" without an archive.
	Archives string
	Uncopied string // what is not; "" if that is nothing
	ByRule   []freedBy
}

// freedBy is what the tags that a rule marks free.
type freedBy struct{ Rule, Freed string }

// spaceRow is one namespace in the table.
type spaceRow struct {
	Name, Region string
	Cost         string
	Freed        string // in words; "" if it is not known, or nothing
	actions.NamespaceStats
}

// Public are the bytes that cost nothing.
func (r spaceRow) Public() uint64 { return min(r.PublicBytes, r.Bytes) }

// Private are the bytes that are billed.
func (r spaceRow) Private() uint64 { return r.Bytes - r.Public() }

// spaceBar is one namespace in the chart.
type spaceBar struct {
	spaceRow
	LabelY, BarY              int
	PrivateWidth, PublicWidth string
}

// The layout of the chart in pixels: as many bars as the eye can compare, each under
// its label.
const (
	barsShown  = 12
	barPitch   = 40
	barLabelAt = 14
	barAt      = 21
)

func newSpaceView(p *actions.Plan, price runs.Price) *spaceView {
	v := &spaceView{Price: outline.PerGB(price), Total: spaceRow{Name: "All"}}
	v.Freed, v.Archives = outline.Freed(p.Summary.Frees, price), outline.Archiving(p, price)
	v.Uncopied = outline.Uncopied(p)
	for _, r := range p.FreesByRule {
		v.ByRule = append(v.ByRule, freedBy{r.Rule, outline.Freed(r.Frees, price)})
	}
	if p.Stats == nil || len(p.Stats.Namespaces) == 0 {
		return v
	}
	for name, s := range p.Stats.Namespaces {
		ref := outline.Parse(name)
		v.Rows = append(v.Rows, spaceRow{
			Name: ref.Namespace, Region: string(ref.Region), NamespaceStats: s, Freed: outline.Freed(outline.FreedIn(p, ref), price),
		})
		v.Total.add(s)
	}
	slices.SortFunc(v.Rows, func(a, b spaceRow) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
	})
	v.Total.Freed = v.Freed
	v.Total.Cost = outline.Cost(v.Total.Private(), price)
	for i := range v.Rows {
		v.Rows[i].Cost = outline.Cost(v.Rows[i].Private(), price)
	}
	v.draw(price)
	return v
}

func (r *spaceRow) add(s actions.NamespaceStats) {
	r.Images += s.Images
	r.PublicImages += s.PublicImages
	r.Tags += s.Tags
	r.Bytes += s.Bytes
	r.PublicBytes += min(s.PublicBytes, s.Bytes)
}

// draw draws the largest namespaces one by one, and the rest as one.
func (v *spaceView) draw(price runs.Price) {
	rows := v.Rows
	if len(rows) > barsShown {
		rest := spaceRow{Name: text.Count(len(rows)-barsShown+1, "smaller namespace")}
		for _, r := range rows[barsShown-1:] {
			rest.add(r.NamespaceStats)
		}
		rest.Cost = outline.Cost(rest.Private(), price)
		rows = append(slices.Clone(rows[:barsShown-1]), rest)
	}
	var widest uint64 = 1
	for _, r := range rows {
		widest = max(widest, r.Bytes)
	}
	scale := 100 / float64(widest)
	for i, r := range rows {
		v.Bars = append(v.Bars, spaceBar{
			spaceRow: r, LabelY: i*barPitch + barLabelAt, BarY: i*barPitch + barAt,
			PrivateWidth: percent(float64(r.Private()) * scale), PublicWidth: percent(float64(r.Public()) * scale),
		})
	}
	v.Height = len(rows) * barPitch
}
