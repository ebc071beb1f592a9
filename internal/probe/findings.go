package probe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/text"
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

// Text is the report as people read it.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "What the API of %s does (%s)\n", r.Region, r.TakenAt.Format("2006-01-02 15:04 MST"))
	others := maps.Clone(r.Evidence)
	for _, line := range r.lines() {
		delete(others, line.name)
		fmt.Fprintf(&b, "\n%s: %s\n", line.name, line.value)
		if seen := r.Evidence[line.name]; seen != "" {
			fmt.Fprintf(&b, "    %s\n", text.Clean(seen))
		}
		if line.meaning != "" {
			fmt.Fprintf(&b, "    → %s\n", line.meaning)
		}
	}
	if len(others) > 0 {
		b.WriteString("\nAlso seen:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		fmt.Fprintf(&b, "    %s %s\n", strings.ReplaceAll(name, "_", " "), text.Clean(r.Evidence[name]))
	}
	return b.String()
}

// finding is one of the findings as people read it.
type finding struct {
	name, value string
	meaning     string // for the configuration; "" if it means nothing for it
}

// lines are the findings in their order.
func (r *Report) lines() []finding {
	f := &r.Findings
	return []finding{
		{name: "shared_digest", value: f.SharedDigest, meaning: sharedDigestMeans(f.SharedDigest)},
		{name: "image_row_after_last_tag", value: f.ImageRowAfterLastTag, meaning: means(f.ImageRowAfterLastTag, map[string]string{
			"stays": "an image without tags stays listed: empty.images removes it", "vanishes": "an image goes with its last tag: empty.images finds nothing to do",
		})},
		{name: "manifest_after_last_tag", value: f.ManifestAfterLastTag, meaning: means(f.ManifestAfterLastTag, map[string]string{
			"stays": "a client that deploys by digest can still pull after the tag was deleted, for now", "gone": "a client that deploys by digest cannot pull after the last tag was deleted: keep those tags with protect.digests or a use source",
		})},
		{name: "parts_after_index", value: f.PartsAfterIndex, meaning: means(f.PartsAfterIndex, map[string]string{
			"gone": "deleting a multi-platform tag deletes its parts: keep the index tag as long as a platform is pulled by digest",
		})},
		{name: "index_after_part_tag", value: f.IndexAfterPartTag, meaning: means(f.IndexAfterPartTag, map[string]string{
			"broken": "deleting a platform tag breaks the multi-platform image: leave content.read at auto, so that the guard part_of holds it",
		})},
		{name: "move_bumps_tag", value: f.MoveBumpsTag.String(), meaning: means(f.MoveBumpsTag.String(), map[string]string{
			"no": "a moved tag looks as old as it was: protect moving tags by name, with protect.tags",
		})},
		{name: "move_bumps_image", value: f.MoveBumpsImage.String(), meaning: means(f.MoveBumpsImage.String(), map[string]string{
			"no": "the cache of listings notices a moved tag only after scan.max_cache_age; it never causes a deletion",
		})},
		{name: "repush_bumps_tag", value: f.RepushBumpsTag.String(), meaning: means(f.RepushBumpsTag.String(), map[string]string{
			"yes": "pushing the same image again makes its tag young",
		})},
		{name: "pull_bumps_tag", value: f.PullBumpsTag.String(), meaning: means(f.PullBumpsTag.String(), map[string]string{
			"yes": "a pull makes a tag young: what is still pulled is not old",
		})},
		{name: "page_size_over_100", value: f.PageSizeOver100},
		{name: "inline_tags", value: f.InlineTags},
	}
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
