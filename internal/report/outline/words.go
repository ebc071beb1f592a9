package outline

import (
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Rule is the rule of a reason, and where it is.
func Rule(r registry.Reason) string { return r.Rule + Place(r) }

// Line is a reason with its rule, and where that is.
func Line(r registry.Reason) string { return r.Rule + ": " + r.Text + Place(r) }

// Place is where a rule of the operator's own is, and how severe it is by its own
// word: " (policies/own.rego:7, severity high)".
func Place(r registry.Reason) string {
	place := r.Source
	if r.CustomSeverity != "" {
		place = Join(place, "severity "+r.CustomSeverity)
	}
	if place == "" {
		return ""
	}
	return " (" + place + ")"
}

// As is a number with a word that has no plural, such as "3 held"; "" for none.
func As(n int, word string) string {
	if n <= 0 {
		return ""
	}
	return text.Thousands(n) + " " + word
}

// Things is a number with its noun; "" for none.
func Things(n int, noun string) string { return As(n, text.Choose(n, noun, noun+"s")) }

// Join lists what there is.
func Join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// Each lists the words for each of some things.
func Each[T any](things []T, separator string, word func(T) string) string {
	words := make([]string, len(things))
	for i, thing := range things {
		words[i] = word(thing)
	}
	return strings.Join(words, separator)
}

// Judged counts what a plan is about.
func Judged(p *actions.Plan) string {
	s := p.Summary
	judged := text.Count(s.Namespaces, "namespace") + ", " + text.Count(s.Images, "image") + ", " + text.Count(s.Tags, "tag")
	if p.Stats != nil {
		judged += ", " + text.Size(p.Stats.Bytes)
	}
	if s.ImagesFromCache > 0 {
		judged += ", " + text.Count(s.ImagesFromCache, "image") + " unchanged"
	}
	if len(p.Narrowed) > 0 {
		judged += ", only " + strings.Join(p.Narrowed, " ")
	}
	return judged
}

// Planned counts what the steps do: "49 to delete, 1 to change".
func Planned(s actions.Summary) string {
	return text.Thousands(s.Deletions()) + " to delete, " + text.Thousands(s.SetVisibility) + " to change"
}

// Deleted counts the deletions by what they delete.
func Deleted(s actions.Summary) string {
	return Join(Things(s.DeleteTags, "tag"), Things(s.DeleteImages, "image"), Things(s.DeleteNamespaces, "namespace"))
}

// Stays reports whether a copy is there and has not expired by a time, which may be zero if
// it is that of the run.
func Stays(a *actions.Archived, by time.Time) bool { return a != nil && a.Until.After(by) }

// Archived is how many copies a run has made, also of tags that it then did not delete, and
// until when the first of them stays; "" if none has not expired.
func Archived(o *actions.Outcome, by time.Time, zone *time.Location) string {
	var first *actions.Archived
	n := 0
	for _, r := range o.Results {
		if !Stays(r.Archived, by) {
			continue
		}
		if n++; first == nil || r.Archived.Until.Before(first.Until) {
			first = r.Archived
		}
	}
	if n == 0 {
		return ""
	}
	return text.Count(n, "tag") + " archived in " + first.To + " until " + text.Moment(first.Until, zone)
}

// FirstCopy is the first result of a tag that is deleted, and whose copy has not expired; one
// without a copy if there is none.
func FirstCopy(o *actions.Outcome, by time.Time) actions.StepResult {
	for _, r := range o.Results {
		if r.Result.Achieved() && Stays(r.Archived, by) {
			return r
		}
	}
	return actions.StepResult{}
}

// Unarchived says how many tags were deleted although they could not be archived, and why:
// "3 tags were deleted without a copy, because they could not be archived: …". It is "" if
// none was; o may be nil.
func Unarchived(o *actions.Outcome) string {
	if o == nil {
		return ""
	}
	n, why := 0, ""
	for _, r := range o.Results {
		if r.Uncopied == "" || !r.Result.Achieved() {
			continue
		}
		if n++; n == 1 {
			why = r.Uncopied
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return "1 tag was deleted without a copy, because it could not be archived: " + why
	}
	return text.Count(n, "tag") + " were deleted without a copy, because they could not be archived: " + why
}

// Counts are the results of a plan that was applied.
func Counts(o *actions.Outcome) string {
	var counts []string
	for _, r := range actions.Results() {
		counts = append(counts, As(o.Count(r), string(r)))
	}
	return Join(counts...)
}
