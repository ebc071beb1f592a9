package report

import (
	"strconv"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// daemonView is a daemon as its page shows it.
type daemonView struct {
	Version   string
	Headline  string
	State     []factView
	Reload    *noticeView
	Sub       string // a word about the headline
	Schedules []scheduleView
	History   *historyView
	Runs      []historyRow
	MayPlan   bool
	MayApply  bool
	AsOf      string
	Waits     string // what the empty page says of the first run
}

// scheduleView is one schedule.
type scheduleView struct {
	Name, Do, Cron, Zone, Jitter string
	Next, NextStamp, In          string
	Last, LastStamp, Ago         string
	Result                       string
	Shape                        string // of the result; "" where it is not known
	Skipped                      string
}

// historyRow is one run in the table.
type historyRow struct {
	ID, Kind, Trigger, Started, Stamp, Ago, Took string
	Exit                                         int
	Meaning, Shape, Error                        string
	Tags, Steps, Held, Violations, Gaps, Size    string
	Applied                                      string
}

func newDaemonView(d *runs.Daemon) *daemonView {
	v := &daemonView{Version: clean(d.Version), MayPlan: d.MayPlan, MayApply: d.MayApply, AsOf: moment(d.Now)}
	v.state(d)
	if d.Reload.Error != "" {
		n := noticeView{Tone: "bad", Label: "Configuration not loaded", Text: clean(d.Reload.Error)}
		if !d.Reload.At.IsZero() {
			n.Items = []factView{{Name: "Since", Value: moment(d.Reload.At) + ", " + ago(d.Now, d.Reload.At) + ". The configuration from before is still in force."}}
		}
		v.Reload = &n
	}
	exits := map[string]*runs.Summary{}
	for i := range d.Runs {
		exits[d.Runs[i].ID] = &d.Runs[i]
		v.Runs = append(v.Runs, newHistoryRow(&d.Runs[i], d.Now))
	}
	var next *runs.Schedule
	for i := range d.Schedules {
		s := &d.Schedules[i]
		v.Schedules = append(v.Schedules, newScheduleView(s, d.Now, exits[s.LastRun]))
		if !s.Next.IsZero() && (next == nil || s.Next.Before(next.Next)) {
			next = s
		}
	}
	v.Headline, v.Sub = daemonHeadline(d, next)
	v.History = newHistory(d.Runs)
	v.Waits = waits(d, next)
	return v
}

// daemonHeadline says what the daemon does, or will do next, and a word about that.
func daemonHeadline(d *runs.Daemon, next *runs.Schedule) (headline, sub string) {
	switch r := d.Running; {
	case r != nil:
		headline = "Planning now"
		if r.Kind == runs.KindApply {
			headline = "Applying now"
		}
		return headline, capital(clean(startedBy(r.Trigger)+", since ")) + moment(r.Started) + ": " +
			text.Count(int(r.Images), "image") + " and " + text.Count(int(r.Tags), "tag") + " judged so far"
	case !d.Leads && d.Leader != "":
		return "Standing by", clean(d.Leader) + " works. This one takes over when that one is gone."
	case !d.Leads:
		return "Standing by", "Another daemon works. This one takes over when that one is gone."
	case next != nil:
		return "Next " + clean(string(next.Do)) + " " + in(d.Now, next.Next), "By the schedule " + clean(next.Name) + ", at " + wall(next.Next)
	default:
		return "Waiting to be asked", "Nothing is scheduled."
	}
}

func (v *daemonView) state(d *runs.Daemon) {
	add := func(name, value, sub string) {
		v.State = append(v.State, factView{Name: name, Value: clean(value), Sub: sub})
	}
	role := "standby"
	if d.Leads {
		role = "leader"
	}
	add("Role", role, clean(d.Leader))
	if !d.Started.IsZero() {
		add("Up", text.Elapsed(d.Now.Sub(d.Started)), "since "+moment(d.Started))
	}
	if !d.Reload.At.IsZero() && d.Reload.Error == "" {
		add("Configuration", "loaded "+ago(d.Now, d.Reload.At), moment(d.Reload.At))
	}
	if d.Version != "" {
		add("Version", d.Version, "")
	}
}

// waits says when there will be a first run to show.
func waits(d *runs.Daemon, next *runs.Schedule) string {
	switch {
	case d.Running != nil:
		return "The first one is under way. Load this page again in a moment."
	case !d.Leads:
		return "Another daemon works, and this one shows what it does itself."
	case next != nil:
		return "The first one is due " + in(d.Now, next.Next) + ", at " + wall(next.Next) + "."
	default:
		return "Nothing is scheduled."
	}
}

func newScheduleView(s *runs.Schedule, now time.Time, last *runs.Summary) scheduleView {
	v := scheduleView{Name: clean(s.Name), Do: clean(string(s.Do)), Cron: clean(s.Cron), Zone: clean(s.Timezone)}
	if v.Zone == "" {
		v.Zone = "UTC"
	}
	if s.Jitter > 0 {
		v.Jitter = "up to " + text.Elapsed(s.Jitter.Duration()) + " later"
	}
	if !s.Next.IsZero() {
		v.Next, v.NextStamp, v.In = wall(s.Next), machineTime(s.Next), in(now, s.Next)
	}
	if !s.Last.IsZero() {
		v.Last, v.LastStamp, v.Ago = wall(s.Last), machineTime(s.Last), ago(now, s.Last)
	}
	if last != nil {
		v.Result, v.Shape = strconv.Itoa(last.Exit)+", "+exitWords(last.Exit), exitShape(last.Exit)
	}
	if s.Skipped > 0 {
		v.Skipped = text.Count(s.Skipped, "time") + ", because a run was going on"
	}
	return v
}

// wall is a time as a clock on the wall of the schedule shows it.
func wall(t time.Time) string {
	if t.Location() == time.Local {
		t = t.UTC() // the zone of whatever machine this is says nothing
	}
	return t.Format("2006-01-02 15:04 MST")
}

func in(now, then time.Time) string {
	if !then.After(now) {
		return "now"
	}
	return "in " + text.Elapsed(then.Sub(now).Round(time.Second))
}

func ago(now, then time.Time) string {
	if then.After(now) {
		return in(now, then)
	}
	if now.Sub(then) < time.Second {
		return "just now"
	}
	return text.Elapsed(now.Sub(then).Truncate(time.Second)) + " ago"
}

func newHistoryRow(r *runs.Summary, now time.Time) historyRow {
	v := historyRow{
		ID: clean(r.ID), Kind: clean(string(r.Kind)), Trigger: clean(startedBy(r.Trigger)), Error: clean(r.Error),
		Exit: r.Exit, Meaning: exitWords(r.Exit), Shape: exitShape(r.Exit), Took: text.Elapsed(r.Duration.Duration()),
		Tags: text.Thousands(r.Tags), Steps: text.Thousands(r.Steps), Held: text.Thousands(r.Held),
		Violations: text.Thousands(r.Violations), Gaps: text.Thousands(r.Gaps),
		Applied: listed(count{r.Done, "done"}, count{r.Failed, "failed"}, count{r.Skipped, "skipped"}),
	}
	if !r.Started.IsZero() {
		v.Started, v.Stamp, v.Ago = r.Started.UTC().Format("2006-01-02 15:04"), machineTime(r.Started), ago(now, r.Started)
	}
	if r.Bytes > 0 {
		v.Size = text.Size(r.Bytes)
	}
	return v
}
