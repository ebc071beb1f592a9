package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// planImage plans an image about which there is something to say.
func planImage(v registry.Verdict, o Options, part Part) Part {
	j := &imageJudge{drafter: drafter{o: &o, part: &part}, v: &v, ref: v.Image.Ref().String()}
	if n := len(v.Tags); n != 0 && n != len(v.Image.Tags) {
		// Nobody knows which vote is whose, so none of them counts.
		v.Tags = nil
		v.Err = errors.Join(v.Err, fmt.Errorf("the judgement has %d entries for %d tags", n, len(v.Image.Tags)))
	}
	j.reportTags()
	j.part.violations = append(j.part.violations, v.Violations...)
	if g, detail := j.distrust(); g != "" {
		j.holdAll(g, detail)
		return part
	}
	j.visibility(v.Visibility, j.imageStep(actions.SetImageVisibility, v.Image.Visibility))
	goes := j.planTags()
	j.planDeletion(goes)
	j.noteStaying(goes)
	return part
}

// imageJudge plans one image.
type imageJudge struct {
	drafter
	v   *registry.Verdict
	ref string // of the image
}

// reportTags reports the tags that cannot be judged as others are.
func (j *imageJudge) reportTags() {
	if s := j.v.Image.Status; s != registry.StatusReady {
		j.warn(j.ref, statusImageRule, skippedText(s))
	}
	scanned := j.o.scannedAt()
	horizon := scanned.Add(clockTolerance)
	for i := range j.v.Image.Tags {
		t := &j.v.Image.Tags[i]
		if t.Status != registry.StatusReady && !j.condemned(i) {
			j.warn(j.tagRef(t.Name), statusTagRule, "status is "+t.Status.OrMissing()+": no candidate for deletion, counts as staying")
		}
		for _, d := range []struct {
			field string
			at    time.Time
		}{{"updated_at", t.UpdatedAt}, {"created_at", t.CreatedAt}} {
			if d.at.After(horizon) {
				j.warn(j.tagRef(t.Name), futureRule, fmt.Sprintf("%s is %s, %s after the scan: it counts as newest",
					d.field, d.at.UTC().Format(time.RFC3339), text.Age(d.at.Sub(scanned))))
			}
		}
	}
}

// distrust names the guard that holds everything in the image, and "" if its
// verdict can be trusted.
func (j *imageJudge) distrust() (actions.Guard, string) {
	switch {
	case j.v.Err != nil:
		return actions.GuardPolicyError, policyError(j.v.Err)
	case j.v.Image.Status != registry.StatusReady:
		return actions.GuardNotReady, "status of the image is " + j.v.Image.Status.OrMissing()
	case j.v.Namespace.Status != registry.StatusReady:
		return actions.GuardNotReady, "status of the namespace is " + j.v.Namespace.Status.OrMissing()
	default:
		return "", ""
	}
}

// holdAll holds every delete verdict of the image. A policy error that holds
// nothing would go unseen, so it is a gap.
func (j *imageJudge) holdAll(g actions.Guard, detail string) {
	for i := range j.v.Image.Tags {
		if j.condemned(i) {
			j.part.asked.hold(actions.DeleteTag, j.tagRef(j.v.Image.Tags[i].Name), g, detail, j.v.Tags[i].Delete)
		}
	}
	if condemns(j.v.Delete, j.v.Keep) {
		j.part.asked.hold(actions.DeleteImage, j.ref, g, detail, j.v.Delete)
	}
	if g == actions.GuardPolicyError && len(j.part.asked.held) == 0 {
		j.gap(j.ref, j.v.Err)
	}
}

// planTags plans the deletions of tags and says which tag goes.
func (j *imageJudge) planTags() (goes func(i int) bool) {
	if !slices.ContainsFunc(j.v.Tags, func(t registry.TagVerdict) bool { return condemns(t.Delete, t.Keep) }) {
		return func(int) bool { return false }
	}
	s := newStanding(j.v, j.o)
	s.settle()
	for i := range s.nodes {
		t, n := &s.tags[i], &s.nodes[i]
		list, reasons := &j.part.asked, []registry.Reason(nil)
		switch n.vote {
		case condemnedTag:
			reasons = j.v.Tags[i].Delete
		case impliedTag:
			if !n.goes && s.subjectStays(int32(i)) {
				continue // it has no verdict of its own, and nothing to follow
			}
			list = &j.part.follow
			reasons = []registry.Reason{{Rule: FollowRule, Text: "follows its subject " + text.Some(s.subjectNames(int32(i)))}}
		default:
			continue
		}
		if n.goes {
			list.step(j.tagStep(t, reasons))
			continue
		}
		g := s.guard(int32(i))
		list.hold(actions.DeleteTag, j.tagRef(t.Name), g, s.detail(int32(i), g, reasons), reasons)
	}
	return func(i int) bool { return s.nodes[i].goes }
}

// planDeletion plans the deletion of the image itself.
func (j *imageJudge) planDeletion(goes func(i int) bool) {
	if !condemns(j.v.Delete, j.v.Keep) {
		return
	}
	img, reasons := j.v.Image, j.v.Delete
	var staying []string
	for i := range img.Tags {
		if !goes(i) {
			staying = append(staying, img.Tags[i].Name)
		}
	}
	young := j.o.youth(img.CreatedAt, img.UpdatedAt)
	switch unlisted := unlistedNames(img); {
	case len(j.v.InUse) > 0:
		j.part.asked.hold(actions.DeleteImage, j.ref, actions.GuardInUse, "used by "+text.Some(j.v.InUse), reasons)
	case len(staying) > 0:
		j.part.asked.hold(actions.DeleteImage, j.ref, actions.GuardNotEmpty, text.Count(len(staying), "tag")+" of it "+text.Choose(len(staying), "stays", "stay")+": "+text.Some(staying), reasons)
	case len(unlisted) > 0:
		j.part.asked.hold(actions.DeleteImage, j.ref, actions.GuardNotEmpty, "it names tags that its listing does not show: "+text.Some(unlisted), reasons)
	case len(img.Tags) == 0 && img.SizeBytes > 0:
		j.part.asked.hold(actions.DeleteImage, j.ref, actions.GuardNotEmpty, fmt.Sprintf("its listing shows no tag, but it has a size of %d bytes", img.SizeBytes), reasons)
	case young != "":
		j.part.asked.hold(actions.DeleteImage, j.ref, actions.GuardMinAge, young, reasons)
	case reportOnly(j.v.Delete):
		j.part.asked.hold(actions.DeleteImage, j.ref, actions.GuardReportOnly, "condemned only by "+unenforced(reasons), reasons)
	default:
		s := j.imageStep(actions.DeleteImage, "")
		s.Reasons = reasons
		j.part.asked.step(s)
	}
}

// noteStaying notes what stays in an image of which something is deleted. What is
// being deleted already does not stay, whoever does it.
func (j *imageJudge) noteStaying(goes func(i int) bool) {
	if !j.part.Deletes() {
		return
	}
	stay := []string{}
	for i := range j.v.Image.Tags {
		if t := &j.v.Image.Tags[i]; !goes(i) && t.Status != registry.StatusDeleting {
			stay = append(stay, t.Name)
		}
	}
	slices.Sort(stay)
	j.part.image = &actions.PlannedImage{Ref: j.ref, ID: j.v.Image.ID, Stay: stay}
}

func (j *imageJudge) imageStep(a actions.Action, from registry.Visibility) actions.Step {
	return actions.Step{
		Action: a, Ref: j.ref, Region: j.v.Namespace.Region, Namespace: j.v.Namespace.Name, Image: j.v.Image.Name,
		ID: j.v.Image.ID, UpdatedAt: j.v.Image.UpdatedAt.UTC(), From: from,
	}
}

func (j *imageJudge) tagStep(t *registry.Tag, reasons []registry.Reason) actions.Step {
	ref := j.tagRef(t.Name)
	return actions.Step{
		Action: actions.DeleteTag, Ref: ref, Region: j.v.Namespace.Region, Namespace: j.v.Namespace.Name, Image: j.v.Image.Name,
		Tag: ref[len(j.ref)+1:], // shares its bytes with ref
		ID:  t.ID, Digest: t.Digest, UpdatedAt: t.UpdatedAt.UTC(), Reasons: reasons,
	}
}

func (j *imageJudge) tagRef(tag string) string { return j.ref + ":" + tag }

// condemned says whether a rule condemns the tag and none keeps it.
func (j *imageJudge) condemned(i int) bool {
	return len(j.v.Tags) > 0 && condemns(j.v.Tags[i].Delete, j.v.Tags[i].Keep)
}

// condemns is the whole of the conflict resolution: any keep beats any delete.
func condemns(del, keep []registry.Reason) bool { return len(del) > 0 && len(keep) == 0 }

// unlistedNames are the tags that the image names inline and its listing does
// not: something changed in between, or one of the two answers is wrong.
func unlistedNames(img *registry.Image) []string {
	if len(img.TagNames) == 0 {
		return nil
	}
	listed := make(map[string]bool, len(img.Tags))
	for i := range img.Tags {
		listed[img.Tags[i].Name] = true
	}
	var unlisted []string
	for _, name := range img.TagNames {
		if !listed[name] {
			unlisted = append(unlisted, name)
		}
	}
	return unlisted
}

func policyError(err error) string { return "a policy failed: " + oneLine(err) }

// oneLine words an error that may be several, which errors.Join puts on lines.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

func skippedText(s registry.Status) string {
	return "status is " + s.OrMissing() + ": skipped whole, nothing in it is a candidate for deletion"
}
