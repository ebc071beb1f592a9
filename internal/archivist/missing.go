package archivist

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// missing are the tags, each with its digest, that a run deleted, and that are not among
// some records.
func (k known) missing(records []archive.Record, run string) []string {
	there := map[string]bool{}
	for i := range records {
		there[records[i].WithDigest()] = true
	}
	missing := []string{}
	for ref, d := range k[run] {
		if name := ref + "@" + d.digest; d.deleted && !there[name] {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

// mostMissing is how many tags an error names for each reason; JSON names all.
const mostMissing = 10

// errMissing says what of a run cannot come back, and why; nil if all can.
func (k known) errMissing(c *config.Config, missing []string, run string, now time.Time) error {
	if len(missing) == 0 {
		return nil
	}
	reasons := map[string][]string{}
	first := map[string]time.Time{} // that a copy expires
	for _, name := range missing {
		ref, _, _ := strings.Cut(name, "@")
		d := k[run][ref]
		why := d.whyMissing(c, now)
		reasons[why] = append(reasons[why], name)
		if at, ok := first[why]; d.copied != nil && (!ok || d.copied.Until.Before(at)) {
			first[why] = d.copied.Until
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s of run %s cannot come back, because the archive %s has no copy:", text.Count(len(missing), "tag"), run, c.Archive.To)
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		names := reasons[why]
		if at, ok := first[why]; ok {
			why += text.Moment(at, c.Location())
		}
		fmt.Fprintf(&b, "\n  %s:\n    %s", why, strings.Join(names[:min(len(names), mostMissing)], "\n    "))
		if more := len(names) - mostMissing; more > 0 {
			fmt.Fprintf(&b, "\n    and %s more: --format json names all", text.Thousands(more))
		}
	}
	return errors.New(b.String())
}

// whyMissing is why the archive of a configuration has no copy of a tag. If the run made one,
// the time at which it expires follows.
func (d deletion) whyMissing(c *config.Config, now time.Time) string {
	switch {
	case d.copied == nil:
		return d.uncopied
	case !d.copied.Until.After(now):
		return "copied to " + d.copied.To + ", expired on "
	case d.copied.To == c.Archive.To:
		return "copied to " + d.copied.To + " until "
	}
	return "copied to " + d.copied.To + ", which archive.to no longer names, until "
}

// uncopied is why a run made no copy of a tag.
func uncopied(s *ledger.StepRecord, run *ledger.RunDetails) string {
	_, why, without := strings.Cut(s.Detail, actions.WithoutCopy)
	switch {
	case without:
		return actions.WithoutCopy + why
	case run.Outcome != nil:
		return "its run made none (archive.match or archive.except may leave the tag out)"
	case run.Status == ledger.StatusRunning:
		return "the run has not ended, so the ledger does not know yet"
	}
	return "the run was killed, so the ledger does not know whether it made a copy"
}

// copiesIn are the copies of the tags that a run deleted, by reference.
func copiesIn(o *actions.Outcome) map[string]*actions.Archived {
	copies := map[string]*actions.Archived{}
	if o != nil {
		for i := range o.Results {
			if r := &o.Results[i]; r.Action == actions.DeleteTag {
				copies[r.Ref] = r.Archived
			}
		}
	}
	return copies
}
