package web

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/registry"
)

// statusJSON is how the daemon stands.
type statusJSON struct {
	Version   string         `json:"version"`
	Started   time.Time      `json:"started,omitzero"`
	Leads     bool           `json:"leads"`
	Leader    string         `json:"leader,omitempty"`
	Running   *runningJSON   `json:"running"`
	Reload    reloadJSON     `json:"reload"`
	Schedules []scheduleJSON `json:"schedules"`
}

type runningJSON struct {
	Kind    string    `json:"kind"`
	Trigger string    `json:"trigger"`
	Started time.Time `json:"started"`
	Images  int64     `json:"images"`
	Tags    int64     `json:"tags"`
}

type reloadJSON struct {
	At    time.Time `json:"at,omitzero"`
	Error string    `json:"error,omitempty"`
}

type scheduleJSON struct {
	Name     string    `json:"name"`
	Cron     string    `json:"cron"`
	Timezone string    `json:"timezone"`
	Do       string    `json:"do"`
	Jitter   float64   `json:"jitter_seconds,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	LastRun  string    `json:"last_run,omitempty"`
	Skipped  int       `json:"skipped"`
}

func statusOf(d report.Daemon) statusJSON {
	s := statusJSON{
		Version: d.Version, Started: d.Started, Leads: d.Leads, Leader: d.Leader,
		Reload: reloadJSON(d.Reload), Schedules: []scheduleJSON{},
	}
	if d.Running != nil {
		r := runningJSON(*d.Running)
		s.Running = &r
	}
	for _, x := range d.Schedules {
		s.Schedules = append(s.Schedules, scheduleJSON{
			x.Name, x.Cron, x.Timezone, x.Do, x.Jitter.Seconds(), x.Next, x.Last, x.LastRun, x.Skipped,
		})
	}
	return s
}

// explanationJSON is everything that speaks for and against one object. Text is
// what the command prints.
type explanationJSON struct {
	Ref    string          `json:"ref"`
	Judged bool            `json:"judged"`
	Note   string          `json:"note,omitempty"`
	InUse  []string        `json:"in_use"`
	Delete []reasonJSON    `json:"delete"`
	Keep   []reasonJSON    `json:"keep"`
	Plan   json.RawMessage `json:"plan"`
	Text   string          `json:"text"`
}

type reasonJSON struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
	Source string `json:"source,omitempty"`
}

func explanationOf(e report.Explanation) (explanationJSON, error) {
	var text bytes.Buffer
	if err := report.Explain(&text, e); err != nil {
		return explanationJSON{}, err
	}
	out := explanationJSON{
		Ref: e.Ref.String(), Judged: e.Verdict != nil, Note: e.Note, Plan: planJSON(e.Plan), Text: text.String(),
		InUse: []string{}, Delete: []reasonJSON{}, Keep: []reasonJSON{},
	}
	v := e.Verdict
	if v == nil {
		return out, nil
	}
	out.InUse, out.Delete = append(out.InUse, v.InUse...), append(out.Delete, reasonsOf(v.Delete)...)
	if v.Image == nil {
		return out, nil
	}
	for i := range v.Image.Tags {
		if v.Image.Tags[i].Name == e.Ref.Tag && i < len(v.Tags) {
			t := &v.Tags[i]
			out.InUse = append([]string{}, t.InUse...)
			out.Delete, out.Keep = reasonsOf(t.Delete), reasonsOf(t.Keep)
		}
	}
	return out, nil
}

func reasonsOf(rs []registry.Reason) []reasonJSON {
	out := make([]reasonJSON, 0, len(rs))
	for _, r := range rs {
		j := reasonJSON{Rule: r.Rule, Reason: r.Text}
		if r.Source != nil && r.Source.File != "" {
			j.Source = r.Source.File + ":" + strconv.Itoa(r.Source.Line)
		}
		out = append(out, j)
	}
	return out
}
