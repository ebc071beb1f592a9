package apply

import (
	"errors"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// imageRun is an image of which tags are deleted, as it was found before the
// first deletion.
type imageRun struct {
	planned *actions.PlannedImage
	region  registry.Region
	name    string
	shared  actions.SharedDigest
	units   []*unit
	groups  map[string]*unit // by digest
	left    int              // units of tags that have not ended

	// verdict is what became of all steps of the image, and "" if it is what it was
	// judged as.
	verdict actions.Result
	detail  string
	listed  map[string]bool // IDs of its tags
	kept    []registry.Tag  // those that no step deletes
}

// forget gives back what was only needed while the image was worked on.
func (img *imageRun) forget() { img.units, img.groups, img.listed, img.kept = nil, nil, nil, nil }

// examine reads an image and lists its tags before the first deletion in it, and
// holds both against what was judged.
func (t *turn) examine(img *imageRun) {
	r := t.run
	if r.stopped() != nil {
		return // its steps are skipped one by one
	}
	if img.detail = img.inUse(r); img.detail != "" {
		img.verdict = actions.ResultChanged
		return
	}
	t.take()
	found, err := r.editor.GetImage(r.calls, img.region, img.planned.ID)
	var tags []registry.Tag
	if err == nil {
		tags, err = r.editor.ListTags(r.calls, img.region, img.planned.ID)
	}
	switch {
	case errors.Is(err, registry.ErrNotFound):
		img.verdict, img.detail = actions.ResultChanged, "its image is gone"
	case err != nil:
		r.haltIfDenied(err)
		img.verdict, img.detail = actions.ResultFailed, "its image could not be looked at again: "+err.Error()
		r.strike(true, img.detail)
	case found.Status != registry.StatusReady:
		img.verdict, img.detail = actions.ResultChanged, "the status of its image is "+found.Status.OrMissing()
	case found.Name != img.name:
		img.verdict, img.detail = actions.ResultChanged, "its image is named "+found.Name+" now"
	}
	if img.verdict == "" {
		img.hold(r, tags)
	}
}

// inUse says who has come to use what a step of the image deletes; "" is nobody.
func (img *imageRun) inUse(r *run) string {
	for _, u := range img.units {
		for _, i := range u.steps {
			if used := r.inUse(&r.steps[i]); used != "" {
				return used
			}
		}
	}
	return ""
}

// inUse says who has come to use what a step deletes; "" is nobody.
func (r *run) inUse(s *actions.Step) string {
	if r.o.InUse == nil {
		return ""
	}
	ref := s.Object()
	ref.Tag = s.Tag
	users := r.o.InUse(ref, s.Digest)
	if len(users) == 0 {
		return ""
	}
	return s.Ref + " is used by " + text.Some(users) + " now"
}

// hold compares the tags of the image with what was judged.
func (img *imageRun) hold(r *run, tags []registry.Tag) {
	steps := make(map[string]*actions.Step)
	for _, u := range img.units {
		for _, i := range u.steps {
			steps[r.steps[i].ID] = &r.steps[i]
		}
	}
	img.listed = make(map[string]bool, len(tags))
	names := make(map[string]bool, len(tags))
	staying := 0
	for _, tag := range tags {
		img.listed[tag.ID] = true
		if tag.Status == registry.StatusDeleting {
			continue // by somebody else; it does not stay
		}
		names[tag.Name] = true
		// A tag that has moved to another digest is left alone, and so it stays there.
		if s := steps[tag.ID]; s != nil && s.Digest == tag.Digest {
			continue
		}
		img.kept = append(img.kept, tag)
		if tag.Status == registry.StatusReady && registry.AttachmentSubject(tag.Name) == "" {
			staying++
		}
	}
	var vanished []string
	for _, name := range img.planned.Stay {
		if !names[name] {
			vanished = append(vanished, name)
		}
	}
	switch {
	case len(vanished) > 0:
		img.verdict, img.detail = actions.ResultChanged, text.Some(vanished)+", which "+text.Choose(len(vanished), "stays, is", "stay, are")+" not there any more"
	case staying < r.o.KeepAtLeast:
		img.verdict, img.detail = actions.ResultChanged, fmt.Sprintf("only %s of the image would stay, fewer than the %d of keep_at_least", text.Count(staying, "tag"), r.o.KeepAtLeast)
	default:
		img.findSharers()
	}
}

// findSharers finds the staying tags of the digests that are to go.
func (img *imageRun) findSharers() {
	for _, tag := range img.kept {
		u := img.groups[tag.Digest]
		if u == nil {
			continue
		}
		_, known := slices.BinarySearch(img.planned.Stay, tag.Name)
		switch {
		case img.shared == actions.Untag && known:
			u.siblings = append(u.siblings, tag)
		case u.blocked != "":
		case known:
			u.blocked = tag.Name + ", which stays, has the same digest now"
		default:
			u.blocked = tag.Name + ", which is new, has the same digest"
		}
	}
}

// inspect checks after the canary that every tag of an image that stays still
// resolves to its digest.
func (t *turn) inspect(img *imageRun) {
	if len(img.kept) == 0 {
		return
	}
	r := t.run
	t.take()
	tags, err := r.editor.ListTags(r.calls, img.region, img.planned.ID)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		r.haltIfDenied(err)
		r.halt(fmt.Errorf("%w: after the first deletions it could not be checked that all that stays in %s is still there: %w", ErrStopped, img.planned.Ref, err))
		return
	}
	digests := make(map[string]string, len(tags))
	for _, tag := range tags {
		if tag.Status != registry.StatusDeleting {
			digests[tag.ID] = tag.Digest
		}
	}
	var lost, moved []string
	for _, tag := range img.kept {
		switch digest, there := digests[tag.ID]; {
		case !there:
			lost = append(lost, img.planned.Ref+":"+tag.Name)
		case digest != tag.Digest:
			moved = append(moved, img.planned.Ref+":"+tag.Name)
		}
	}
	if len(moved) > 0 {
		r.halt(fmt.Errorf("%w: %s moved to another digest during the first deletions: if somebody has pushed, run again", ErrStopped, text.Some(moved)))
	}
	if len(lost) > 0 {
		r.lose(lost, "not there any more after the first deletions in the image; shared_digest does not say what this API does, or somebody else has deleted")
	}
}
