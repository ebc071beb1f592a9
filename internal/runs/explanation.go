package runs

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Explanation is every reason for and against one tag, image or namespace.
type Explanation struct {
	Ref registry.Ref
	// Verdict has the decision of every rule, also those that did not matter. It is
	// nil for what was not judged; Plan and Note then have the reason.
	Verdict *registry.Verdict
	// Plan is that of the image or namespace alone.
	Plan *actions.Plan
	// Note is why nothing was judged: "out of scope: …".
	Note string
	// Text is the explanation in words, for its JSON.
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
		Ref    string            `json:"ref"`
		Judged bool              `json:"judged"`
		Note   string            `json:"note,omitempty"`
		InUse  []string          `json:"in_use"`
		Delete []registry.Reason `json:"delete"`
		Keep   []registry.Reason `json:"keep"`
		Plan   json.RawMessage   `json:"plan"`
		Text   string            `json:"text"`
	}{e.Ref.String(), e.Verdict != nil, e.Note, append([]string{}, e.InUse()...), published(mark), published(keep), planJSON(e.Plan), e.Text})
}

// published are reasons as this document has them: without the custom severity.
func published(reasons []registry.Reason) []registry.Reason {
	out := append([]registry.Reason{}, reasons...)
	for i := range out {
		out[i].CustomSeverity = ""
	}
	return out
}
