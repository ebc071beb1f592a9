package janitor

import (
	"errors"
	"io"

	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Record writes the scan as an inventory, and returns its gaps that hold deletions.
// The plan of the inventory is that of the scan.
func (p *Planner) Record(feed Feed, w io.Writer) ([]registry.Gap, error) {
	out, err := scanner.NewInventoryWriter(w, scanner.Header{TakenAt: p.TakenAt, Scope: Scope(p.Config), Sources: sources.Keys(p.Config)})
	if err != nil {
		return nil, err
	}
	var gaps []registry.Gap
	var refused refused
	write := func(item scanner.Item) error {
		if item.Gap != nil && item.Gap.Holds != registry.HoldsNothing {
			gaps = append(gaps, *item.Gap)
		}
		p.Progress.noticed(item)
		if item.Image != nil {
			p.Progress.judged(&registry.Verdict{Image: item.Image}, 0)
		}
		return out.Write(item)
	}
	for item := range feed.Items() {
		if item.Use == nil {
			refused.see(item)
		}
		if err := write(item); err != nil {
			return gaps, err
		}
	}
	if err := errors.Join(feed.Err(), refused.err()); err != nil {
		return gaps, err
	}
	if gap := p.clockGap(); gap != nil {
		if err := write(scanner.Item{Gap: gap}); err != nil {
			return gaps, err
		}
	}
	return gaps, out.Close()
}
