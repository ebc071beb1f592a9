package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// unlistedNames are the tags that the image names inline and its listing does
// not show: something changed in between, or one of the two answers is wrong.
func unlistedNames(img *registry.Image) []string {
	if len(img.TagNames) == 0 {
		return nil
	}
	listed := make(map[string]bool, len(img.Tags))
	for i := range img.Tags {
		listed[img.Tags[i].Name] = true
	}
	return slices.DeleteFunc(slices.Clone(img.TagNames), func(name string) bool { return listed[name] })
}

// distrust names the guard that holds everything in the image, and "" if its
// verdict can be trusted.
func (d *imageDecision) distrust() (actions.Guard, string) {
	switch {
	case d.v.Err != nil:
		return actions.GuardPolicyError, policyError(d.v.Err)
	case d.v.Image.Status != registry.StatusReady:
		return actions.GuardNotReady, "status of the image is " + d.v.Image.Status.OrMissing()
	case d.v.Namespace.Status != registry.StatusReady:
		return actions.GuardNotReady, "status of the namespace is " + d.v.Namespace.Status.OrMissing()
	}
	return "", ""
}

// holdAll holds everything that is marked in the image. A policy error that holds
// nothing would not be seen, so it is a gap.
func (d *imageDecision) holdAll(g actions.Guard, detail string) {
	for i, v := range d.v.Tags {
		if isMarked(v.Delete, v.Keep) {
			t := &d.v.Image.Tags[i]
			d.part.direct.holdTag(t, d.tagRef(t.Name), g, detail, v.Delete)
		}
	}
	if isMarked(d.v.Delete, d.v.Keep) {
		d.part.direct.hold(actions.DeleteImage, d.ref, g, detail, d.v.Delete)
	}
	if g == actions.GuardPolicyError && len(d.part.direct.held) == 0 {
		d.part.gap(d.ref, d.v.Err)
	}
}

// reportStatus reports what is not ready, and tags that are dated in the future.
func (d *imageDecision) reportStatus() {
	if s := d.v.Image.Status; s != registry.StatusReady {
		d.part.warn(d.ref, statusImageRule, skippedText(s))
	}
	d.part.reportOrder(d.ref, d.v.Image.CreatedAt, d.v.Image.UpdatedAt)
	for i := range d.v.Image.Tags {
		t := &d.v.Image.Tags[i]
		isHeld := len(d.v.Tags) > 0 && isMarked(d.v.Tags[i].Delete, d.v.Tags[i].Keep)
		if t.Status != registry.StatusReady && !isHeld {
			d.part.warn(d.tagRef(t.Name), statusTagRule, "status is "+t.Status.OrMissing()+": not a candidate for deletion, counts as kept")
		}
		d.reportFuture(t.Name, "updated_at", t.UpdatedAt)
		d.reportFuture(t.Name, "created_at", t.CreatedAt)
		if content := d.v.Image.Contents[t.Digest]; content != nil {
			d.reportFuture(t.Name, "built_at", content.BuiltAt)
		}
		if t.UpdatedAt.Before(t.CreatedAt) { // most are not, and then the reference is not needed
			d.part.reportOrder(d.tagRef(t.Name), t.CreatedAt, t.UpdatedAt)
		}
	}
}

func (d *imageDecision) reportFuture(tag, field string, at time.Time) {
	if at.After(d.o.latest()) {
		d.part.warn(d.tagRef(tag), futureRule, fmt.Sprintf("%s is %s, %s after the scan: it counts as newest",
			field, at.UTC().Format(time.RFC3339), text.Age(at.Sub(d.o.scannedAt()))))
	}
}

// reportOrder reports an update before the creation.
func (p *Part) reportOrder(ref string, created, updated time.Time) {
	if updated.Before(created) {
		p.warn(ref, orderRule, fmt.Sprintf("updated_at is %s, %s before created_at: the later time counts",
			updated.UTC().Format(time.RFC3339), text.Age(created.Sub(updated))))
	}
}

func (d *imageDecision) imageStep(a actions.Action, from registry.Visibility) actions.Step {
	return actions.Step{
		Action: a, Ref: d.ref, Region: d.v.Namespace.Region, Namespace: d.v.Namespace.Name, Image: d.v.Image.Name,
		ID: d.v.Image.ID, UpdatedAt: d.v.Image.UpdatedAt.UTC(), From: from,
	}
}

func (d *imageDecision) tagStep(t *registry.Tag, reasons []registry.Reason) actions.Step {
	s := d.imageStep(actions.DeleteTag, "")
	s.Ref = d.tagRef(t.Name)
	s.Tag = s.Ref[len(d.ref)+1:] // shares its bytes with ref
	s.ID, s.Digest, s.UpdatedAt, s.Reasons = t.ID, t.Digest, t.UpdatedAt.UTC(), reasons
	return s
}

func (d *imageDecision) tagRef(tag string) string { return d.ref + ":" + tag }
