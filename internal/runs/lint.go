package runs

import (
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Lint is what looks wrong with the rules of a configuration, compared with what
// the registry holds.
type Lint struct {
	TakenAt  time.Time      `json:"taken_at"`
	Images   int            `json:"images"`
	Tags     int            `json:"tags"`
	Rules    int            `json:"rules"`    // of the configuration
	Findings []LintFinding  `json:"findings"` // sorted by rule, then kind
	Gaps     []registry.Gap `json:"gaps"`     // a rule may match what could not be read
	// Zone is where people read its times; nil means UTC.
	Zone *time.Location `json:"-"`
}

// LintFinding is one problem of a rule.
type LintFinding struct {
	Kind LintKind `json:"kind"`
	// Rule is the rule as reasons name it, or several rules joined by " + ".
	Rule     string   `json:"rule"`
	Message  string   `json:"message"`
	Remedy   string   `json:"remedy"`
	Tags     int      `json:"tags"`
	Images   int      `json:"images"`
	Examples []string `json:"examples"` // a few references
}

// LintKind is the kind of a problem.
type LintKind string

// The kinds.
const (
	LintMatchesNothing LintKind = "matches_nothing"
	LintShadowed       LintKind = "shadowed"
	LintEmptiesImage   LintKind = "empties_image"
	LintHitsReleases   LintKind = "hits_releases"
	// LintDeletesNewest: the newest push of an image is deleted.
	LintDeletesNewest LintKind = "deletes_newest"
	// LintCachesTakePlaces: tags of build caches take places of keep.last.
	LintCachesTakePlaces LintKind = "caches_take_places"
)
