package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

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
}

// spaceRow is one namespace in the table.
type spaceRow struct {
	Name, Region string
	Cost         string
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
	v := &spaceView{Price: money(price, strconv.FormatFloat(price.PerGB, 'f', -1, 64)), Total: spaceRow{Name: "All"}}
	if p.Stats == nil || len(p.Stats.Namespaces) == 0 {
		return v
	}
	for name, s := range p.Stats.Namespaces {
		ref := outline.Parse(name)
		v.Rows = append(v.Rows, spaceRow{Name: ref.Namespace, Region: string(ref.Region), NamespaceStats: s})
		v.Total.add(s)
	}
	slices.SortFunc(v.Rows, func(a, b spaceRow) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
	})
	v.Total.Cost = costOf(v.Total.Private(), price)
	for i := range v.Rows {
		v.Rows[i].Cost = costOf(v.Rows[i].Private(), price)
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
		rest.Cost = costOf(rest.Private(), price)
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

// priceOrDefault is the price, or by default what Scaleway billed in 2026 for a month
// and 10⁹ bytes of private images: https://www.scaleway.com/en/pricing/containers/
func priceOrDefault(p runs.Price) runs.Price {
	if p == (runs.Price{}) {
		p.PerGB = 0.027
	}
	if p.Currency == "" {
		p.Currency = "EUR"
	}
	return p
}

// costOf is what a month of storage costs.
func costOf(bytes uint64, p runs.Price) string {
	amount := float64(bytes) / 1e9 * p.PerGB
	switch {
	case amount == 0:
		return money(p, "0.00")
	case amount < 0.005:
		return "< " + money(p, "0.01")
	}
	whole, cents, _ := strings.Cut(strconv.FormatFloat(amount, 'f', 2, 64), ".")
	if n, err := strconv.Atoi(whole); err == nil {
		whole = text.Thousands(n)
	}
	return money(p, whole+"."+cents)
}

func money(p runs.Price, amount string) string {
	if p.Currency == "EUR" {
		return "€" + amount
	}
	return p.Currency + " " + amount
}
