package report

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// freeing is a plan of which is known what its deletions free, except of one tag, and
// whose changes of visibility change what storage costs.
func freeing() *actions.Plan {
	d := newDraft(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1, Archives: func([]actions.Step) func(*actions.Step) bool {
		return func(s *actions.Step) bool { return s.Tag != "pr-2" }
	}})
	layers := func(digests ...string) *registry.Content {
		c := &registry.Content{Kind: registry.ContentImage}
		for i, digest := range digests {
			c.Blobs = append(c.Blobs, registry.Blob{Digest: digest, Size: uint64(i+1) * 40e9})
		}
		return c
	}
	api := d.image("fr-par", "prod", "api")
	tag(api, "latest", "1", day)
	tag(api, "pr-1", "2", 20*day, pulls)
	tag(api, "pr-2", "3", 21*day, pulls, branches)
	api.Image.Contents = map[string]*registry.Content{"sha256:1": layers("base"), "sha256:2": layers("base", "two"), "sha256:3": layers("base", "x", "three")}
	cli := d.image("nl-ams", "oss", "cli")
	tag(cli, "pr-3", "4", 22*day, pulls)
	tag(cli, "pr-4", "5", 22*day, pulls)
	cli.Image.Visibility = registry.Public
	cli.Image.Contents = map[string]*registry.Content{"sha256:4": layers("free")}
	cli.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: []registry.Reason{{Rule: "visibility/closed", Text: "the image is public, and must be private"}}}
	d.image("nl-ams", "oss", "web").Image.SizeBytes = 50e9
	ns := d.vs[len(d.vs)-1].Namespace
	d.vs = append(d.vs, registry.Verdict{Namespace: ns,
		Visibility: &registry.VisibilityVerdict{To: registry.Public, Reasons: []registry.Reason{{Rule: "visibility/open", Text: "the namespace is private, and must be public"}}}})
	return d.plan()
}

// What an image inherits is what its namespace has after the plan.
func TestThePriceOfInheriting(t *testing.T) {
	price := runs.Price{PerGB: 0.5, Currency: "EUR"}
	for name, row := range map[string]struct {
		image  registry.Visibility // of the image; the namespace is public
		opens  bool
		change *registry.Visibility // of the namespace
		want   string
	}{
		"a private image in a public namespace":  {registry.Private, true, nil, "billing ends: 50 GB, about €25.00 a month"},
		"a public image in a public namespace":   {registry.Public, true, nil, ""},
		"a public image in a private namespace":  {registry.Public, false, nil, "billing starts: 50 GB, about €25.00 a month"},
		"a private image in a private namespace": {registry.Private, false, nil, ""},
		"a public image in one that is closed":   {registry.Public, true, new(registry.Private), "billing starts: 50 GB, about €25.00 a month"},
		"a private image in one that is opened":  {registry.Private, false, new(registry.Public), "billing ends: 50 GB, about €25.00 a month"},
	} {
		d := newDraft(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1})
		v := d.image("fr-par", "prod", "api")
		v.Namespace.IsPublic, v.Image.Visibility, v.Image.SizeBytes = row.opens, row.image, 50e9
		v.Visibility = &registry.VisibilityVerdict{To: registry.Inherit, Reasons: []registry.Reason{pulls}}
		if row.change != nil {
			d.vs = append(d.vs, registry.Verdict{Namespace: v.Namespace, Visibility: &registry.VisibilityVerdict{To: *row.change, Reasons: []registry.Reason{pulls}}})
		}
		p := d.plan()
		at := slices.IndexFunc(p.Steps, func(s actions.Step) bool { return s.Action == actions.SetImageVisibility })
		if got := outline.Billing(p, &p.Steps[at], price); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestFrees(t *testing.T) {
	run := runs.Run{Plan: freeing(), Price: runs.Price{PerGB: 0.5, Currency: "EUR", ArchivePerGB: 0.05}}
	golden(t, "frees.txt", textOf(t, run, TextOptions{Width: 160}))
	golden(t, "frees.md", formatted(t, FormatMarkdown, run))
	golden(t, "frees.csv", formatted(t, FormatCSV, run))
	page := formatted(t, FormatHTML, run)
	for _, want := range []string{
		"The deletions of this plan free 320 GB, about €140.00 a month; not known of 1 tag.",
		"Before them, the archive gets 3 tags: at most 160 GB, about €8.00 a month, which leaves about €132.00 a month saved; not known of 1 tag. 1 of 4 tags is deleted without a copy, because archive.match or archive.except leaves it out.",
		"billing starts: 1.2 GB, about €0.62 a month", "billing ends: 50 GB, about €25.00 a month", ", frees 280 GB",
		`<th scope="row">retention/branch builds</th><td>200 GB, about €100.00 a month</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page, "<th scope=\"col\">Freed</th>"); n != 2 {
		t.Errorf("%d columns tell what is freed", n)
	}
}

// The plan says plainly that it does not know the size of anything that is archived.
func TestArchivingOfUnknownSize(t *testing.T) {
	for want, archive := range map[string]actions.Archiving{
		"": {},
		"13 tags of unknown size; a plan with content.read: always reads it": {Tags: 13, Unknown: 13},
		"13 tags: at most 0 B; not known of 12 tags":                         {Tags: 13, Unknown: 12},
	} {
		if got := outline.Archiving(&actions.Plan{Summary: actions.Summary{Archive: archive}}, runs.Price{}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The size of an image bounds that of its tags.
func TestArchivingOfImagesWhoseSizeIsKnown(t *testing.T) {
	p := &actions.Plan{Summary: actions.Summary{Archive: actions.Archiving{Tags: 3, Unknown: 3, Images: 3e9, ImagesBilled: 2e9}}}
	some := *p
	some.Summary.Archive.Bytes, some.Summary.Archive.Unknown = 1e9, 1
	want := "3 tags: at most 1.0 GB, about €0.01 a month, and the deletions save at most €0.02 a month; not known of 1 tag"
	if got := outline.Archiving(&some, runs.Price{ArchivePerGB: 0.0146, PerGB: 0.027}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for want, there := range map[string]float64{
		", about €0.04 a month, and the deletions save at most €0.02 a month": 0.0146,
		", about €0.08 a month": 0.027,
		", and the deletions save at most €0.05 a month, less what the archive costs": 0,
	} {
		want = "3 tags: at most 3.0 GB, the size of their images" + want + "; a plan with content.read: always reads that of the tags"
		if got := outline.Archiving(p, runs.Price{ArchivePerGB: there, PerGB: 0.027}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhatIsFreedIsSaidToBeUnknown(t *testing.T) {
	frees := func(bytes, unknown uint64) actions.Frees {
		return actions.Frees{Bytes: actions.Measured(bytes), Billed: actions.Measured(bytes), Unknown: actions.Measured(unknown)}
	}
	for want, f := range map[string]actions.Frees{
		"an unknown size (2 tags)":                        frees(0, 2),
		"2.0 GB, about €0.05 a month; not known of 1 tag": frees(2e9, 1),
		"0 B": frees(0, 0),
		"":    {},
	} {
		if got := outline.Freed(f, runs.Price{}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p := freeing()
	for i := range p.Images {
		p.Images[i].Frees = frees(0, 3)
	}
	if page := formatted(t, FormatHTML, runs.Run{Plan: p}); !strings.Contains(page, ", frees an unknown size (3 tags)") || strings.Contains(page, ", frees 0 B") {
		t.Error("the page says that an image frees nothing, of which nothing is known")
	}
}

func TestAComparisonSaysWhatIsFreed(t *testing.T) {
	nothing := newDraft(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1, Content: plan.Content{Read: plan.ReadAlways}}).plan()
	c := diff.Compare(diff.Input{Name: "old.yaml", Plan: nothing}, diff.Input{Name: "new.yaml", Plan: freeing()})
	var text, markdown bytes.Buffer
	if err := errors.Join(Compare(&text, FormatText, c, TextOptions{Width: 160}), Compare(&markdown, FormatMarkdown, c, TextOptions{Price: runs.Price{PerGB: 0.5, Currency: "EUR"}})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"frees after", "320 GB, about €7.56 a month; not known of 1 tag", ", frees 0 B\n", "; 320 GB more are freed, as far as is known"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
	for _, want := range []string{
		"| frees | 0 B | 320 GB, about €140.00 a month; not known of 1 tag | | |", "| rule | only before | only after | frees before | frees after |",
		"| retention/branch builds | 0 | 1 |  | 200 GB, about €100.00 a month |",
	} {
		if !strings.Contains(markdown.String(), want) {
			t.Errorf("the Markdown lacks %q:\n%s", want, markdown.String())
		}
	}
	for _, row := range []struct {
		before, after uint64
		want          string
	}{{1e9, 3e9, "; 2.0 GB more are freed"}, {3e9, 1e9, "; 2.0 GB less are freed"}, {1, 1, "; the same is freed"}} {
		c.Before.Summary.Frees = actions.Frees{Bytes: actions.Measured(row.before)}
		c.After.Summary.Frees = actions.Frees{Bytes: actions.Measured(row.after)}
		if got := verdictOf(c); !strings.HasSuffix(got, row.want) && !strings.Contains(got, row.want+", and") {
			t.Errorf("from %d to %d: %q", row.before, row.after, got)
		}
	}
}

func TestThePageSaysUntilWhenTagsCanBeRestored(t *testing.T) {
	p := freeing()
	p.Outcome = &actions.Outcome{}
	until, zone := scanTime.Add(30*day), time.FixedZone("CET", 3600)
	for _, s := range p.Steps {
		r := actions.StepResult{Ref: s.Ref, Action: s.Action, Result: actions.ResultDone}
		if s.Action == actions.DeleteTag {
			r.Archived = &actions.Archived{To: "/archive", Until: until}
		}
		p.Outcome.Results = append(p.Outcome.Results, r)
	}
	page := formatted(t, FormatHTML, runs.Run{ID: "42", Plan: p, Zone: zone})
	for _, want := range []string{
		"archived until " + text.Moment(until, zone), "<code>registry-janitor restore 42</code>", "<code>registry-janitor restore rg.fr-par.scw.cloud/prod/api:pr-1</code>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for at, offers := range map[time.Time]bool{until.Add(-1): true, until: false} {
		page := daemonOf(t, runs.Daemon{Now: at, Zone: zone, Archive: "/archive"}, &runs.Run{ID: "42", Plan: p})
		if strings.Contains(page, "brings back those that were deleted") != offers || strings.Contains(page, "archived until") != offers {
			t.Errorf("whether the page offers at %s, of copies until %s, what can be restored: not %t", at, until, offers)
		}
	}
	page = daemonOf(t, runs.Daemon{Now: scanTime, Zone: zone, Archive: "s3://new"}, &runs.Run{ID: "42", Plan: p})
	if !strings.Contains(page, "archived in /archive until") || !strings.Contains(page, "; archive.to names another place now.") || strings.Contains(page, "registry-janitor restore") {
		t.Error("the page names a command that reads another archive")
	}
}

// A tag that is still there does not come back.
func TestThePageDoesNotOfferToRestoreWhatStayed(t *testing.T) {
	p := longRun(t, func(i int) (actions.Result, string) { return actions.ResultBlocked, "" })
	for i := range p.Outcome.Results {
		p.Outcome.Results[i].Archived = &actions.Archived{To: "/archive", Until: scanTime.Add(30 * day)}
	}
	page := formatted(t, FormatHTML, runs.Run{ID: "42", Plan: p})
	if strings.Contains(page, "registry-janitor restore") || !strings.Contains(page, "27,200 tags archived in /archive") {
		t.Error("the page offers to restore what was not deleted, or does not count its copies")
	}
}

// Nothing brings back what was deleted without a copy, so all reports for people say it.
func TestEachReportSaysWhatWasDeletedWithoutACopy(t *testing.T) {
	p := longRun(t, func(i int) (actions.Result, string) {
		if i == 2 {
			return actions.ResultFailed, ""
		}
		return actions.ResultDone, ""
	})
	p.Summary.Archive.Tags = 3
	for i, why := range []string{"the disk is full", "the network is down", "a failed step is not deleted"} {
		p.Outcome.Results[i].Uncopied = why
	}
	run := runs.Run{ID: "42", Plan: p}
	for name, report := range map[string]string{
		"text": formatted(t, FormatText, run), "markdown": formatted(t, FormatMarkdown, run), "page": formatted(t, FormatHTML, run),
		"applied": appliedText(t, run), "daemon": daemonOf(t, runs.Daemon{Now: scanTime}, &run),
	} {
		if !strings.Contains(report, "2 tags were deleted without a copy, because they could not be archived: the disk is full") {
			t.Errorf("%s does not say what was deleted without a copy", name)
		}
		if strings.Contains(report, "The archive gets") || strings.Contains(report, "Nothing needs attention") {
			t.Errorf("%s says that all is well", name)
		}
	}
}
