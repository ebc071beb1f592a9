package probe

import (
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Unknown is the finding of an experiment that showed nothing.
const Unknown = "unknown"

// Report is what a probe of one region found out. Its JSON is a contract.
type Report struct {
	Region   registry.Region `json:"region"`
	TakenAt  time.Time       `json:"taken_at"`
	Findings Findings        `json:"findings"`
	// Evidence is what was seen, by the name of the finding.
	Evidence map[string]string `json:"evidence"`
}

// Findings are what the API does. A text is Unknown, and a Fact is nil, if an experiment
// did not show it.
type Findings struct {
	SharedDigest         string `json:"shared_digest"`            // reject, untag or cascade
	ImageRowAfterLastTag string `json:"image_row_after_last_tag"` // stays or vanishes
	ManifestAfterLastTag string `json:"manifest_after_last_tag"`  // stays or gone
	PartsAfterIndex      string `json:"parts_after_index"`        // stay or gone
	IndexAfterPartTag    string `json:"index_after_part_tag"`     // works or broken
	MoveBumpsTag         Fact   `json:"move_bumps_tag"`
	MoveBumpsImage       Fact   `json:"move_bumps_image"`
	RepushBumpsTag       Fact   `json:"repush_bumps_tag"`
	PullBumpsTag         Fact   `json:"pull_bumps_tag"`
	PageSizeOver100      string `json:"page_size_over_100"` //nolint:misspell // the words of a contract: refused, clamped or honoured
	InlineTags           string `json:"inline_tags"`        // complete or truncated
}

// Fact is true, false or unknown.
type Fact struct{ is *bool }

// Known makes a fact.
func Known(is bool) Fact { return Fact{&is} }

// MarshalJSON writes true, false or "unknown".
func (f Fact) MarshalJSON() ([]byte, error) {
	if f.is == nil {
		return []byte(`"` + Unknown + `"`), nil
	}
	return fmt.Append(nil, *f.is), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Fact) UnmarshalJSON(raw []byte) error {
	switch string(raw) {
	case "true", "false":
		*f = Known(string(raw) == "true")
	case `"` + Unknown + `"`:
		*f = Fact{}
	default:
		return fmt.Errorf("%s is not true, false or %q", raw, Unknown)
	}
	return nil
}

// String is the fact as a word.
func (f Fact) String() string {
	switch {
	case f.is == nil:
		return Unknown
	case *f.is:
		return "yes"
	}
	return "no"
}

// unknown are the findings before any experiment.
func unknown() Findings {
	return Findings{
		SharedDigest: Unknown, ImageRowAfterLastTag: Unknown, ManifestAfterLastTag: Unknown, PartsAfterIndex: Unknown,
		IndexAfterPartTag: Unknown, PageSizeOver100: Unknown, InlineTags: Unknown,
	}
}

// Line is a finding as people read it.
type Line struct {
	Name, Value string
	Evidence    string
	Meaning     string // for the configuration; "" if it means nothing for it
}

// Lines are the findings in their order.
func (r *Report) Lines() []Line {
	f := &r.Findings
	lines := []Line{
		{Name: "shared_digest", Value: f.SharedDigest, Meaning: sharedDigestMeans(f.SharedDigest)},
		{Name: "image_row_after_last_tag", Value: f.ImageRowAfterLastTag, Meaning: means(f.ImageRowAfterLastTag, map[string]string{
			"stays": "an image without tags stays listed: empty.images removes it", "vanishes": "an image goes with its last tag: empty.images finds nothing to do",
		})},
		{Name: "manifest_after_last_tag", Value: f.ManifestAfterLastTag, Meaning: means(f.ManifestAfterLastTag, map[string]string{
			"stays": "a client that deploys by digest can still pull after the tag was deleted, for now", "gone": "a client that deploys by digest cannot pull after the last tag was deleted: keep those tags with protect.digests or a use source",
		})},
		{Name: "parts_after_index", Value: f.PartsAfterIndex, Meaning: means(f.PartsAfterIndex, map[string]string{
			"gone": "deleting a multi-platform tag deletes its parts: keep the index tag as long as a platform is pulled by digest",
		})},
		{Name: "index_after_part_tag", Value: f.IndexAfterPartTag, Meaning: means(f.IndexAfterPartTag, map[string]string{
			"broken": "deleting a platform tag breaks the multi-platform image: leave content.read at auto, so that the guard part_of holds it",
		})},
		{Name: "move_bumps_tag", Value: f.MoveBumpsTag.String(), Meaning: means(f.MoveBumpsTag.String(), map[string]string{
			"no": "a moved tag looks as old as it was: protect moving tags by name, with protect.tags",
		})},
		{Name: "move_bumps_image", Value: f.MoveBumpsImage.String(), Meaning: means(f.MoveBumpsImage.String(), map[string]string{
			"no": "the cache of listings notices a moved tag only after scan.max_cache_age; it never causes a deletion",
		})},
		{Name: "repush_bumps_tag", Value: f.RepushBumpsTag.String(), Meaning: means(f.RepushBumpsTag.String(), map[string]string{
			"yes": "pushing the same image again makes its tag young",
		})},
		{Name: "pull_bumps_tag", Value: f.PullBumpsTag.String(), Meaning: means(f.PullBumpsTag.String(), map[string]string{
			"yes": "a pull makes a tag young: what is still pulled is not old",
		})},
		{Name: "page_size_over_100", Value: f.PageSizeOver100},
		{Name: "inline_tags", Value: f.InlineTags},
	}
	for i := range lines {
		lines[i].Evidence = r.Evidence[lines[i].Name]
	}
	return lines
}

// Others are the names of what was seen beside the findings, sorted.
func (r *Report) Others(findings map[string]bool) []string {
	var others []string
	for name := range r.Evidence {
		if !findings[name] {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return others
}

func means(value string, meanings map[string]string) string { return meanings[value] }

func sharedDigestMeans(value string) string {
	switch value {
	case "untag":
		return "shared_digest: untag is safe in this region; shared_digest: auto uses this finding for 90 days"
	case "reject", "cascade":
		return "leave shared_digest at protect, or set it to auto"
	}
	return "leave shared_digest at protect"
}
