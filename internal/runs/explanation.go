package runs

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Answer explains what a reference names: one object, or each tag of a digest.
type Answer struct {
	// Digest is the digest that was named, with its image if that was named too; "" for
	// any other object.
	Digest string
	// Explanations are sorted by reference; there is only one without a digest.
	Explanations []Explanation
}

// MarshalJSON writes the one explanation, or, for a digest, those of its tags.
func (a Answer) MarshalJSON() ([]byte, error) {
	if a.Digest == "" && len(a.Explanations) == 1 {
		return a.Explanations[0].MarshalJSON()
	}
	return json.Marshal(struct {
		Ref  string        `json:"ref"`
		Tags []Explanation `json:"tags"`
	}{a.Digest, append([]Explanation{}, a.Explanations...)})
}

// Incomplete reports whether something could not be read or judged.
func (a *Answer) Incomplete() bool {
	return slices.ContainsFunc(a.Explanations, func(e Explanation) bool { return e.Plan != nil && e.Plan.Incomplete() })
}

// Explanation is every reason for and against one tag, image or namespace.
type Explanation struct {
	Ref registry.Ref
	// Verdict has the decision of every rule, also those that did not matter. It is
	// nil for what was not judged; Plan and Note then have the reason.
	Verdict *registry.Verdict
	// Plan is the plan of the image or namespace alone.
	Plan *actions.Plan
	// Note is why nothing was judged: "out of scope: …".
	Note string
	// Outlook is what becomes of the object later; nil for what was not judged.
	Outlook *Outlook
	// Text is the explanation in words, for its JSON; "" where that does not have it.
	Text string
	// Zone is where people read its times; nil means UTC.
	Zone *time.Location
}

// Tag is the position of the tag that is explained, or -1.
func (e *Explanation) Tag() int {
	if e.Ref.Tag == "" || e.Verdict == nil || e.Verdict.Image == nil {
		return -1
	}
	return slices.IndexFunc(e.Verdict.Image.Tags, func(t registry.Tag) bool { return t.Name == e.Ref.Tag })
}

// Content is what is inside the tag; nil if that is not known.
func (e *Explanation) Content() *registry.Content {
	if i := e.Tag(); i >= 0 {
		return e.Verdict.Image.Contents[e.Verdict.Image.Tags[i].Digest]
	}
	return nil
}

// content is the same as the document has it: without what tells how much is freed.
func (e *Explanation) content() *registry.Content {
	c := e.Content()
	if c == nil {
		return nil
	}
	out := *c
	out.Blobs, out.PartLabels = nil, nil
	return &out
}

// Reasons are those that mark the object for deletion, and those that keep it.
func (e *Explanation) Reasons() (mark, keep []registry.Reason) {
	i := e.Tag()
	switch {
	case e.Verdict == nil:
		return nil, nil
	case i < 0:
		return e.Verdict.Delete, e.Verdict.Keep
	case i < len(e.Verdict.Tags):
		return e.Verdict.Tags[i].Delete, e.Verdict.Tags[i].Keep
	}
	return nil, nil
}

// InUse names what uses the tag, or anything in the image.
func (e *Explanation) InUse() []string {
	i := e.Tag()
	switch {
	case e.Verdict == nil:
		return nil
	case i < 0:
		return e.Verdict.InUse
	case i < len(e.Verdict.Tags):
		return e.Verdict.Tags[i].InUse
	}
	return nil
}

// MarshalJSON writes what the HTTP API answers.
func (e Explanation) MarshalJSON() ([]byte, error) {
	mark, keep := e.Reasons()
	return json.Marshal(struct {
		Ref      string            `json:"ref"`
		Judged   bool              `json:"judged"`
		Decision Decision          `json:"decision,omitempty"`
		Note     string            `json:"note,omitempty"`
		InUse    []string          `json:"in_use"`
		Content  *registry.Content `json:"content,omitempty"`
		Delete   []registry.Reason `json:"delete"`
		Keep     []registry.Reason `json:"keep"`
		Outlook  *Outlook          `json:"outlook"`
		Plan     json.RawMessage   `json:"plan"`
		Text     string            `json:"text,omitempty"`
	}{
		e.Ref.String(), e.Verdict != nil, e.decided(), e.Note, append([]string{}, e.InUse()...), e.content(), published(mark), published(keep),
		e.Outlook, planJSON(e.Plan), e.Text,
	})
}

func (e *Explanation) decided() Decision {
	if e.Verdict == nil {
		return ""
	}
	return e.Decision().Decision
}

// published are reasons as this document has them: without the custom severity.
func published(reasons []registry.Reason) []registry.Reason {
	out := append([]registry.Reason{}, reasons...)
	for i := range out {
		out[i].CustomSeverity = ""
	}
	return out
}
