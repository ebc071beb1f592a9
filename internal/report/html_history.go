package report

import (
	"strconv"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// historyView is the chart of the runs, the oldest at the left.
type historyView struct {
	Text        string // the chart in a sentence
	Marks       []runMark
	Steps, Took string // what the full height of either lane stands for
	From, To    string
	FromX       string // where the oldest run is
	Shapes      []shapeKey
}

// runMark is one run in the chart.
type runMark struct {
	Title               string
	Shape               string
	X, BarX, BarWidth   string
	PlanY, PlanHeight   string
	DoneY, DoneHeight   string
	TookY               string
	HasPlan, HasApplied bool
}

// shapeKey explains a shape.
type shapeKey struct{ Shape, Words string }

// How the chart is laid out, in pixels from the top: the marks, a lane for steps,
// and a lane for how long it took.
const (
	runsShown  = 60
	slotsLeast = 30 // so that three runs do not make three walls
	stepsBase  = 130
	stepsTall  = 84
	tookBase   = 198
	tookTall   = 40
)

func newHistory(list []runs.Summary) *historyView {
	list = list[:min(len(list), runsShown)]
	if len(list) == 0 {
		return nil
	}
	mostSteps, longest := 0, time.Duration(0)
	exits := map[int]int{}
	for i := range list {
		mostSteps, longest = max(mostSteps, list[i].Steps), max(longest, list[i].Duration.Duration())
		exits[list[i].Exit]++
	}
	h := &historyView{Steps: text.Count(mostSteps, "step"), Took: text.Elapsed(longest)}
	slots := max(len(list), slotsLeast)
	for i := len(list) - 1; i >= 0; i-- {
		h.Marks = append(h.Marks, newRunMark(&list[i], slots-1-i, slots, mostSteps, longest))
	}
	first, last := list[len(list)-1].Started, list[0].Started
	h.From, h.To = first.UTC().Format("2 Jan 15:04"), last.UTC().Format("2 Jan 15:04 UTC")
	h.FromX = h.Marks[0].BarX
	h.Text = "The latest " + text.Count(len(list), "run") + ", from " + moment(first) + " to " + moment(last) + "."
	for code := range 4 {
		if n := exits[code]; n > 0 {
			words := strconv.Itoa(code) + ", " + exitWords(code)
			h.Shapes = append(h.Shapes, shapeKey{exitShape(code), words})
			h.Text += " " + text.Count(n, "run") + " ended with exit code " + words + "."
		}
	}
	return h
}

func newRunMark(r *runs.Summary, slot, slots, mostSteps int, longest time.Duration) runMark {
	pitch := 100 / float64(slots)
	m := runMark{
		Shape: exitShape(r.Exit),
		X:     percent((float64(slot) + 0.5) * pitch), BarX: percent((float64(slot) + 0.18) * pitch), BarWidth: percent(0.64 * pitch),
		Title: r.Started.UTC().Format("2006-01-02 15:04 UTC") + ": " + clean(string(r.Kind)) + ", " + text.Count(r.Steps, "step") + ", took " +
			text.Elapsed(r.Duration.Duration()) + ", exit code " + strconv.Itoa(r.Exit),
	}
	if mostSteps > 0 && r.Steps > 0 {
		m.HasPlan = true
		m.PlanY, m.PlanHeight = column(float64(r.Steps)/float64(mostSteps), stepsBase, stepsTall)
	}
	if mostSteps > 0 && r.Done > 0 {
		m.HasApplied = true
		m.DoneY, m.DoneHeight = column(min(1, float64(r.Done)/float64(mostSteps)), stepsBase, stepsTall)
	}
	part := 0.0
	if longest > 0 {
		part = max(0, float64(r.Duration)/float64(longest))
	}
	m.TookY, _ = column(part, tookBase, tookTall)
	return m
}

// column is where a column starts and how tall it is; what there is, is seen.
func column(part float64, base, tall int) (y, height string) {
	h := max(1.5, part*float64(tall))
	return strconv.FormatFloat(float64(base)-h, 'f', 1, 64), strconv.FormatFloat(h, 'f', 1, 64)
}
