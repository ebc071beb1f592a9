package diff

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/internal/lines"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Comparison is how two plans differ: what each would do that the other leaves
// alone, by which rule, and why the other leaves it alone, as far as that is
// known.
//
// The order of the fields is the order of the JSON.
type Comparison struct {
	Version int       `json:"version"`
	Before  Side      `json:"before"`
	After   Side      `json:"after"`
	Notes   []string  `json:"notes"` // what the reader must know to read the rest
	Summary Contrast  `json:"summary"`
	Rules   []ByRule  `json:"rules"`       // sorted by rule
	Changes []Change  `json:"differences"` // sorted by ref, then action
	Found   []Finding `json:"violations"`  // of one side only, sorted by ref
}

// Side is one of the two plans.
type Side struct {
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

// Contrast counts what differs. OutOfScope are steps of one side on what the
// other does not look at: they are not compared.
type Contrast struct {
	Same       int     `json:"same"`    // steps that both have
	Differs    int     `json:"differs"` // changes of visibility to different ends
	OnlyBefore Effects `json:"only_before"`
	OnlyAfter  Effects `json:"only_after"`
	OutOfScope int     `json:"out_of_scope"`
}

// Effects counts steps and violations that only one side has.
type Effects struct {
	actions.StepCounts
	Deny int `json:"deny"`
	Warn int `json:"warn"`
}

// ByRule counts the steps that only one side has and that name the rule. A step
// that several rules ask for counts for each of them.
type ByRule struct {
	Rule       string `json:"rule"`
	OnlyBefore int    `json:"only_before"`
	OnlyAfter  int    `json:"only_after"`
}

// Only says which side has something.
type Only string

// The sides. InBoth is a change of visibility that both plan, to different ends.
const (
	InBefore Only = "before"
	InAfter  Only = "after"
	InBoth   Only = "both"
)

// Change is a step that the two sides do not share.
type Change struct {
	Only   Only           `json:"only"` // the side that has the step
	Action actions.Action `json:"action"`
	Ref    string         `json:"ref"`
	Before Stance         `json:"before"`
	After  Stance         `json:"after"`
}

// Stance is what one side makes of an object.
type Stance struct {
	Standing Standing            `json:"standing"`
	To       registry.Visibility `json:"to,omitempty"`
	Guard    actions.Guard       `json:"guard,omitempty"`
	Detail   string              `json:"detail,omitempty"`
	// Reasons are those of the step or of what is held, or the votes that keep it.
	Reasons []registry.Reason `json:"reasons"`
}

// Standing says why a side does or does not change an object.
type Standing string

// The standings.
const (
	StandsStep    Standing = "step"          // it has the step
	StandsHeld    Standing = "held"          // a guard holds it
	StandsKept    Standing = "kept"          // a rule keeps it
	StandsFree    Standing = "not_condemned" // no rule asks for it
	StandsGap     Standing = "gap"           // it could not be read or judged
	StandsAbsent  Standing = "absent"        // it was not seen: gone since, or skipped
	StandsUnknown Standing = "unknown"       // the plan does not have it, and does not say why
)

// Finding is a violation that only one side reports.
type Finding struct {
	Only Only `json:"only"`
	registry.Violation
}

// Half is one side of a comparison to be made. Witness is nil for a plan of
// which nothing but the plan is known.
type Half struct {
	Name    string
	Plan    *actions.Plan
	Witness *Witness
}

// Compare says how two plans differ. It is pure: the same plans and witnesses
// give the same comparison.
func Compare(before, after Half, notes ...string) *Comparison {
	c := &comparer{before: before, after: after, out: &Comparison{
		Version: actions.Version, Before: before.side(), After: after.side(), Notes: append([]string{}, notes...),
		Rules: []ByRule{}, Changes: []Change{}, Found: []Finding{},
	}, held: [2]map[changeKey]*actions.Held{before.heldByChange(), after.heldByChange()}, rules: map[string]*ByRule{}}
	if a, b := c.out.Before, c.out.After; !a.TakenAt.Equal(b.TakenAt) {
		c.note("The plans were made for different times: what was pushed, moved, deleted or grew older in between differs too.")
	} else if a.ConfigDigest == b.ConfigDigest && a.PolicyDigest == b.PolicyDigest {
		c.note("Both sides have the same rules and policies.")
	}
	c.steps()
	c.violations()
	if n := c.out.Summary.OutOfScope; n > 0 {
		c.note(text.Count(n, "step") + " of one side " + text.Choose(n, "is", "are") + " on what the other does not look at, and " + text.Choose(n, "is", "are") + " not compared.")
	}
	for _, rule := range slices.Sorted(maps.Keys(c.rules)) {
		c.out.Rules = append(c.out.Rules, *c.rules[rule])
	}
	return c.out
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

// Differ says whether there is a difference in what is done or found.
func (c *Comparison) Differ() bool { return len(c.Changes)+len(c.Found) > 0 }

// Incomplete says whether one of the sides could not see or judge everything.
func (c *Comparison) Incomplete() bool { return c.Before.Incomplete || c.After.Incomplete }
