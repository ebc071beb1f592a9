package janitor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/approvals"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// SignedBytes are what approvers of a plan sign: the file that plan -o writes.
func SignedBytes(p *actions.Plan) ([]byte, error) {
	bare := *p
	bare.Outcome = nil
	var b bytes.Buffer
	err := bare.Encode(&b)
	return b.Bytes(), err
}

// Approvals are those of a plan at a time: by the signatures in the ledger, which may be
// nil, and by others. They are nil if the configuration needs none.
func Approvals(ctx context.Context, c *config.Config, l *ledger.Ledger, p *actions.Plan, others []approvals.Signature, now time.Time) (*runs.Approvals, error) {
	signers, err := c.Signers()
	if signers == nil || err != nil {
		return nil, err
	}
	if l != nil {
		recorded, err := l.Signatures(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		for _, s := range recorded {
			others = append(others, approvals.Signature{From: "the ledger", Armored: s.Armored})
		}
	}
	var message []byte
	if len(others) > 0 { // encoding a large plan takes a while
		if message, err = SignedBytes(p); err != nil {
			return nil, err
		}
	}
	verdict := signers.Judge(message, others, c.Approvals.Required, now)
	return &verdict, nil
}

// ErrSignature reports that a signature does not count.
var ErrSignature = errors.New("the signature does not count")

// Sign records a signature of a plan in the ledger, and returns the approvals of the plan
// then. The error wraps ErrSignature if it does not count.
func Sign(ctx context.Context, c *config.Config, l *ledger.Ledger, p *actions.Plan, armored []byte, now time.Time) (*runs.Approvals, error) {
	signers, err := c.Signers()
	if err != nil {
		return nil, err
	}
	if signers == nil {
		return nil, fmt.Errorf("%w: the configuration has no approvals", ErrSignature)
	}
	message, err := SignedBytes(p)
	if err != nil {
		return nil, err
	}
	by, err := signers.Verify(message, armored, now)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if err := l.Sign(ctx, p.ID, by.Key, armored); err != nil {
		return nil, err
	}
	return Approvals(ctx, c, l, p, nil, now)
}

// checkApprovals refuses a plan that too few people have approved, and records the
// signatures that came with it.
func (a *ApplyRun) checkApprovals(ctx context.Context, p *actions.Plan) error {
	c, now := a.Session.Config, a.Session.o.Now()
	if c.Approvals == nil {
		return nil
	}
	if a.Given == nil {
		return errNoFile
	}
	verdict, err := Approvals(ctx, c, a.recorder.Ledger, p, a.Signatures, now)
	if err != nil {
		return err
	}
	if verdict.Missing > 0 {
		return notApproved(verdict)
	}
	for _, s := range a.Signatures {
		if _, err := Sign(ctx, c, a.recorder.Ledger, p, s.Armored, now); err != nil && !errors.Is(err, ErrSignature) {
			return err
		}
	}
	return nil
}

// errNoFile refuses to apply a plan that was only just made.
var errNoFile = errors.New("the configuration needs approvals, so apply carries out only a saved plan: save it with plan -o PLAN.json, have it approved with registry-janitor approve PLAN.json, then apply PLAN.json")

// CheckFile refuses an apply without a saved plan, if the configuration needs approvals.
func CheckFile(c *config.Config, file string) error {
	if c.Approvals != nil && file == "" {
		return errNoFile
	}
	return nil
}

func notApproved(v *runs.Approvals) error {
	message := "the plan is " + v.Words() + ", so nothing was changed: each approver runs registry-janitor approve PLAN.json, or ssh-keygen -Y sign -n " + approvals.Namespace + " -f KEY PLAN.json"
	for _, refused := range v.Refused {
		message += "\n  a signature does not count: " + refused
	}
	return errors.New(message)
}

// oneDay is how old a plan can be without max_plan_age.
const oneDay = 24 * time.Hour

// Approved is the newest plan in the ledger that may be applied now and has enough
// approvals; nil if there is none, or if it has been applied already.
func (s *Session) Approved(ctx context.Context, o recorder.Options) (newest *actions.Plan, err error) {
	l, err := ledger.Open(ctx, s.Config.LedgerDSN(), ledger.Options{Who: o.Who, Program: o.Program, Now: o.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	now, maxAge := startOfRun(s.o.Now), s.Config.Limits.MaxPlanAge.Duration()
	signed, err := l.SignedPlans(ctx, now.Add(-cmp.Or(maxAge, oneDay)-oneDay)) // a run may have begun long before its scan
	if err != nil {
		return nil, err
	}
	for id := range signed {
		plan, err := l.Plan(ctx, id)
		if errors.Is(err, ledger.ErrUnknownPlan) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if newest != nil && !plan.TakenAt.After(newest.TakenAt) || plan.Applicable(now, maxAge) != nil || s.Matches(plan) != nil {
			continue
		}
		verdict, err := Approvals(ctx, s.Config, l, plan, nil, now)
		if err != nil {
			return nil, err
		}
		if verdict.Missing == 0 {
			newest = plan
		}
	}
	if newest != nil && signed[newest.ID] {
		return nil, nil
	}
	return newest, nil
}
