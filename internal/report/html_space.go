package report

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// balanceView is how the tags that were judged divide.
type balanceView struct {
	Parts []barPart
	Text  string
}

// newBalance divides the tags: those that go, those that are held, and those that
// nobody condemned. Held tags are counted by their references: a held deletion of
// an image is no tag.
func newBalance(p *actions.Plan) *balanceView {
	tags, held := p.Summary.Tags, 0
	for i := range p.Held {
		if p.Held[i].Action == actions.DeleteTag {
			held++
		}
	}
	stay := tags - p.Summary.DeleteTags - held
	if tags == 0 || stay < 0 {
		return nil
	}
	counts := []resultCount{
		{Result: "to delete", Tone: "goes", Count: p.Summary.DeleteTags},
		{Result: "held", Tone: "held", Count: held},
		{Result: "staying", Tone: "stay", Count: stay},
	}
	b := &balanceView{Parts: barParts(counts, tags), Text: "Of " + text.Count(tags, "tag")}
	for i, part := range b.Parts {
		separator := ", "
		if i == 0 {
			separator = ": "
		}
		b.Text += separator + text.Thousands(part.Count) + " " + part.Name
	}
	return b
}

// spaceView is what storage takes and costs, by namespace.
type spaceView struct {
	Known  bool // what came from a file says nothing about sizes
	Bars   []spaceBar
	Height int
	Rows   []spaceRow
	Total  spaceRow
	Price  string
	Text   string // the chart in a sentence
	Public bool   // whether there is anything public
}

// spaceRow is one namespace in the table.
type spaceRow struct {
	Region, Name                string
	Images, PublicImages, Tags  string
	Private, Public, Size, Cost string
	private, public             uint64
}

// spaceBar is one namespace in the chart.
type spaceBar struct {
	Y, LabelY, BarY           int
	Region, Name, Value, Cost string
	Private, Public, PublicX  string
}

// How the chart is laid out, in pixels: as many bars as can be compared by eye,
// each under its label.
const (
	barsShown  = 12
	barPitch   = 40
	barLabelAt = 14
	barAt      = 21
)

func newSpaceView(p *actions.Plan, price runs.Price) *spaceView {
	v := &spaceView{Price: money(price, strconv.FormatFloat(price.PerGB, 'f', -1, 64))}
	if p.Stats == nil || len(p.Stats.Namespaces) == 0 {
		return v
	}
	v.Known = true
	var sum actions.NamespaceStats
	for name, s := range p.Stats.Namespaces {
		ref := homeOf(name)
		if ref.Namespace == "" {
			ref.Namespace = name
		}
		v.Rows = append(v.Rows, newSpaceRow(ref, s, price))
		sum.Images += s.Images
		sum.PublicImages += s.PublicImages
		sum.Tags += s.Tags
		sum.Bytes += s.Bytes
		sum.PublicBytes += s.PublicBytes
	}
	slices.SortFunc(v.Rows, func(a, b spaceRow) int {
		return cmp.Or(cmp.Compare(b.private+b.public, a.private+a.public), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
	})
	v.Total = newSpaceRow(registry.Ref{}, sum, price)
	v.Public = sum.PublicBytes > 0
	v.bars(price)
	return v
}

func newSpaceRow(ref registry.Ref, s actions.NamespaceStats, price runs.Price) spaceRow {
	public := min(s.PublicBytes, s.Bytes)
	return spaceRow{
		Region: clean(string(ref.Region)), Name: clean(ref.Namespace),
		Images: text.Thousands(s.Images), PublicImages: text.Thousands(s.PublicImages), Tags: text.Thousands(s.Tags),
		Private: text.Size(s.Bytes - public), Public: text.Size(public), Size: text.Size(s.Bytes), Cost: costOf(s.Bytes-public, price),
		private: s.Bytes - public, public: public,
	}
}

// bars draws the largest namespaces one by one, and the rest as one.
func (v *spaceView) bars(price runs.Price) {
	rows := v.Rows
	if len(rows) > barsShown {
		rest := spaceRow{Name: text.Count(len(rows)-barsShown+1, "smaller namespace")}
		for _, r := range rows[barsShown-1:] {
			rest.private += r.private
			rest.public += r.public
		}
		rest.Size, rest.Cost = text.Size(rest.private+rest.public), costOf(rest.private, price)
		rows = append(slices.Clone(rows[:barsShown-1]), rest)
	}
	var widest uint64 = 1
	for _, r := range rows {
		widest = max(widest, r.private+r.public)
	}
	scale := 100 / float64(widest)
	for i, r := range rows {
		private, public := float64(r.private)*scale, float64(r.public)*scale
		v.Bars = append(v.Bars, spaceBar{
			Y: i * barPitch, LabelY: i*barPitch + barLabelAt, BarY: i*barPitch + barAt,
			Region: r.Region, Name: r.Name, Value: r.Size, Cost: r.Cost,
			Private: percent(private), Public: percent(public), PublicX: percent(private),
		})
	}
	v.Height = len(rows) * barPitch
	v.Text = v.Total.Size + " in " + text.Count(len(v.Rows), "namespace") + ", " + v.Total.Cost + " a month. The largest is " +
		rows[0].Name + " with " + rows[0].Size + "."
}
