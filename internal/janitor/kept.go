package janitor

import (
	"context"
	"slices"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
)

// keptTags finds out of every tag which rules keep it. A plan does not need to know:
// it evaluates keep rules only for what is marked. Nothing that it finds changes the
// plan. A nil pointer finds nothing.
type keptTags struct {
	judge *policy.Judge // of every rule
	most  int           // tags in all

	mu     sync.Mutex
	tags   int
	images map[string][]actions.KeptTag // by reference; nil once there are too many tags
}

func (p *Planner) newKeptTags(uses *registry.UseIndex) *keptTags {
	if p.ExplainKept <= 0 {
		return nil
	}
	return &keptTags{
		judge: p.Policies.At(p.TakenAt, policy.Everything).WithUses(uses), most: p.ExplainKept,
		images: make(map[string][]actions.KeptTag),
	}
}

// add judges the image of a decision by every rule. Several may be added at once.
func (k *keptTags) add(ctx context.Context, d *decision) {
	if k != nil && d.item.Quiet != nil {
		k.hasRoomFor(d.item.Quiet.Tags) // which are not known here
	}
	if k == nil || d.verdict == nil || d.verdict.Image == nil || !k.hasRoomFor(len(d.verdict.Image.Tags)) {
		return
	}
	v := *d.verdict
	if v.Err == nil { // else the policy that failed would only fail again
		if judged, err := k.judge.Image(ctx, v.Image); err == nil && judged.Err == nil {
			v = judged
		}
	}
	tags := make([]actions.KeptTag, len(v.Image.Tags))
	for i := range tags {
		tags[i].Name = v.Image.Tags[i].Name
		if i < len(v.Tags) {
			tags[i].Reasons, tags[i].InUse = v.Tags[i].Keep, v.Tags[i].InUse
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.images != nil && len(tags) > 0 {
		k.images[v.Image.Ref().String()] = tags
	}
}

// hasRoomFor reports whether there are not too many tags yet.
func (k *keptTags) hasRoomFor(tags int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tags += tags; k.tags > k.most {
		k.images = nil
	}
	return k.images != nil
}

// without returns the tags without those that the plan deletes or that a guard holds;
// nil if there are too many.
func (k *keptTags) without(p *actions.Plan) map[string][]actions.KeptTag {
	if k == nil || k.images == nil {
		return nil
	}
	marked := make(map[string]bool, len(p.Steps)+len(p.Held))
	for i := range p.Steps {
		marked[p.Steps[i].Ref] = true
	}
	for i := range p.Held {
		marked[p.Held[i].Ref] = true
	}
	for image, tags := range k.images {
		kept := slices.DeleteFunc(tags, func(t actions.KeptTag) bool { return marked[image+":"+t.Name] })
		if k.images[image] = kept; len(kept) == 0 {
			delete(k.images, image)
		}
	}
	return k.images
}
