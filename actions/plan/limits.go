package plan

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	// percentNamespaceMin is the number of tags from which on a namespace has a
	// percentage of its own: of fewer, a single deletion may be most of them.
	percentNamespaceMin = 20
	// anomalyRuns is the number of runs from which on their median shows what is
	// usual.
	anomalyRuns = 3
)

// Share is how many of the tags of a namespace are deleted. Those that were restored do
// not count.
type Share struct{ Deleted, Tags int }

// Refusals lists the limits that so many deletions exceed, whose tags are these
// shares of their namespaces.
func Refusals(deletions int, shares map[registry.Ref]Share, o Options) []actions.Refusal {
	var out []actions.Refusal
	if limit := o.MaxDeletions; limit >= 0 && deletions > limit {
		out = append(out, actions.Refusal{Limit: "max_deletions", Detail: fmt.Sprintf(
			"%s planned, %s over the limit of %s: narrow the rules, or raise limits.max_deletions%s",
			text.Count(deletions, "deletion"), text.Thousands(deletions-limit), text.Thousands(limit), oldestFirst(limit))})
	}
	if a := o.Anomaly; a.Factor > 0 && a.Runs >= anomalyRuns && float64(deletions) > a.most() {
		out = append(out, actions.Refusal{Limit: "anomaly", Detail: fmt.Sprintf(
			"%s planned, more than %s times the %s of a usual run (the median of the latest %s): check what has changed, then raise limits.anomaly for this run%s",
			text.Count(deletions, "deletion"), number(a.Factor), number(a.usual()), text.Count(a.Runs, "run"), oldestFirst(int(a.most())))})
	}
	if o.MaxDeletionPercent < 0 {
		return out
	}
	var whole Share
	for _, n := range shares {
		whole.Deleted += n.Deleted
		whole.Tags += n.Tags
	}
	limit := newPercent(o.MaxDeletionPercent)
	if limit.exceeded(whole) {
		out = append(out, limit.refusal(whole, "all namespaces together"))
	}
	for _, ref := range slices.SortedFunc(maps.Keys(shares), compareRefs) {
		if n := shares[ref]; n.Tags >= percentNamespaceMin && limit.exceeded(n) {
			out = append(out, limit.refusal(n, ref.String()))
		}
	}
	return out
}

// Doubted reports whether a plan of the builder keeps to MaxDeletionPercent only if the
// cache is right: the tags that only an earlier run saw may be gone.
func (b *Builder) Doubted(p *actions.Plan) bool {
	if b.fromCache == 0 || b.o.MaxDeletionPercent < 0 || len(p.Refusals) > 0 {
		return false
	}
	limit := newPercent(b.o.MaxDeletionPercent)
	var whole Share
	for ref, n := range b.shares(p) {
		t := b.namespaces[ref]
		n.Tags -= t.unseen
		whole.Deleted += n.Deleted
		whole.Tags += n.Tags
		n.Tags = max(n.Tags, percentNamespaceMin)
		if t.cached > 0 && limit.exceeded(n) {
			return true
		}
	}
	return limit.exceeded(whole)
}

// oldestFirst ends the remedy for a limit of n deletions.
func oldestFirst(n int) string {
	if n < 1 {
		return ""
	}
	return fmt.Sprintf(", or delete the oldest first with --at-most %d", n)
}

// most is the largest number of deletions that is not an anomaly.
func (a Anomaly) most() float64 { return a.Factor * a.usual() }

// usual is at least 1: otherwise the first deletion would be an anomaly in a
// registry in which most runs delete nothing.
func (a Anomaly) usual() float64 { return max(1, a.Usual) }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func compareRefs(a, b registry.Ref) int {
	return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Namespace, b.Namespace))
}

// percent is a share as it was written: 0.3 is three in a thousand, which no
// float64 is.
type percent struct {
	text  string
	share *big.Rat // per hundred
}

func newPercent(p float64) percent {
	text := strconv.FormatFloat(p, 'f', -1, 64)
	share, ok := new(big.Rat).SetString(text)
	if !ok { // not a finite number: allow nothing
		text, share = "0", new(big.Rat)
	}
	return percent{text, share.Quo(share, big.NewRat(100, 1))}
}

func (p percent) exceeded(t Share) bool {
	return big.NewRat(int64(t.Deleted), 1).Cmp(p.of(t.Tags)) > 0
}

func (p percent) of(tags int) *big.Rat {
	return new(big.Rat).Mul(p.share, big.NewRat(int64(tags), 1))
}

func (p percent) refusal(t Share, where string) actions.Refusal {
	most := p.of(t.Tags)
	allowed := int(new(big.Int).Quo(most.Num(), most.Denom()).Int64())
	return actions.Refusal{Limit: "max_deletion_percent", Detail: fmt.Sprintf(
		"%s of %s would be deleted in %s, %s over the limit of %s %%: narrow the rules, or raise limits.max_deletion_percent%s",
		text.Thousands(t.Deleted), text.Count(t.Tags, "tag"), where, text.Thousands(t.Deleted-allowed), p.text, oldestFirst(allowed))}
}
