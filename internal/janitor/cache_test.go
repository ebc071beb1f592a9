package janitor

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

const maxCacheAge = 24 * time.Hour

// shown is how many tags of an image its row shows.
const shown = 3

// moving is a registry that changes, with one namespace. If its rows lie, a tag may
// move without a change of the row of its image.
type moving struct {
	*rand.Rand
	now   time.Time
	lying bool

	namespace registry.Namespace
	images    map[string]*registry.Image

	quiet  atomic.Int64 // images that need not be judged, of all runs
	mu     sync.Mutex
	listed map[string]bool // the images of which the tags were listed
}

func newMoving(seed uint64, lying bool) *moving {
	m := &moving{
		Rand: rand.New(rand.NewPCG(seed, 3)), now: now, lying: lying, images: map[string]*registry.Image{},
		namespace: registry.Namespace{ID: "ns", Name: "prod", Region: "fr-par", Status: registry.StatusReady, CreatedAt: now.AddDate(-1, 0, 0), UpdatedAt: now.AddDate(-1, 0, 0)},
	}
	for i := range 1 + m.IntN(6) {
		name := fmt.Sprintf("img%d", i)
		m.images[name] = &registry.Image{NamespaceID: "ns", Name: name, ID: name, Status: registry.StatusReady, Visibility: registry.Inherit, CreatedAt: now.AddDate(-1, 0, 0)}
		for range m.IntN(16) {
			m.push(name)
		}
		days := 1 + m.IntN(25)
		for j := range m.images[name].Tags {
			at := now.Add(-time.Duration(m.IntN(24*60*days)) * time.Minute)
			m.images[name].Tags[j].CreatedAt, m.images[name].Tags[j].UpdatedAt = at, at
		}
		m.images[name].UpdatedAt = now.Add(-time.Duration(m.IntN(24*days)) * time.Hour)
	}
	return m
}

// push makes a tag, or moves it. Some tags share their digests.
func (m *moving) push(name string) {
	image := m.images[name]
	tag := fmt.Sprintf("%s%d", []string{"pr-", "main-", "v1.0."}[m.IntN(3)], m.IntN(6))
	digest := fmt.Sprintf("sha256:%064x", m.IntN(40))
	at := slices.IndexFunc(image.Tags, func(t registry.Tag) bool { return t.Name == tag })
	if at < 0 {
		image.Tags = append(image.Tags, registry.Tag{Name: tag, ID: name + tag, Status: registry.StatusReady, CreatedAt: m.now})
		at = len(image.Tags) - 1
	}
	image.Tags[at].Digest, image.Tags[at].UpdatedAt = digest, m.now
	m.touch(image)
}

// touch changes the row, as an honest registry does.
func (m *moving) touch(image *registry.Image) {
	image.UpdatedAt = m.now
	image.SizeBytes, image.TagNames = uint64(len(image.Tags)), nil
	for _, t := range image.Tags {
		image.TagNames = append(image.TagNames, t.Name)
	}
	if len(image.TagNames) > shown {
		image.TagNames = image.TagNames[:shown] // truncated
	}
}

// change does what others do between two runs.
func (m *moving) change() {
	if m.IntN(4) == 0 {
		m.namespace.IsPublic = !m.namespace.IsPublic
	}
	for range m.IntN(4) {
		name := fmt.Sprintf("img%d", m.IntN(7))
		image := m.images[name]
		if image == nil {
			continue
		}
		switch {
		case m.lying && len(image.Tags) > shown && m.IntN(2) == 0: // a tag goes that the row does not show
			image.Tags = slices.Delete(image.Tags, shown, shown+1+m.IntN(len(image.Tags)-shown))
		case m.lying && len(image.Tags) > 0: // a tag moves, and the row stays
			t := &image.Tags[m.IntN(len(image.Tags))]
			t.Digest, t.UpdatedAt = fmt.Sprintf("sha256:%064x", m.IntN(40)), m.now
		case m.lying:
		case m.IntN(4) == 0 && len(image.Tags) > 0:
			image.Tags = slices.Delete(image.Tags, 0, 1)
			m.touch(image)
		case m.IntN(10) == 0:
			delete(m.images, name)
		default:
			m.push(name)
		}
	}
}

func (m *moving) Namespaces(context.Context, registry.Query) ([]registry.Namespace, error) {
	n := m.namespace
	n.ImageCount = uint64(len(m.images))
	return []registry.Namespace{n}, nil
}

func (m *moving) Images(context.Context, registry.Query) iter.Seq2[registry.Image, error] {
	return func(yield func(registry.Image, error) bool) {
		for _, name := range slices.Sorted(maps.Keys(m.images)) {
			row := *m.images[name]
			row.Tags = nil
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (m *moving) Image(_ context.Context, _ registry.Region, id string) (registry.Image, error) {
	row := *m.images[id]
	row.Tags = nil
	return row, nil
}

func (m *moving) Tags(_ context.Context, _ registry.Region, id string) ([]registry.Tag, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listed[id] = true
	return slices.Clone(m.images[id].Tags), nil
}

// countingQuiet counts what a cache finds quiet.
type countingQuiet struct {
	scanner.Cache
	quiet *atomic.Int64
}

func (c countingQuiet) Find(ctx context.Context, images []*registry.Image) []*scanner.Known {
	found := c.Cache.Find(ctx, images)
	for _, known := range found {
		if known != nil && known.Quiet {
			c.quiet.Add(1)
		}
	}
	return found
}

// plan plans by what is there, with a cache or without.
func (m *moving) plan(t *testing.T, p *Planner, l *ledger.Ledger) *actions.Plan {
	t.Helper()
	m.listed = map[string]bool{}
	p.TakenAt = m.now
	o := scanner.Options{Scope: Scope(p.Config)}
	if l == nil {
		got, err := p.Plan(t.Context(), scanner.Scan(t.Context(), m, o))
		check(t, err)
		return got
	}
	got, err := p.planWithCache(t.Context(), l, func(cache scanner.Cache) intake.Feed {
		o.Cache = countingQuiet{cache, &m.quiet}
		return scanner.Scan(t.Context(), m, o)
	})
	check(t, err)
	return got
}

// The limits count no tag that only the cache has.
func TestTheLimitsDoNotCountTagsThatAreGone(t *testing.T) {
	planner, l := cached(t, `retention: [{name: all, match: {tags: ["pr-*"]}, delete: {older_than: 1d}}]`+"\nlimits: {max_deletion_percent: 20}\nscaleway: {regions: [fr-par]}\n")
	m := newMoving(1, true)
	m.images = map[string]*registry.Image{}
	for name, tags := range map[string]int{"a": 97, "b": 43} {
		image := &registry.Image{NamespaceID: "ns", Name: name, ID: name, Status: registry.StatusReady, Visibility: registry.Inherit, CreatedAt: now.AddDate(-1, 0, 0), UpdatedAt: now.AddDate(0, 0, -9)}
		for i := range tags {
			at := now.Add(-2*time.Hour - time.Duration(i)*time.Minute)
			tag := registry.Tag{Name: fmt.Sprintf("v%d", i), ID: fmt.Sprint(name, i), Digest: fmt.Sprintf("sha256:%063x%s", i, name), Status: registry.StatusReady, CreatedAt: at, UpdatedAt: at}
			if name == "b" && i >= 23 {
				tag.Name, tag.UpdatedAt, tag.CreatedAt = fmt.Sprintf("pr-%d", i), now.AddDate(0, 0, -5), now.AddDate(0, 0, -5)
			}
			image.Tags = append(image.Tags, tag)
		}
		image.TagNames = []string{image.Tags[0].Name, image.Tags[1].Name, image.Tags[2].Name}
		m.images[name] = image
	}
	if first := m.plan(t, planner, l); len(first.Refusals) > 0 || len(first.Steps) != 20 {
		t.Fatalf("%d steps, refused: %v", len(first.Steps), first.Refusals)
	}
	m.images["a"].Tags = m.images["a"].Tags[:17]
	full, cached := m.plan(t, planner, nil), m.plan(t, planner, l)
	if len(full.Refusals) == 0 {
		t.Error("the full plan is not refused")
	}
	if diff := gocmp.Diff(full.Refusals, cached.Refusals); diff != "" {
		t.Errorf("(-full +cached)\n%s", diff)
	}
}

// The stay counts from the restoration, and no age of the tag tells when that was: it may
// have been there still, or restored a second time.
func TestWhatWasRestoredIsDeletedAfterItsStayWhateverTheCacheHas(t *testing.T) {
	planner, l := cached(t, fmt.Sprintf(`retention: [{name: all, match: {tags: ["pr-*"]}, delete: {older_than: 1d}}]
limits: {max_deletion_percent: 100, keep_at_least: 0}
scaleway: {regions: [fr-par]}
archive: {to: %q, restored_stay: 10d}
`, t.TempDir()))
	m := newMoving(1, true)
	at := now.AddDate(0, 0, -40)
	tag := registry.Tag{Name: "pr-1", ID: "t", Digest: fmt.Sprintf("sha256:%064x", 1), Status: registry.StatusReady, CreatedAt: at, UpdatedAt: at}
	m.images = map[string]*registry.Image{"a": {
		NamespaceID: "ns", Name: "a", ID: "a", Status: registry.StatusReady, Visibility: registry.Inherit, CreatedAt: at, UpdatedAt: at,
		TagNames: []string{tag.Name}, Tags: []registry.Tag{tag},
	}}
	planner.history = &history{since: new(ledger.Marked), restored: []ledger.Event{
		{Ref: "rg.fr-par.scw.cloud/prod/a:pr-1", Digest: tag.Digest, At: now.AddDate(0, 0, -10).Add(10 * time.Minute)},
	}}
	for steps, minutes := range []int{0, 20} {
		m.now = now.Add(time.Duration(minutes) * time.Minute)
		full, cached := m.plan(t, planner, nil), m.plan(t, planner, l)
		if len(full.Steps) != steps || len(cached.Steps) != steps {
			t.Errorf("after %d minutes: %d deletions, and %d with the cache", minutes, len(full.Steps), len(cached.Steps))
		}
	}
}

// The cache misses that b has an older deletion: with --at-most, a younger one in a does
// not take its place.
func TestTheOldestIsDeletedFirstWhateverTheCacheHas(t *testing.T) {
	planner, l := cached(t, `retention: [{name: prs, match: {tags: ["pr-*"]}, keep: {last: 1}, delete: {older_than: 1d}}]`+"\nlimits: {max_deletion_percent: 100}\nscaleway: {regions: [fr-par]}\n")
	planner.AtMost = 1
	m := newMoving(1, true)
	m.images = map[string]*registry.Image{}
	add := func(name string, days int) {
		at, tag := now.AddDate(0, 0, -days), fmt.Sprintf("pr-%d", days)
		image := m.images[name]
		if image == nil {
			image = &registry.Image{NamespaceID: "ns", Name: name, ID: name, Status: registry.StatusReady, Visibility: registry.Inherit, CreatedAt: now.AddDate(-1, 0, 0), UpdatedAt: at, TagNames: []string{tag}}
			m.images[name] = image
		}
		image.Tags = append(image.Tags, registry.Tag{Name: tag, ID: name + tag, Digest: fmt.Sprintf("sha256:%064x", days), Status: registry.StatusReady, CreatedAt: at, UpdatedAt: at})
	}
	add("a", 10)
	add("a", 5)
	add("b", 20)
	m.plan(t, planner, l)
	add("b", 3) // and the row of b stays
	full, cached := m.plan(t, planner, nil), m.plan(t, planner, l)
	if len(full.Steps) != 1 || full.Steps[0].Tag != "pr-20" {
		t.Errorf("the full plan has %+v", full.Steps)
	}
	if diff := compared(cached, full, false); diff != "" {
		t.Errorf("(-full +cached)\n%s", diff)
	}
}

// A full run finds nothing in the cache, and renews it.
func TestAFullRunRenewsTheCache(t *testing.T) {
	planner, l := cached(t, rules)
	m := newMoving(2, true)
	before := m.plan(t, planner, l).Summary.Tags
	for _, image := range m.images {
		image.Tags = image.Tags[:min(shown, len(image.Tags))]
	}
	planner.Full = true
	full := m.plan(t, planner, l).Summary
	planner.Full = false
	after := m.plan(t, planner, l).Summary
	if full.Tags >= before || full.ImagesFromCache > 0 || after.Tags != full.Tags || after.ImagesFromCache == 0 {
		t.Errorf("%d tags, then in full %d (%d images from the cache), then %d (%d)", before, full.Tags, full.ImagesFromCache, after.Tags, after.ImagesFromCache)
	}
}

// A plan of the cache is the plan of a full scan where every push changes the row of
// its image. Where rows lie, its steps are some of those of the full scan, and all of
// them once the listing is as old as it may be. No step is in an image that was not
// listed in its run.
func TestTheCacheOnlyDelays(t *testing.T) {
	configurations := []string{
		rules,
		`retention: [{name: old, match: {tags: ["*"]}, keep: {within: 3d}, delete: {older_than: 6d}}]` + "\nlimits: {keep_at_least: 0, max_deletion_percent: 100}\n",
		`visibility: [{name: private, subject: image, match: {namespaces: ["*"]}, require: private, fix: true}]` + "\n",
		`retention: [{name: all, match: {tags: ["*"]}, keep: {last: 2}, delete: {older_than: 5d}}]` + "\nlimits: {keep_at_least: 0, max_deletion_percent: 100}\nempty: {images: {older_than: 1d}}\n",
		`retention: [{name: all, match: {tags: ["pr-*"]}, delete: {older_than: 1h}}]` + "\nlimits: {max_deletions: 3}\nshared_digest: untag\nprotect: {tags: [\"pr-1\"]}\n",
		`retention: [{name: old, match: {tags: ["*"]}, keep: {within: 3d}, delete: {older_than: 6d}}]` + "\nlimits: {keep_at_least: 0, max_deletion_percent: 30}\nshared_digest: untag\n",
		`retention: [{name: old, match: {tags: ["*"]}, keep: {last: 2}, delete: {older_than: 5d}}]` + "\nlimits: {keep_at_least: 0, max_deletion_percent: 100}\nshared_digest: untag\n", // --at-most 2
	}
	var hits, steps int
	var quiet int64
	for i, text := range configurations {
		c, err := config.Parse("janitor.yaml", []byte(text))
		check(t, err)
		policies, err := Policies(t.Context(), c, policy.Options{})
		check(t, err)
		planner := &Planner{Config: c, Policies: policies}
		if i == len(configurations)-1 {
			planner.AtMost = 2
		}
		for seed := range uint64(6) {
			for _, lying := range []bool{false, true} {
				m := newMoving(seed, lying)
				l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{})
				check(t, err)
				t.Cleanup(func() { _ = l.Close() })
				settled := m.now
				for range 8 {
					cached := m.plan(t, planner, l)
					for i := range cached.Steps {
						if s := &cached.Steps[i]; s.Image != "" && !m.listed[s.Image] {
							t.Fatalf("configuration %d, seed %d, lying %v: %s %s is planned, and its image was not listed", i, seed, lying, s.Action, s.Ref)
						}
					}
					full := m.plan(t, planner, nil)
					hits, steps = hits+cached.Summary.ImagesFromCache, steps+len(full.Steps)
					if share := m.share(c, cached); len(cached.Refusals) == 0 && share > float64(c.Limits.MaxDeletionPercent) {
						t.Fatalf("configuration %d, seed %d, lying %v: %.1f %% of the tags would be deleted, and no limit refuses that", i, seed, lying, share)
					}
					old := m.now.Sub(settled) >= maxCacheAge
					if diff := compared(cached, full, !lying || old); diff != "" {
						t.Fatalf("configuration %d, seed %d, lying %v: (-full +cached)\n%s", i, seed, lying, diff)
					}
					m.now = m.now.Add(time.Duration(m.IntN(20*60)) * time.Minute)
					if m.IntN(3) > 0 {
						m.change()
						settled = m.now
					}
				}
				quiet += m.quiet.Load()
			}
		}
	}
	if hits < 500 || quiet < 50 || steps < 500 {
		t.Errorf("%d images came from the cache, %d of them quiet, and %d steps were planned: the test shows too little", hits, quiet, steps)
	}
}

// share is how many percent of the tags a plan deletes.
func (m *moving) share(c *config.Config, p *actions.Plan) float64 {
	all := 0
	for _, image := range m.images {
		all += len(image.Tags) * len(c.Scaleway.Regions) // the same in each
	}
	return 100 * float64(p.Summary.DeleteTags) / float64(max(1, all))
}

// wrong is a clock that is ahead of that of the API.
type wrong struct{}

func (wrong) Skew() (time.Duration, bool) { return time.Hour, true }
func (wrong) Undated() bool               { return false }

// A run whose clock is wrong keeps no listing.
func TestAWrongClockKeepsNoListing(t *testing.T) {
	planner, l := cached(t, rules)
	m := newMoving(2, false)
	planner.Clock = wrong{}
	m.plan(t, planner, l)
	planner.Clock = nil
	if found := m.plan(t, planner, l).Summary.ImagesFromCache; found > 0 {
		t.Errorf("%d images are found", found)
	}
	if found := m.plan(t, planner, l).Summary.ImagesFromCache; found == 0 {
		t.Error("no image is found")
	}
}

// A rule about tags that matches nothing is reported by every run, and one that matches
// something by none, although quiet images hide their tags.
func TestWhatMatchesNothingIsSaidInEveryRun(t *testing.T) {
	for tag, want := range map[string]int{"wip-1": 1, "v1": 0} {
		planner, l := cached(t, `retention: [{name: wip, match: {tags: ["`+tag+`"]}, keep: {within: 1d}}]`+"\nscaleway: {regions: [fr-par]}\n")
		m := newMoving(2, false)
		m.now = now.AddDate(0, 0, 60)
		for name, image := range m.images {
			image.Tags = []registry.Tag{{Name: "v1", ID: name, Status: registry.StatusReady, Digest: fmt.Sprintf("sha256:%064x", 1), CreatedAt: now, UpdatedAt: now}}
			m.touch(image)
			image.UpdatedAt = now
		}
		for run := range 4 {
			warned := 0
			for _, v := range m.plan(t, planner, l).Violations {
				if v.Rule == "config/matches_nothing" {
					warned++
				}
			}
			if warned != want {
				t.Errorf("run %d: %d warnings about %s", run, warned, tag)
			}
			m.now = m.now.Add(time.Minute)
		}
		if quiet := m.quiet.Load() > 0; quiet == (want > 0) {
			t.Errorf("%s: quiet images: %v", tag, quiet)
		}
	}
}

// cached is a planner, and a ledger for its cache.
func cached(t *testing.T, configuration string) (*Planner, *ledger.Ledger) {
	t.Helper()
	c, err := config.Parse("janitor.yaml", []byte(configuration))
	check(t, err)
	policies, err := Policies(t.Context(), c, policy.Options{})
	check(t, err)
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{})
	check(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return &Planner{Config: c, Policies: policies}, l
}

// compared is how the plan of a cache differs from the full one; if it need not be
// whole, only what it has in addition counts.
func compared(cached, full *actions.Plan, whole bool) string {
	cached.Summary.ImagesFromCache, cached.ID, full.ID = 0, "", ""
	if whole {
		return gocmp.Diff(full, cached)
	}
	type key struct{ action, ref, digest string }
	keyOf := func(s actions.Step) key { return key{string(s.Action), s.Ref, s.Digest} }
	planned := map[key]bool{}
	for _, s := range full.Steps {
		planned[keyOf(s)] = true
	}
	more := slices.DeleteFunc(slices.Clone(cached.Steps), func(s actions.Step) bool { return planned[keyOf(s)] })
	slices.SortFunc(more, func(a, b actions.Step) int { return cmp.Compare(a.Ref, b.Ref) })
	return gocmp.Diff([]actions.Step{}, append([]actions.Step{}, more...))
}
