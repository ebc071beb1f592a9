package page

import (
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// daemonView is a daemon as its page shows it.
type daemonView struct {
	runs.Overview
	History *historyView
	Next    *runs.Schedule // that is due first; nil if none is
	runs    map[string]*runs.Summary
}

func newDaemonView(o runs.Overview) *daemonView {
	v := &daemonView{Overview: o, History: newHistory(o.Runs), runs: map[string]*runs.Summary{}}
	for i := range o.Runs {
		v.runs[o.Runs[i].ID] = &o.Runs[i]
	}
	for i := range o.Schedules {
		if s := &o.Schedules[i]; !s.Next.IsZero() && (v.Next == nil || s.Next.Before(v.Next.Next)) {
			v.Next = s
		}
	}
	return v
}

// Known is a run of the history; nil if it is not there.
func (v *daemonView) Known(id string) *runs.Summary { return v.runs[id] }

// problem is something that needs attention, beside what the latest run shows.
type problem struct{ What, Text, More, Link string }

// Problems are what needs attention besides the latest run.
func (v *daemonView) Problems() []problem {
	var out []problem
	if v.Reload.Error != "" {
		p := problem{What: "Configuration not loaded", Text: v.Reload.Error}
		if !v.Reload.At.IsZero() {
			p.More = "Tried " + ago(v.Now, v.Reload.At) + ". The configuration from before is still in force."
		}
		out = append(out, p)
	}
	for i := range v.Schedules {
		s := &v.Schedules[i]
		run := v.Known(s.LastRun)
		if run == nil || run.Declined || !bad(run.Exit) || v.Run != nil && v.Run.ID == run.ID {
			continue // the page is about that run
		}
		p := problem{What: "Schedule " + s.Name, Text: "Its last run, " + ago(v.Now, run.Started) + ", ended with " + describeExit(run.Exit) + "."}
		if run.Kept {
			p.Link = runPath(run.ID)
		}
		out = append(out, p)
	}
	return out
}

// Trouble is what is wrong with the latest run, in a word; "" for nothing.
func (v *daemonView) Trouble() string {
	switch {
	case v.Run == nil || v.Run.Declined:
		return ""
	case bad(v.Run.Exit):
		return describeExit(v.Run.Exit)
	case v.Run.Error != "":
		return describeExit(1)
	case v.Run.Plan != nil && outline.Unarchived(v.Run.Plan.Outcome) != "":
		return "tags were deleted without a copy"
	}
	return ""
}

// Calm reports whether nothing needs attention.
func (v *daemonView) Calm() bool { return v.Trouble() == "" && len(v.Problems()) == 0 }

// bad reports whether a run with the exit code needs attention.
func bad(exit int) bool { return exit == 1 || exit == 3 }

// runPath is where the page of a run is.
func runPath(id string) string { return "/runs/" + id }

// Doing is what the run in progress does.
func (v *daemonView) Doing() string {
	switch {
	case !v.Running.Applying.IsZero():
		return "Applying now"
	case v.Running.Kind == runs.KindApply:
		return "Planning now, to apply it then"
	}
	return "Planning now"
}

// Progress is how far the run in progress is: "1,769 of 27,200 steps (6 %), 0 failed,
// about 19 min left".
func (v *daemonView) Progress() string {
	r := v.Running
	done, whole, since := amount(r)
	var parts []string
	switch percent := share(int(done), int(whole)); {
	case !r.Applying.IsZero():
		parts = append(parts, progressOf(done, whole, "step")+" ("+text.Thousands(percent)+" %)", text.Thousands(int(r.Failed))+" failed")
	case whole > 0:
		parts = append(parts, progressOf(done, whole, "image")+" judged ("+text.Thousands(percent)+" %)", text.Count(int(r.Tags), "tag"))
	default:
		parts = append(parts, text.Count(int(r.Images), "image")+" and "+text.Count(int(r.Tags), "tag")+" judged so far")
	}
	if left := timeLeft(done, whole, v.Now.Sub(since)); left > 0 {
		parts = append(parts, "about "+span(left)+" left")
	}
	return strings.Join(parts, ", ")
}

func progressOf(done, whole int64, noun string) string {
	return text.Thousands(int(done)) + " of " + text.Count(int(whole), noun)
}

// Percent is how much of the run in progress is done; 0 if it is not known.
func (v *daemonView) Percent() int {
	done, whole, _ := amount(v.Running)
	return share(int(done), int(whole))
}

// amount is how many things a run has done of how many, and since when. The number of
// images is that of the plan before, so it is not exact.
func amount(r *runs.Running) (done, whole int64, since time.Time) {
	if !r.Applying.IsZero() {
		return r.Finished, r.Steps, r.Applying
	}
	if r.Images > r.Expected {
		return 0, 0, r.Started
	}
	return r.Images, r.Expected, r.Started
}

// timeLeft is how long the rest takes if it takes as long as what is done; 0 if that
// is not known yet.
func timeLeft(done, whole int64, took time.Duration) time.Duration {
	if done <= 0 || done >= whole || took <= 0 {
		return 0
	}
	return time.Duration(float64(took) * float64(whole-done) / float64(done))
}

// First is when there will be a first run to show.
func (v *daemonView) First() string {
	switch {
	case v.Running != nil:
		return "The first one is in progress."
	case !v.Leads:
		return "Another daemon does the work, and this page only shows runs of this daemon."
	case v.Next != nil:
		return "The first one is due " + in(v.Now, v.Next.Next) + "."
	}
	return "Nothing is scheduled."
}
