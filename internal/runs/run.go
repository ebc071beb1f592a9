package runs

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Kind is what a run is for.
type Kind string

// A run that plans changes nothing; one that applies does.
const (
	KindPlan  Kind = "plan"
	KindApply Kind = "apply"
)

// The triggers of a run besides the schedules, which have their own names.
const (
	TriggerCommand = "command" // a command, by hand or from a job
	TriggerStart   = "start"   // the start of the daemon
	TriggerHTTP    = "http"    // a request to the daemon
)

// Run is one finished run with its plan.
type Run struct {
	// ID names the run in its ledger or its daemon; "" if there is neither.
	ID string
	// Plan is nil if the run failed before it had one; Error then has the reason.
	Plan *actions.Plan
	Kind Kind
	// Trigger is the name of a schedule, or one of the Trigger constants.
	Trigger string
	// Started is when the run began; zero if it is not known.
	Started time.Time
	// Duration is how long the run took; 0 if it was not measured.
	Duration time.Duration
	// Judging is the time spent in policies, summed over all images that were judged
	// concurrently; 0 if it was not measured.
	Judging time.Duration
	// Calls is the number of API calls; 0 if they were not counted.
	Calls int64
	// Contents is what was read of the inside of tags.
	Contents Contents
	// Copies is what was copied into the archive.
	Copies Copies
	// Exit is the exit code with which a command would have ended.
	Exit int
	// Error is why the run ended early; "" if it did not.
	Error string
	// Declined: the operator declined the plan, and nothing was changed.
	Declined bool
	// Sources are the use sources that were read.
	Sources []UseSource
	// Price is what storage costs.
	Price Price
	// Approvals are those of a plan that waits for them; nil if it needs none.
	Approvals *Approvals
	// Waivers counts the waivers of the configuration.
	Waivers Waivers
	// Zone is where people read the times of the run; nil means UTC.
	Zone *time.Location
}

// Contents counts what was read of the inside of tags.
type Contents struct {
	Read   int64 // digests that were read from the registry
	Known  int64 // digests that were known already
	Unread int64 // digests that could not be read
	Calls  int64 // requests, those for tokens and after redirects included
	Bytes  int64 // of the answers
}

// UseSource is one source of uses, and how reading it went.
type UseSource struct {
	Name   string    // as reasons name it: "kubernetes prod-eu"
	Uses   int       // how many it named
	ReadAt time.Time // when it last answered; zero if it did not
	Error  string    // why it could not be read; "" if it could
}

// Waivers are how many waivers there are at the time of a run.
type Waivers struct {
	InForce  int
	Expiring int // those of them that end soon
}

// Price is what a month of storage costs.
type Price struct {
	// PerGB is the price of 10⁹ bytes of private images; public images are free.
	PerGB float64
	// ArchivePerGB is that of 10⁹ bytes in the archive; 0 if it is not known.
	ArchivePerGB float64
	// Currency is an ISO 4217 code.
	Currency string
}

// Succeeded reports whether the run was complete: without an error, gaps, policy
// errors, refusals, failed or skipped steps.
func (r *Run) Succeeded() bool {
	p := r.Plan
	return r.Error == "" && p != nil && !p.Incomplete() && !p.Refused() && (p.Outcome == nil || !p.Outcome.Incomplete())
}

// Began is when the run began, or when its scan did if that is all that is known.
func (r *Run) Began() time.Time {
	if r.Started.IsZero() && r.Plan != nil {
		return r.Plan.TakenAt
	}
	return r.Started
}

// Forecast reports whether the run was made for another time than now.
func (r *Run) Forecast() bool { return r.Plan != nil && r.Plan.Forecast }

// MarshalJSON writes the summary and the plan, which is null if there is none.
func (r Run) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Summary
		Approvals *Approvals      `json:"approvals,omitempty"`
		Plan      json.RawMessage `json:"plan"`
	}{r.Summary(), r.Approvals, planJSON(r.Plan)})
}

func planJSON(p *actions.Plan) json.RawMessage {
	var b bytes.Buffer
	if p == nil || p.Encode(&b) != nil {
		return json.RawMessage("null")
	}
	return b.Bytes()
}

// Summary is one line of the history of runs.
type Summary struct {
	ID       string    `json:"id"`
	Kind     Kind      `json:"kind"`
	Trigger  string    `json:"trigger"`
	Started  time.Time `json:"started,omitzero"`
	Duration Seconds   `json:"duration_seconds"`
	Exit     int       `json:"exit"`
	Error    string    `json:"error,omitempty"`
	// Declined: the operator declined the plan, and nothing was changed.
	Declined bool `json:"declined,omitempty"`
	// Counts of the plan.
	Tags       int    `json:"tags"`
	Steps      int    `json:"steps"`
	Held       int    `json:"held"`
	Violations int    `json:"violations"`
	Gaps       int    `json:"gaps"`
	Bytes      uint64 `json:"bytes,omitempty"` // of images; 0 if not known
	// Counts of the steps of a run that applied.
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	// Kept reports whether the run can still be had by its ID.
	Kept bool `json:"-"`
}

// Summary is what the history shows of the run.
func (r *Run) Summary() Summary {
	s := Summary{ID: r.ID, Kind: r.Kind, Trigger: r.Trigger, Started: r.Started, Duration: Seconds(r.Duration), Exit: r.Exit, Error: r.Error, Declined: r.Declined}
	p := r.Plan
	if p == nil {
		return s
	}
	s.Tags, s.Steps, s.Held, s.Violations, s.Gaps = p.Summary.Tags, len(p.Steps), len(p.Held), len(p.Violations), len(p.Gaps)
	if p.Stats != nil {
		s.Bytes = p.Stats.Bytes
	}
	if p.Outcome != nil {
		s.Done, s.Failed, s.Skipped = p.Outcome.Done, p.Outcome.Failed, p.Outcome.Skipped
	}
	return s
}

// Seconds is a time span that JSON has as a number of seconds.
type Seconds time.Duration

// Duration is the same span as the standard library has it.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// MarshalJSON writes 1.5 for a second and a half.
func (s Seconds) MarshalJSON() ([]byte, error) { return json.Marshal(s.Duration().Seconds()) }
