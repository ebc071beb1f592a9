package page

import (
	"slices"
	"strconv"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// historyView is the chart of the runs, the oldest at the left.
type historyView struct {
	Runs  []runs.Summary // newest first
	Marks []runMark      // oldest first
	Most  int            // steps, which the full height of their lane stands for
	Long  time.Duration  // the same for the time that a run took
	Exits []exitCount
}

// runMark is one run in the chart. A height of "" is nothing to draw.
type runMark struct {
	runs.Summary
	X, BarX, BarWidth string
	PlanY, PlanHeight string
	DoneY, DoneHeight string
	TookY             string
}

// exitCount is how many runs ended with an exit code.
type exitCount struct{ Code, Runs int }

// The layout of the chart in pixels from the top: the marks, a lane for steps, and a
// lane for the time that a run took.
const (
	runsShown = 60
	chartFrom = 10 // fewer runs are only a table
	stepsBase = 130
	stepsTall = 84
	tookBase  = 198
	tookTall  = 40
)

func newHistory(list []runs.Summary) *historyView {
	list = list[:min(len(list), runsShown)]
	if len(list) == 0 {
		return nil
	}
	h := &historyView{Runs: list}
	exits := map[int]int{}
	for i := range list {
		h.Most, h.Long = max(h.Most, list[i].Steps), max(h.Long, list[i].Duration.Duration())
		exits[list[i].Exit]++
	}
	for code := range 4 {
		if exits[code] > 0 {
			h.Exits = append(h.Exits, exitCount{code, exits[code]})
		}
	}
	for i, r := range slices.Backward(list) {
		h.Marks = append(h.Marks, h.mark(r, float64(len(list)-1-i), 100/float64(len(list))))
	}
	return h
}

// Charted reports whether there are enough runs for a chart.
func (h *historyView) Charted() bool { return len(h.Runs) >= chartFrom }

// Oldest and Newest are the ends of the chart.
func (h *historyView) Oldest() runs.Summary { return h.Runs[len(h.Runs)-1] }
func (h *historyView) Newest() runs.Summary { return h.Runs[0] }

func (h *historyView) mark(r runs.Summary, slot, pitch float64) runMark {
	m := runMark{Summary: r, X: percent((slot + 0.5) * pitch), BarX: percent((slot + 0.18) * pitch), BarWidth: percent(0.64 * pitch)}
	if r.Steps > 0 {
		m.PlanY, m.PlanHeight = column(float64(r.Steps)/float64(h.Most), stepsBase, stepsTall)
	}
	if r.Done > 0 && h.Most > 0 {
		m.DoneY, m.DoneHeight = column(min(1, float64(r.Done)/float64(h.Most)), stepsBase, stepsTall)
	}
	took := 0.0
	if h.Long > 0 {
		took = max(0, float64(r.Duration)/float64(h.Long))
	}
	m.TookY, _ = column(took, tookBase, tookTall)
	return m
}

// column is where a column starts and how tall it is, tall enough to be seen.
func column(part float64, base, tall int) (y, height string) {
	h := max(1.5, part*float64(tall))
	return strconv.FormatFloat(float64(base)-h, 'f', 1, 64), strconv.FormatFloat(h, 'f', 1, 64)
}
