package page

import (
	"fmt"
	"testing"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

func TestSpaceAndCost(t *testing.T) {
	p := &actions.Plan{Stats: &actions.Stats{Namespaces: map[string]actions.NamespaceStats{}}}
	for i := range 20 {
		p.Stats.Namespaces[fmt.Sprintf("rg.fr-par.scw.cloud/ns-%02d", i)] = actions.NamespaceStats{Images: 2, PublicImages: 1, Tags: 10, Bytes: uint64(20-i) * 100e9, PublicBytes: 50e9}
	}
	v := newSpaceView(p, outline.PriceOf(runs.Price{}))
	if len(v.Bars) != barsShown || len(v.Rows) != 20 {
		t.Errorf("%d bars, %d rows", len(v.Bars), len(v.Rows))
	}
	if first := v.Rows[0]; first.Name != "ns-00" || first.Bytes != 2e12 || first.Private() != 195e10 || first.Public() != 5e10 || first.Cost != "€52.65" {
		t.Errorf("the first is %+v", first)
	}
	if first := v.Bars[0]; first.PrivateWidth != "43.33%" || first.PublicWidth != "1.11%" {
		t.Errorf("the first bar is %+v", first)
	}
	if rest := v.Bars[barsShown-1]; rest.Name != "9 smaller namespaces" || rest.Bytes != 45e11 {
		t.Errorf("the last bar is %+v", rest)
	}
	if v.Total.Cost != "€540.00" {
		t.Errorf("all of it costs %s", v.Total.Cost)
	}
}

func TestCost(t *testing.T) {
	for _, c := range []struct {
		bytes uint64
		price runs.Price
		want  string
	}{
		{0, runs.Price{}, "€0.00"},
		{1, runs.Price{}, "< €0.01"},
		{1e9, runs.Price{}, "€0.03"},
		{100e12, runs.Price{}, "€2,700.00"},
		{10e9, runs.Price{PerGB: 0.1, Currency: "USD"}, "USD 1.00"},
		{10e9, runs.Price{Currency: "USD"}, "USD 0.00"},
	} {
		if got := outline.Cost(c.bytes, outline.PriceOf(c.price)); got != c.want {
			t.Errorf("%d bytes at %v cost %s, want %s", c.bytes, c.price, got, c.want)
		}
	}
}

func TestEveryGuardAndResultHasWords(t *testing.T) {
	for _, g := range actions.Guards() {
		if describeGuard(g) == "" {
			t.Errorf("the guard %s has no words", g)
		}
	}
	for _, r := range actions.Results() {
		if describeResult(r) == "" {
			t.Errorf("the result %s has no words", r)
		}
	}
}
