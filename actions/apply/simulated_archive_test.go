package apply

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// vault is an archive in memory. It fails as archives do: copies are refused, take long,
// are corrupt, or lose their source halfway.
type vault struct {
	a        *attempt
	optional bool // a tag that cannot be copied may be deleted all the same
	percent  int  // of the copies that fail

	mu   sync.Mutex
	kept map[string]string // digests of the verified copies, by reference
	lost map[string]bool   // references of which the copy failed
}

func (a *attempt) someVault() *vault {
	dice := a.dice("archive")
	if dice.chance(50) {
		return nil
	}
	v := &vault{a: a, optional: dice.chance(30), percent: pick(dice, 0, 0, 5, 30, 100), kept: map[string]string{}, lost: map[string]bool{}}
	if a.calm {
		v.percent = 0
	}
	return v
}

func (v *vault) Copy(ctx context.Context, s *actions.Step) (*actions.Archived, error) {
	dice := v.a.dice("copy " + s.ID)
	takes := pick(dice, 0, 0, 100*time.Millisecond, 3*time.Second, 20*time.Second, 5*time.Minute)
	if err := clock.Sleep(ctx, takes); err != nil {
		return nil, err
	}
	at, _ := v.a.plan.ImageOf(s)
	source, err := v.a.site.reader.Tags(ctx, s.Region, v.a.plan.Images[at].ID)
	isThere := slices.ContainsFunc(source, func(t registry.Tag) bool { return t.Digest == s.Digest })
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case ctx.Err() != nil || v.a.isDead.Load():
		return nil, errors.New("the run is stopped")
	case err != nil || !isThere, dice.chance(v.percent):
		v.lost[s.Ref] = true
		if v.optional {
			return nil, &actions.UncopiedError{Err: errors.New("the copy is corrupt")}
		}
		return nil, errors.New("the copy is corrupt")
	}
	v.kept[s.Ref] = s.Digest
	return &actions.Archived{To: "memory", Until: time.Now().Add(30 * day).UTC()}, nil
}

// isSafe reports whether the tag of a step may be deleted as far as its copy goes.
func (v *vault) isSafe(s *actions.Step) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.kept[s.Ref] == s.Digest || v.optional && v.lost[s.Ref]
}

// forbids is why the deletion of a tag must not be sent as far as copies go: its own, and
// those of the tags that may go with it.
func (v *vault) forbids(step *actions.Step, listing *look) string {
	if v == nil {
		return ""
	}
	if !v.isSafe(step) {
		return "it is not archived"
	}
	for _, other := range listing.rows {
		i, isStep := v.a.steps["DELETE /registry/v1/regions/"+string(step.Region)+"/tags/"+other.ID]
		if other.Digest == step.Digest && isStep && !v.a.sent[other.ID] && !v.isSafe(&v.a.plan.Steps[i]) && v.a.o.SharedDigest != actions.Untag {
			return other.Name + ", which has its digest, is not archived"
		}
	}
	return ""
}

// check holds the results against what is in the archive.
func (v *vault) check(o *actions.Outcome) {
	if v == nil {
		return
	}
	for i, r := range o.Results {
		step := &v.a.plan.Steps[i]
		_, isKept := v.kept[r.Ref]
		switch {
		case r.Action != actions.DeleteTag:
		case r.Result == actions.ResultDone && !v.isSafe(step):
			v.a.t.Errorf("%s is done, and not archived", r.Ref)
		case isKept != (r.Archived != nil):
			v.a.t.Errorf("%s is %s, and archived: %v; its result says %v", r.Ref, r.Result, isKept, r.Archived)
		}
	}
}
