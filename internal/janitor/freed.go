package janitor

import (
	"context"
	"errors"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/policy"
)

// Freed is what the deletions of a recorded plan free.
type Freed struct {
	Run     int64               `json:"run"`
	TakenAt time.Time           `json:"taken_at"`
	ByRule  []actions.RuleFrees `json:"frees_by_rule"`
}

// recentRuns is how many runs are searched for a plan.
const recentRuns = 100

// LastFreed is what the newest plan frees that the same configuration and policies made of
// the whole scope, by the ledger; nil if there is none, or nothing is known of it.
func LastFreed(ctx context.Context, c *config.Config, o policy.Options) (freed *Freed, err error) {
	if !ledger.MayExist(c.LedgerDSN()) {
		return nil, nil //nolint:nilnil // there is none
	}
	policies, err := Policies(ctx, c, o)
	if err != nil {
		return nil, err
	}
	l, err := ledger.Open(ctx, c.LedgerDSN(), ledger.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	records, err := l.Runs(ctx, recentRuns)
	if err != nil {
		return nil, err
	}
	for i := range records {
		r := &records[i]
		if r.PlanID == "" || r.ConfigDigest != c.Digest() || r.PolicyDigest != policies.Digest() {
			continue
		}
		p, err := l.Plan(ctx, r.PlanID)
		switch {
		case errors.Is(err, ledger.ErrUnknownPlan) || err == nil && len(p.Narrowed) > 0:
			continue
		case err != nil || len(p.FreesByRule) == 0:
			return nil, err
		}
		return &Freed{r.ID, p.TakenAt, p.FreesByRule}, nil
	}
	return nil, nil //nolint:nilnil // there is none
}
