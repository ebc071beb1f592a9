package page

import (
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// daemonView is a daemon as its page shows it.
type daemonView struct {
	runs.Daemon
	History *historyView
	next    *runs.Schedule // that is due first; nil if none is
	runs    map[string]*runs.Summary
}

func newDaemonView(d runs.Daemon) *daemonView {
	v := &daemonView{Daemon: d, History: newHistory(d.Runs), runs: map[string]*runs.Summary{}}
	for i := range d.Runs {
		v.runs[d.Runs[i].ID] = &d.Runs[i]
	}
	for i := range d.Schedules {
		if s := &d.Schedules[i]; !s.Next.IsZero() && (v.next == nil || s.Next.Before(v.next.Next)) {
			v.next = s
		}
	}
	return v
}

// Run is a run of the history; nil if it is not known.
func (v *daemonView) Run(id string) *runs.Summary { return v.runs[id] }

// Headline is what the daemon does, or will do next.
func (v *daemonView) Headline() string {
	switch {
	case v.Running != nil && v.Running.Kind == runs.KindApply:
		return "Applying now"
	case v.Running != nil:
		return "Planning now"
	case !v.Leads:
		return "Standby"
	case v.next != nil:
		return "Next " + string(v.next.Do) + " " + in(v.Now, v.next.Next)
	}
	return "Idle"
}

// Sub is a word about the headline.
func (v *daemonView) Sub() string {
	switch r := v.Running; {
	case r != nil:
		return "Started " + startedBy(r.Trigger) + " at " + text.Moment(r.Started, nil) + ": " +
			text.Count(int(r.Images), "image") + " and " + text.Count(int(r.Tags), "tag") + " judged so far"
	case !v.Leads && v.Leader != "":
		return v.Leader + " does the work. This daemon takes over when that one stops."
	case !v.Leads:
		return "Another daemon does the work. This one takes over when that one stops."
	case v.next != nil:
		return "By the schedule " + v.next.Name + ", at " + wall(v.next.Next)
	}
	return "Nothing is scheduled."
}

// First is when there will be a first run to show.
func (v *daemonView) First() string {
	switch {
	case v.Running != nil:
		return "The first one is in progress. Load this page again in a moment."
	case !v.Leads:
		return "Another daemon does the work, and this page only shows runs of this daemon."
	case v.next != nil:
		return "The first one is due " + in(v.Now, v.next.Next) + ", at " + wall(v.next.Next) + "."
	}
	return "Nothing is scheduled."
}
