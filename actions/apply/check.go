package apply

import (
	"fmt"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// defaultMaxPlanAge is how old the scan of a plan may be where nobody says.
const defaultMaxPlanAge = 24 * time.Hour

// CheckApplicable says why a plan must not be applied now, and nil if it may: it
// is not what its id says, it is a forecast, its scan is in the future or older
// than maxAge (24 h when that is not positive), or a limit refuses it. The error
// wraps ErrLimit for the latter, and ErrNotApplicable for the others.
func CheckApplicable(p *actions.Plan, now time.Time, maxAge time.Duration) error {
	maxAge = orDefault(maxAge, defaultMaxPlanAge)
	if err := p.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotApplicable, err)
	}
	switch age := now.Sub(p.TakenAt); {
	case p.Forecast:
		return fmt.Errorf("%w: it is a forecast, made for %s: make a plan of the present", ErrNotApplicable, stamp(p.TakenAt))
	case age < 0:
		return fmt.Errorf("%w: its scan is dated %s, which is in the future by the clock of this machine (%s): set the clock, or make a new plan", ErrNotApplicable, stamp(p.TakenAt), stamp(now))
	case age > maxAge:
		return fmt.Errorf("%w: its scan is %s old, older than the %s of max_plan_age: make a new plan", ErrNotApplicable, text.Age(age), text.Exact(maxAge))
	case p.Refused():
		var details []string
		for _, r := range p.Refusals {
			details = append(details, r.Detail)
		}
		return fmt.Errorf("%w: %s", ErrLimit, strings.Join(details, "; "))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
