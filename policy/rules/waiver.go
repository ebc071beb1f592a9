package rules

import (
	"fmt"
	"reflect"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Waiver is an exception that ends: what it matches is kept, and violations there do not
// count, until the end of the day Until.
type Waiver struct {
	Match  *Match `yaml:"match" json:"match" need:"say what is kept, such as match: {images: [\"legacy/**\"]}" fill:"say what is kept, such as match: {images: [\"legacy/**\"]}"`
	Owner  string `yaml:"owner" json:"owner" need:"name who answers for the exception, such as owner: team-data"`
	Reason string `yaml:"reason" json:"reason" need:"say why, such as reason: audit until spring"`
	Until  string `yaml:"until" json:"until" is:"date" bare:"yes" need:"name the last day, such as until: 2027-03-31"`
}

// DateLayout is how the last day of a waiver is written.
const DateLayout = time.DateOnly

// Rule is how reasons and violations name the waiver.
func (w *Waiver) Rule() string { return "waiver/" + w.Owner }

// Words are the waiver in one line: "waived until 2027-03-31 for team-data: audit".
func (w *Waiver) Words() string {
	return fmt.Sprintf("waived until %s for %s: %s", w.Until, w.Owner, w.Reason)
}

// Sentence describes what the waiver does.
func (w *Waiver) Sentence() string {
	return fmt.Sprintf("keeps %s until the end of %s, and does not count violations there: %s", w.What(), w.Until, w.Reason)
}

// What describes the subject of the waiver: "everything in namespace legacy".
func (w *Waiver) What() string {
	switch {
	case w.Match.ofNamespaces():
		return "everything in " + w.Match.describeSubject("namespace")
	case w.Match.ofImages():
		return w.Match.describeSubject("image")
	}
	return w.Match.describeTags()
}

// Term is the part of its life that a waiver is in.
type Term string

// The terms.
const (
	InForce  Term = "in_force"
	Expiring Term = "expiring" // still in force, but only for days
	Ended    Term = "ended"    // it protects nothing any more
)

// expiringDays is how many days before its end a waiver is reported.
const expiringDays = 14

// Ends is the first moment at which the waiver is void: the midnight after its last day
// in the time zone.
func (w *Waiver) Ends(zone *time.Location) (time.Time, error) {
	day, err := time.ParseInLocation(DateLayout, w.Until, zone)
	return day.AddDate(0, 0, 1), err
}

// TermAt is the term of the waiver at a time.
func (w *Waiver) TermAt(now time.Time, zone *time.Location) (Term, error) {
	ends, err := w.Ends(zone)
	switch {
	case err != nil || !now.Before(ends):
		return Ended, err
	case !now.Before(ends.AddDate(0, 0, -expiringDays)):
		return Expiring, nil
	}
	return InForce, nil
}

// Exception is a compiled waiver.
type Exception struct {
	*Waiver
	ends     time.Time
	selector *Selector
}

// Compile prepares the waiver for matching.
func (w *Waiver) Compile(zone *time.Location) (*Exception, error) {
	x := &Exception{Waiver: w}
	var err error
	if x.ends, err = w.Ends(zone); err != nil {
		return nil, fmt.Errorf("%s: until: %w", w.Rule(), err)
	}
	if x.selector, err = NewSelector(w.Match, nil); err != nil {
		return nil, fmt.Errorf("%s: match: %w", w.Rule(), err)
	}
	return x, nil
}

// Holds reports whether the waiver is in force at a time.
func (x *Exception) Holds(now time.Time) bool { return now.Before(x.ends) }

// CoversNamespace reports whether the waiver is about the namespace itself. The age is in
// seconds.
func (x *Exception) CoversNamespace(ns *registry.Namespace, age int) bool {
	return x.Match.ofNamespaces() && x.selector.MatchesNamespace(ns, age)
}

// CoversImage reports whether the waiver is about the image itself. The age is in
// seconds.
func (x *Exception) CoversImage(img *registry.Image, age int) bool {
	return x.Match.ofImages() && x.selector.MatchesImage(img, age)
}

// NeedsContent reports whether it depends on contents what the waiver is about.
func (x *Exception) NeedsContent() bool { return x.selector.NeedsContent() }

// Tags selects the tags of an image that the waiver is about. It is false if there are
// none, whatever they are called.
func (x *Exception) Tags(img *registry.Image) (TagSelector, bool) { return x.selector.Tags(img) }

// ofNamespaces reports whether a match says nothing of images and tags.
func (m *Match) ofNamespaces() bool { return len(m.Images) == 0 && m.ofImages() }

// ofImages reports whether a match says nothing of tags, apart from their age.
func (m *Match) ofImages() bool {
	rest := *m
	rest.Namespaces, rest.Images, rest.ProjectIDs, rest.OlderThan, rest.YoungerThan = nil, nil, nil, none, none
	return reflect.ValueOf(rest).IsZero()
}
