package admission

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/approvals"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
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
	if err := record(ctx, c, l, p, armored, now); err != nil {
		return nil, err
	}
	return Approvals(ctx, c, l, p, nil, now)
}

// record records a signature that counts.
func record(ctx context.Context, c *config.Config, l *ledger.Ledger, p *actions.Plan, armored []byte, now time.Time) error {
	signers, err := c.Signers()
	if err != nil {
		return err
	}
	if signers == nil {
		return fmt.Errorf("%w: the configuration has no approvals", ErrSignature)
	}
	message, err := SignedBytes(p)
	if err != nil {
		return err
	}
	by, err := signers.Verify(message, armored, now)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return l.Sign(ctx, p.ID, by.Key, armored)
}

// Approved refuses a plan that too few people have approved, and records the signatures
// that came with it.
func Approved(ctx context.Context, c *config.Config, l *ledger.Ledger, p *actions.Plan, with []approvals.Signature, now time.Time) error {
	verdict, err := Approvals(ctx, c, l, p, with, now)
	if verdict == nil || err != nil {
		return err
	}
	if verdict.Missing > 0 {
		return notApproved(verdict)
	}
	for _, s := range with {
		if err := record(ctx, c, l, p, s.Armored, now); err != nil && !errors.Is(err, ErrSignature) {
			return err
		}
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

// Saved refuses to apply a plan that is not a saved one, if the configuration needs
// approvals.
func Saved(c *config.Config, isSaved bool) error {
	if c.Approvals != nil && !isSaved {
		return errors.New("the configuration needs approvals, so apply carries out only a saved plan: save it with plan -o PLAN.json, have it approved with registry-janitor approve PLAN.json, then apply PLAN.json")
	}
	return nil
}

// Newest is the newest plan in the ledger, of the runs since a time, that fits and has
// enough approvals; nil if there is none, or if it has been applied already.
func Newest(ctx context.Context, c *config.Config, l *ledger.Ledger, since, now time.Time, fits func(*actions.Plan) bool) (newest *actions.Plan, err error) {
	signed, err := l.SignedPlans(ctx, since)
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
		if newest != nil && !plan.TakenAt.After(newest.TakenAt) || !fits(plan) {
			continue
		}
		verdict, err := Approvals(ctx, c, l, plan, nil, now)
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
