package diff

import (
	"fmt"
	"io"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/internal/lines"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Comparison is how two plans differ.
//
// The order of the fields is the order of the JSON.
type Comparison struct {
	Version int       `json:"version"`
	Before  Plan      `json:"before"`
	After   Plan      `json:"after"`
	Notes   []string  `json:"notes"` // what the reader must know to read the rest
	Summary Summary   `json:"summary"`
	Rules   []ByRule  `json:"rules"`       // sorted by rule
	Changes []Change  `json:"differences"` // sorted by ref, then action
	Found   []Finding `json:"violations"`  // of one plan only, sorted by ref

	// Zone is where people read its times; nil means UTC.
	Zone *time.Location `json:"-"`
}

// Plan describes one of the two plans.
type Plan struct {
	Name         string          `json:"name"` // the file that it comes from
	ID           string          `json:"id"`
	TakenAt      time.Time       `json:"taken_at"`
	ConfigDigest string          `json:"config_digest"`
	PolicyDigest string          `json:"policy_digest"`
	Forecast     bool            `json:"forecast"`
	Refused      bool            `json:"refused"`
	Incomplete   bool            `json:"incomplete"`
	Summary      actions.Summary `json:"summary"`
}

// Summary counts what differs.
type Summary struct {
	Same       int     `json:"same"`    // steps that both have
	Differs    int     `json:"differs"` // changes of visibility to different ends
	OnlyBefore Effects `json:"only_before"`
	OnlyAfter  Effects `json:"only_after"`
	// OutOfScope are steps of one plan on objects outside of the scope of the other.
	// They are not compared.
	OutOfScope int `json:"out_of_scope"`
}

// Effects counts the steps and violations that only one plan has.
type Effects struct {
	actions.StepCounts
	Deny int `json:"deny"`
	Warn int `json:"warn"`
	// Waived are the violations that a waiver covers.
	Waived int `json:"waived,omitempty"`
}

// ByRule counts the steps that only one plan has and that name the rule. A step
// that several rules ask for counts for each of them.
type ByRule struct {
	Rule       string `json:"rule"`
	OnlyBefore int    `json:"only_before"`
	OnlyAfter  int    `json:"only_after"`
	// Before and After are what the tags that the rule marks free in each plan, where
	// that is known.
	Before *actions.Frees `json:"before,omitempty"`
	After  *actions.Frees `json:"after,omitempty"`
}

// Presence is which of the plans has something.
type Presence string

// Both is a change of visibility that both plan, to different ends.
const (
	Before Presence = "before"
	After  Presence = "after"
	Both   Presence = "both"
)

// Change is a step that the plans do not share.
type Change struct {
	Only   Presence       `json:"only"` // the plan that has the step
	Action actions.Action `json:"action"`
	Ref    string         `json:"ref"`
	Before Position       `json:"before"`
	After  Position       `json:"after"`
}

// Position is what one plan does with an object, and why.
type Position struct {
	State  State               `json:"standing"`
	To     registry.Visibility `json:"to,omitempty"`
	Guard  actions.Guard       `json:"guard,omitempty"`
	Detail string              `json:"detail,omitempty"`
	// Reasons are those of the step or of the held entry, or those that keep the
	// object.
	Reasons []registry.Reason `json:"reasons"`
}

// State is why a plan changes an object or does not.
type State string

// The states.
const (
	StateStep     State = "step"          // it has the step
	StateHeld     State = "held"          // a guard holds it
	StateKept     State = "kept"          // a rule keeps it
	StateUnmarked State = "not_condemned" // no rule asks for it
	StateGap      State = "gap"           // it could not be read or judged
	StateAbsent   State = "absent"        // it was not listed: gone since, or skipped
	StateUnknown  State = "unknown"       // the plan does not have it, and does not show why
)

// Finding is a violation that only one plan reports.
type Finding struct {
	Only Presence `json:"only"`
	registry.Violation
}

// Encode writes the comparison as JSON, one entry a line.
func (c *Comparison) Encode(w io.Writer) error {
	e := lines.New(w, "\n")
	e.Field("{", "version", c.Version)
	e.Break()
	e.Field("", "before", c.Before)
	e.Break()
	e.Field("", "after", c.After)
	lines.List(e, "notes", c.Notes)
	e.Break()
	e.Field("", "summary", c.Summary)
	lines.List(e, "rules", c.Rules)
	lines.List(e, "differences", c.Changes)
	lines.List(e, "violations", c.Found)
	if err := e.Close(); err != nil {
		return fmt.Errorf("writing the comparison: %w", err)
	}
	return nil
}

// Differ reports whether the plans differ in a step or a violation.
func (c *Comparison) Differ() bool { return len(c.Changes)+len(c.Found) > 0 }

// Incomplete reports whether one of the plans is incomplete.
func (c *Comparison) Incomplete() bool { return c.Before.Incomplete || c.After.Incomplete }
