package diff

import (
	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Witness remembers why one side of a comparison leaves alone what the other
// would change. Its memory is bounded by the other side's steps. Its methods may
// be called from one goroutine at a time.
type Witness struct {
	stances map[changeKey]Stance
	outside map[registry.Ref]bool
}

// NewWitness starts a witness.
func NewWitness() *Witness {
	return &Witness{stances: make(map[changeKey]Stance), outside: make(map[registry.Ref]bool)}
}

// Add is to be called with every verdict of this side, and the steps that the
// other side has on the same image with its tags, or on the same namespace.
func (w *Witness) Add(v registry.Verdict, others []actions.Step) {
	if len(others) == 0 {
		return
	}
	a := attestation{v: &v}
	for i := range others {
		if stance, ok := a.stance(&others[i]); ok {
			w.stances[changeKey{others[i].Action, others[i].Ref}] = stance
		}
	}
}

// Outside is to be called with every image and namespace that the other side has
// steps or violations on, and that this one does not look at.
func (w *Witness) Outside(ref registry.Ref) { w.outside[ref] = true }

// ignores says whether a reference is of something that this side does not look
// at.
func (w *Witness) ignores(ref string) bool {
	if w == nil || len(w.outside) == 0 {
		return false
	}
	r, err := registry.ParseRef(ref)
	return err == nil && w.outside[r.WithoutTag()]
}

// attestation looks the other side's steps up in a verdict.
type attestation struct {
	v    *registry.Verdict
	tags map[string]int
}

// stance says why the verdict does not lead to the step. It knows nothing of a
// tag that was not there, nor of what is condemned: the plan says what became of
// that.
func (a *attestation) stance(s *actions.Step) (Stance, bool) {
	switch s.Action {
	case actions.DeleteTag:
		return a.tag(s.Tag)
	case actions.DeleteImage, actions.DeleteNamespace:
		return a.votes(a.v.Delete, a.v.Keep)
	}
	vote := a.v.Visibility
	if vote == nil {
		return Stance{Standing: StandsFree, Detail: "no rule asks for a change", Reasons: []registry.Reason{}}, true
	}
	return Stance{
		Standing: StandsKept, To: vote.To, Detail: "it is " + string(vote.To) + " already, as the rules ask", Reasons: vote.Reasons,
	}, true
}

func (a *attestation) tag(name string) (Stance, bool) {
	if a.v.Image == nil {
		return Stance{}, false
	}
	if a.tags == nil {
		a.tags = make(map[string]int, len(a.v.Image.Tags))
		for i := range a.v.Image.Tags {
			a.tags[a.v.Image.Tags[i].Name] = i
		}
	}
	i, ok := a.tags[name]
	switch {
	case !ok:
		return Stance{}, false
	case len(a.v.Tags) != len(a.v.Image.Tags):
		return a.votes(nil, nil)
	}
	return a.votes(a.v.Tags[i].Delete, a.v.Tags[i].Keep)
}

func (a *attestation) votes(del, keep []registry.Reason) (Stance, bool) {
	switch {
	case len(del) == 0:
		return Stance{Standing: StandsFree, Detail: "no rule condemns it", Reasons: []registry.Reason{}}, true
	case len(keep) > 0:
		return Stance{Standing: StandsKept, Reasons: keep}, true
	}
	return Stance{}, false
}
