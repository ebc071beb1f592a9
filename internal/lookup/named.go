package lookup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Named is what a reference may name: candidates, of which only one may exist.
type Named struct {
	text       string
	candidates []uses.Reference
}

// ErrAmbiguous reports that more than one object has the name.
var ErrAmbiguous = errors.New("is in more than one region")

// Parse reads a reference as container tools do. A name without a host may be in any
// of the regions.
func Parse(text string, regions []string) (Named, error) {
	candidates, err := uses.Candidates(text, regions)
	return Named{text, candidates}, err
}

// Ref is the first candidate.
func (n Named) Ref() registry.Ref { return n.candidates[0].Ref }

// Within returns the candidates in the scope, and a scope that holds only those, with
// their namespaces. It is false if there are none.
func (n Named) Within(s scanner.Scope) (Named, scanner.Scope, bool) {
	inside := slices.DeleteFunc(slices.Clone(n.candidates), func(c uses.Reference) bool { return c.Ref != (registry.Ref{}) && !s.Holds(c.Ref) })
	if len(inside) == 0 || inside[0].Ref == (registry.Ref{}) {
		return n, s, len(inside) > 0
	}
	n.candidates = inside
	ref := n.Ref()
	s.Regions, s.Include, s.Exclude = nil, []string{scanner.Literal(ref.Namespace)}, nil
	if ref.Image != "" {
		s.Include = append(s.Include, scanner.Literal(ref.Namespace+"/"+ref.Image))
	}
	for _, c := range n.candidates {
		s.Regions = append(s.Regions, c.Ref.Region)
	}
	return n, s, true
}

// OutOfScope is the answer where the configuration leaves everything out that was named.
func (n Named) OutOfScope() runs.Answer {
	return runs.Answer{Explanations: []runs.Explanation{{
		Ref: n.Ref(), Note: OutOfScope,
	}}}
}

// OutOfScope is why something that the configuration leaves out is not judged.
const OutOfScope = "it is outside the scope of the configuration (scope, scaleway.regions)"

// History returns what a ledger has recorded of what the reference names, and that
// reference in full.
func (n Named) History(ctx context.Context, l *ledger.Ledger) (ref string, events []ledger.Event, err error) {
	var refs []string
	for _, c := range n.candidates {
		if c.Ref == (registry.Ref{}) {
			return "", nil, fmt.Errorf("%s: the history is that of names: name a tag, an image or a namespace", n.text)
		}
		of, err := l.History(ctx, c.Ref.String())
		if err != nil {
			return "", nil, err
		}
		if c.Digest != "" {
			of = slices.DeleteFunc(of, func(e ledger.Event) bool { return e.Digest != c.Digest })
		}
		if len(of) > 0 {
			refs, events = append(refs, c.Ref.String()), of
		}
	}
	switch len(refs) {
	case 0:
		return "", nil, fmt.Errorf("the ledger has no record of %s", n.text)
	case 1:
		return refs[0], events, nil
	}
	return "", nil, fmt.Errorf("%s %w: name %s", n.text, ErrAmbiguous, text.List(refs, "or"))
}

// Digest is what the answer is about, if that is a digest.
func (n Named) Digest(first registry.Ref) string {
	c := n.candidates[0]
	switch {
	case c.Digest == "" || c.Ref.Tag != "":
		return ""
	case c.Ref == (registry.Ref{}):
		return c.Digest
	}
	return first.WithoutTag().String() + "@" + c.Digest
}
