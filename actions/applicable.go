package actions

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// The reasons for which a plan must not be applied.
var (
	// ErrLimit: a limit refuses the plan.
	ErrLimit = errors.New("a limit refuses the plan")
	// ErrNotApplicable: the plan must not be applied, whatever the limits say.
	ErrNotApplicable = errors.New("the plan cannot be applied")
)

// Applicable returns why the plan must not be applied now, and nil if it may: its id
// does not fit its contents, it is a forecast, its scan is in the future or older than
// maxAge (24 h when that is 0), or a limit refuses it. The error wraps ErrLimit for
// the latter, and ErrNotApplicable for the others.
func (p *Plan) Applicable(now time.Time, maxAge time.Duration) error {
	maxAge = cmp.Or(maxAge, 24*time.Hour)
	if err := p.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotApplicable, err)
	}
	switch age := now.Sub(p.TakenAt); {
	case p.Forecast:
		return fmt.Errorf("%w: it is a forecast for %s: make a plan of the present", ErrNotApplicable, stamp(p.TakenAt))
	case age < 0:
		return fmt.Errorf("%w: its scan is dated %s, which is in the future by the clock of this machine (%s): set the clock, or make a new plan", ErrNotApplicable, stamp(p.TakenAt), stamp(now))
	case age > maxAge:
		return fmt.Errorf("%w: its scan is %s old, older than the %s of max_plan_age: make a new plan", ErrNotApplicable, text.Age(age), text.Exact(maxAge))
	case p.Refused():
		return Refuse(p.Refusals)
	}
	return nil
}

// Refuse is the error of a plan that exceeds limits. It wraps ErrLimit.
func Refuse(refusals []Refusal) error {
	var details []string
	for _, r := range refusals {
		details = append(details, r.Detail)
	}
	return fmt.Errorf("%w: %s", ErrLimit, strings.Join(details, "; "))
}

// Difference is how a tag differs from what the step planned; "" if it does not.
func (s *Step) Difference(tag registry.Tag) string {
	switch {
	case tag.Status == registry.StatusDeleting:
		return "it is being deleted already"
	case tag.Digest != s.Digest && tag.Status == registry.StatusReady && tag.Name == s.Tag:
		return "it has another digest now: " + tag.Digest
	}
	return s.Moved(s.Tag, tag.Name, tag.Status, tag.UpdatedAt)
}

// Moved is how the status, name or time of an object differ from what the step
// planned; "" if they do not.
func (s *Step) Moved(planned, name string, status registry.Status, updated time.Time) string {
	switch {
	case status != registry.StatusReady:
		return "its status is " + cmp.Or(string(status), "missing")
	case name != planned:
		return "it is named " + name + " now"
	case !updated.Equal(s.UpdatedAt):
		return "it was updated at " + stamp(updated) + ", after it was planned"
	}
	return ""
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
