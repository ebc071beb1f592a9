package plan

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// decision is the decision about a tag: "step", a guard, or "" if there was no verdict.
type decision string

// definedDecisions is the fixpoint as its definition, however long it takes.
func definedDecisions(v registry.Verdict, o Options) []decision {
	s := &slow{v: v, o: o, n: len(v.Image.Tags)}
	s.deleted, s.lastKept = make([]bool, s.n), make([]bool, s.n)
	could := make([]bool, s.n)
	for i := range could {
		could[i] = s.marked(i)
	}
	for changed := true; changed; {
		changed = false
		for i := range could {
			if !could[i] && s.subject(i) != "" && len(s.votes(i).Keep) == 0 && s.everySubject(i, could) {
				could[i], changed = true, true
			}
		}
	}
	for i := range could {
		s.deleted[i] = could[i] && s.alone(i) == ""
	}
	for {
		s.close()
		staying, newest := 0, -1
		for i := range s.deleted {
			if s.subject(i) != "" || v.Image.Tags[i].Status != registry.StatusReady {
				continue
			}
			if !s.deleted[i] {
				staying++
			} else if newest < 0 || s.newer(i, newest) {
				newest = i
			}
		}
		if staying >= o.KeepAtLeast || newest < 0 {
			break
		}
		s.deleted[newest], s.lastKept[newest] = false, true
	}
	decisions := make([]decision, s.n)
	for i := range decisions {
		switch {
		case s.deleted[i]:
			decisions[i] = "step"
		case s.marked(i), could[i] && s.everySubject(i, s.deleted):
			decisions[i] = s.name(i)
		}
	}
	return decisions
}

type slow struct {
	v                 registry.Verdict
	o                 Options
	n                 int
	deleted, lastKept []bool
}

func (s *slow) votes(i int) registry.TagVerdict { return s.v.Tags[i] }
func (s *slow) subject(i int) registry.Subject {
	t := s.v.Image.Tags[i]
	return registry.AttachmentSubject(t.Name, t.Digest)
}

func (s *slow) marked(i int) bool {
	return len(s.votes(i).Delete) > 0 && len(s.votes(i).Keep) == 0
}

func (s *slow) newer(i, k int) bool {
	a, b := s.v.Image.Tags[i], s.v.Image.Tags[k]
	changed := func(t registry.Tag) time.Time {
		return slices.MaxFunc([]time.Time{t.CreatedAt, t.UpdatedAt}, time.Time.Compare)
	}
	if !changed(a).Equal(changed(b)) {
		return changed(a).After(changed(b))
	}
	return a.Name < b.Name
}

// subjects are the other tags that have the digest to which i is attached.
func (s *slow) subjects(i int) (others []int) {
	for k, t := range s.v.Image.Tags {
		if k != i && s.subject(i).Is(t.Digest) {
			others = append(others, k)
		}
	}
	return others
}

func (s *slow) everySubject(i int, set []bool) bool {
	others := s.subjects(i)
	return len(others) > 0 && !slices.ContainsFunc(others, func(k int) bool { return !set[k] })
}

func (s *slow) someSubjectKept(i int) bool {
	return slices.ContainsFunc(s.subjects(i), func(k int) bool { return !s.deleted[k] })
}

func (s *slow) siblingKept(i int) bool {
	for k, t := range s.v.Image.Tags {
		if k != i && isKnown(t) && t.Digest == s.v.Image.Tags[i].Digest && !s.deleted[k] {
			return true
		}
	}
	return false
}

// alone is the guard that holds a tag independent of the others.
func (s *slow) alone(i int) decision {
	t := s.v.Image.Tags[i]
	enforced := slices.ContainsFunc(s.votes(i).Delete, func(r registry.Reason) bool { return !r.ReportOnly })
	switch {
	case t.Status != registry.StatusReady:
		return "not_ready"
	case len(s.votes(i).InUse) > 0:
		return "in_use"
	case s.subject(i) != "" && len(s.subjects(i)) == 0 && !s.mayDeleteOrphans():
		return "attachment"
	case s.o.TakenAt.Sub(t.UpdatedAt) < s.o.MinAge, s.o.TakenAt.Sub(t.CreatedAt) < s.o.MinAge:
		return "min_age"
	case s.marked(i) && !enforced:
		return "report_only"
	case !isKnown(t) && s.o.SharedDigest != actions.Untag:
		return "shared_digest"
	}
	return ""
}

// isKnown reports whether the digest of a tag is one.
func isKnown(t registry.Tag) bool {
	return regexp.MustCompile(`^[a-z0-9+._-]+:[0-9a-f]+$`).MatchString(t.Digest)
}

// mayDeleteOrphans reports whether orphans may be deleted: every digest is known.
func (s *slow) mayDeleteOrphans() bool {
	known := !slices.ContainsFunc(s.v.Image.Tags, func(t registry.Tag) bool { return !isKnown(t) })
	for _, name := range s.v.Image.TagNames {
		known = known && slices.ContainsFunc(s.v.Image.Tags, func(t registry.Tag) bool { return t.Name == name })
	}
	return s.o.Orphans == DeleteOrphans && known
}

// partOfKept reports whether a kept tag has an index that i is, or may be, a part of.
func (s *slow) partOfKept(i int) bool {
	return slices.ContainsFunc(s.wholes(i), func(k int) bool { return !s.deleted[k] })
}

// orphanOfKept reports whether a kept tag has an index of which the subject of i, which no
// tag has, is, or may be, a part.
func (s *slow) orphanOfKept(i int) bool {
	img := s.v.Image
	if s.subject(i) == "" || len(s.subjects(i)) > 0 {
		return false
	}
	for k, t := range img.Tags {
		if s.deleted[k] || !isKnown(t) || t.Digest == img.Tags[i].Digest {
			continue
		}
		if unread := img.Contents[t.Digest] == nil; unread && s.o.Content.Read != ReadNever {
			return true
		}
		for _, letter := range []string{"a", "b", "c", "d", "e", "f"} {
			if s.subject(i).Is(digestOf(letter)) && contains(img, t.Digest, digestOf(letter), 9) {
				return true
			}
		}
	}
	return false
}

// wholes are the tags that have an index that i is, or may be, a part of.
func (s *slow) wholes(i int) (others []int) {
	img := s.v.Image
	base := func(k int) string { return strings.NewReplacer("-amd64", "", "-arm64", "").Replace(img.Tags[k].Name) }
	for k, t := range img.Tags {
		if !isKnown(t) || t.Digest == img.Tags[i].Digest {
			continue
		}
		named := slices.ContainsFunc(img.Tags, func(x registry.Tag) bool { // whatever other names the digest has
			return x.Digest == t.Digest && x.Name == base(i) && x.Name != img.Tags[i].Name
		})
		switch unread := img.Contents[t.Digest] == nil; {
		case unread && s.o.Content.Read != ReadNever && (named || s.o.Content.MultiArch == MultiArchAll),
			!unread && contains(img, t.Digest, img.Tags[i].Digest, 9):
			others = append(others, k)
		}
	}
	return others
}

// contains reports whether an index has a part, with so many indexes in between.
func contains(img *registry.Image, index, part string, depth int) bool {
	content := img.Contents[index]
	if content == nil || depth == 0 {
		return false
	}
	return slices.ContainsFunc(content.Parts, func(p string) bool { return p == part || contains(img, p, part, depth-1) })
}

func (s *slow) close() {
	for changed := true; changed; {
		changed = false
		for i := range s.deleted {
			if s.deleted[i] && (s.someSubjectKept(i) || s.partOfKept(i) || s.orphanOfKept(i) || s.o.SharedDigest != actions.Untag && s.siblingKept(i)) {
				s.deleted[i], changed = false, true
			}
		}
	}
}

func (s *slow) name(i int) decision {
	alone := s.alone(i)
	switch {
	case alone == "not_ready", alone == "in_use":
		return alone
	case s.someSubjectKept(i), s.orphanOfKept(i), alone == "attachment":
		return "attachment"
	case s.partOfKept(i):
		return "part_of"
	case alone != "":
		return alone
	case s.lastKept[i]:
		return "keep_at_least"
	default:
		return "shared_digest"
	}
}
