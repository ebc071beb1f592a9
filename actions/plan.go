package actions

import (
	"cmp"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Version is the version of the plan's JSON.
const Version = 1

// Plan is everything that one run found: what it would do, what guards hold, what
// violates a policy and what could not be read. plan.Builder and Decode make one.
// A change makes its ID wrong, and Decode refuses it.
//
// The order of the fields is the order of the JSON.
type Plan struct {
	Version int `json:"version"`
	// ID is "sha256:<hex>" over the plan's compact JSON with an empty id and no
	// outcome.
	ID           string    `json:"id"`
	TakenAt      time.Time `json:"taken_at"` // when the scan started, UTC
	ConfigDigest string    `json:"config_digest"`
	PolicyDigest string    `json:"policy_digest"`
	// Forecast marks a plan for another time than now. It is never applied.
	Forecast bool `json:"forecast,omitempty"`
	// Narrowed are the flags that narrowed the plan to a part of the scope:
	// "--namespace prod".
	Narrowed []string `json:"narrowed,omitempty"`
	Summary  Summary  `json:"summary"`
	// Refusals are the limits that this plan exceeds. With one, nothing is applied.
	Refusals   []Refusal            `json:"refused,omitempty"`
	Steps      []Step               `json:"steps"`      // sorted by ref, then action
	Held       []Held               `json:"held"`       // sorted by ref, then action
	Violations []registry.Violation `json:"violations"` // sorted by ref, severity, rule, reason
	Gaps       []registry.Gap       `json:"gaps"`       // sorted by subject, error
	// Images are what is kept in every image of which a step deletes something.
	// Applying compares the image with it.
	Images []PlannedImage `json:"images,omitempty"` // sorted by ref
	// FreesByRule is what the tags that each rule marks free, where that is known.
	FreesByRule []RuleFrees `json:"frees_by_rule,omitempty"` // sorted by rule
	// Outcome is what became of the steps, in a plan that was applied. The ID does not
	// cover it.
	Outcome *Outcome `json:"outcome,omitempty"`

	// Stats are sizes for reports; nil in a plan that was read from a file.
	Stats *Stats `json:"-"`
}

// Refused reports whether a limit refuses the plan, so that nothing may be applied.
func (p *Plan) Refused() bool { return len(p.Refusals) > 0 }

// ImageOf finds the entry in Images of the image of which a step deletes something.
func (p *Plan) ImageOf(s *Step) (int, bool) {
	return slices.BinarySearchFunc(p.Images, s.imageRef(), func(i PlannedImage, ref string) int { return cmp.Compare(i.Ref, ref) })
}

// StepsByObject groups the steps of a plan by the image that they are on or in,
// or by the namespace.
func (p *Plan) StepsByObject() map[registry.Ref][]Step {
	out := make(map[registry.Ref][]Step)
	for _, s := range p.Steps {
		out[s.Object()] = append(out[s.Object()], s)
	}
	return out
}

// Incomplete reports whether something could not be read or judged: there is a gap,
// or a policy failed.
func (p *Plan) Incomplete() bool {
	if len(p.Gaps) > 0 {
		return true
	}
	for i := range p.Held {
		if p.Held[i].Guard == GuardPolicyError {
			return true
		}
	}
	return false
}

// Action is what a step does.
type Action string

// The actions.
const (
	DeleteTag              Action = "delete_tag"
	DeleteImage            Action = "delete_image"
	DeleteNamespace        Action = "delete_namespace"
	SetImageVisibility     Action = "set_image_visibility"
	SetNamespaceVisibility Action = "set_namespace_visibility"
)

// Deletes reports whether the action cannot be undone.
func (a Action) Deletes() bool {
	return a == DeleteTag || a == DeleteImage || a == DeleteNamespace
}

// Summary counts what was judged and what came of it. Objects that were skipped
// or that are gaps were not judged and are not counted as namespaces, images or
// tags.
type Summary struct {
	Namespaces int `json:"namespaces"`
	Images     int `json:"images"`
	Tags       int `json:"tags"`
	StepCounts
	Held int `json:"held"`
	Deny int `json:"deny"`
	Warn int `json:"warn"`
	// Waived are the violations that a waiver covers.
	Waived int `json:"waived,omitempty"`
	Gaps   int `json:"gaps"`
	// ImagesFromCache are those of Images whose tags an earlier run listed. No step is
	// in them.
	ImagesFromCache int `json:"images_from_cache,omitempty"`
	Frees               // all deletions together
	// Archive is zero without an archive.
	Archive Archiving `json:"archive,omitzero"`
}

// StepCounts counts steps by what they do.
type StepCounts struct {
	DeleteTags       int `json:"delete_tags"`
	DeleteImages     int `json:"delete_images"`
	DeleteNamespaces int `json:"delete_namespaces"`
	SetVisibility    int `json:"set_visibility"`
}

// Add counts a step.
func (c *StepCounts) Add(a Action) {
	switch a {
	case DeleteTag:
		c.DeleteTags++
	case DeleteImage:
		c.DeleteImages++
	case DeleteNamespace:
		c.DeleteNamespaces++
	case SetImageVisibility, SetNamespaceVisibility:
		c.SetVisibility++
	}
}

// Deletions counts the steps that cannot be undone.
func (c StepCounts) Deletions() int { return c.DeleteTags + c.DeleteImages + c.DeleteNamespaces }

// Steps counts all of them.
func (c StepCounts) Steps() int { return c.Deletions() + c.SetVisibility }

// Step is one change to make. ID, Digest and UpdatedAt are those of the object when
// it was judged. Fields that the action does not need are empty.
type Step struct {
	Action    Action              `json:"action"`
	Ref       string              `json:"ref"`
	Region    registry.Region     `json:"region"`
	Namespace string              `json:"namespace"`
	Image     string              `json:"image,omitempty"`
	Tag       string              `json:"tag,omitempty"`
	ID        string              `json:"id"`
	Digest    string              `json:"digest,omitempty"`
	UpdatedAt time.Time           `json:"updated_at,omitzero"` // UTC
	From      registry.Visibility `json:"from,omitempty"`
	To        registry.Visibility `json:"to,omitempty"`
	// FreesBytes is the size of the layers that no other tag of the image has; unknown
	// for what is not a tag.
	FreesBytes Measure           `json:"frees_bytes,omitzero"`
	Reasons    []registry.Reason `json:"reasons"` // shared between steps: read only
}

// Object is the reference of the image that the step is on or in, or of the
// namespace.
func (s *Step) Object() registry.Ref {
	return registry.Ref{Region: s.Region, Namespace: s.Namespace, Image: s.Image}
}

// ImageDigest is what the deletion of one tag may take: the tags of an image with that digest.
type ImageDigest struct {
	Image  registry.Ref
	Digest string
}

// ImageDigest is that of a step on a tag.
func (s *Step) ImageDigest() ImageDigest { return ImageDigest{s.Object(), s.Digest} }

// imageRef is the reference of the image that a step on a tag or an image is
// about.
func (s *Step) imageRef() string {
	if s.Tag == "" {
		return s.Ref
	}
	return s.Ref[:len(s.Ref)-len(":")-len(s.Tag)]
}

// PlannedImage is an image of which a step deletes tags, or which a step deletes
// itself.
type PlannedImage struct {
	Ref string `json:"ref"`
	ID  string `json:"id"`
	// Stay are the names of the tags that are kept, sorted, without those that were
	// being deleted already.
	Stay Names `json:"stay"`
	Frees
}

// Held is a change that a rule asks for and that a guard holds.
type Held struct {
	Action  Action            `json:"action"`
	Ref     string            `json:"ref"`
	Guard   Guard             `json:"guard"`
	Detail  string            `json:"detail"`
	Reasons []registry.Reason `json:"reasons"` // shared between entries: read only

	// Digest and UpdatedAt are those of a tag, for reports; empty in a plan that was
	// read from a file.
	Digest    string    `json:"-"`
	UpdatedAt time.Time `json:"-"`
}

// Refusal is a limit that the plan exceeds, by how much, and what to do.
type Refusal struct {
	Limit  string `json:"limit"` // the key in the configuration: "max_deletions"
	Detail string `json:"detail"`
}

// Stats are the sizes of the objects that the plan is about, in bytes as the API
// counts them: layers that two tags of an image share count once, so what a
// deletion frees is not known in advance.
type Stats struct {
	Bytes      uint64                    // of all images judged
	Images     map[string]ImageStats     // by reference; only images with a step or a held entry
	Namespaces map[string]NamespaceStats // by reference; every namespace judged
	// Kept are the tags without a step or a held entry, by the reference of their image,
	// for reports that can be searched. It is nil if nothing asked for them, or if there
	// are too many.
	Kept map[string][]KeptTag
}

// KeptTag is a tag that is kept. Without a reason and a use, no rule marks it.
type KeptTag struct {
	Name    string
	Reasons []registry.Reason // of the rules that keep it; shared: read only
	InUse   []string          // what uses it
}

// NamespaceStats is what was judged in one namespace. An image is public if
// everyone may pull it, by its own visibility or that of the namespace.
type NamespaceStats struct {
	Images, PublicImages int
	Tags                 int
	Bytes, PublicBytes   uint64
	// InheritedBytes are those of images that have the visibility of the namespace.
	InheritedBytes uint64
}

// ImageStats is the size of one image as it was judged.
type ImageStats struct {
	Tags   int
	Bytes  uint64
	Public bool // everyone may pull it
	// InPublic: its namespace is public.
	InPublic bool
}
