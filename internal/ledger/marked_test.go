package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// observe records an observation, and reads the marked tags afterwards.
func observe(t testing.TB, l *Ledger, o Observation) *Marked {
	t.Helper()
	r, err := l.Begin(t.Context(), RunInfo{Kind: runs.KindPlan})
	must(t, err)
	must(t, r.Mark(t.Context(), o))
	m, err := l.Marked(t.Context())
	must(t, err)
	return m
}

func tag(name, digest string) MarkedTag {
	return MarkedTag{ID: "id-" + name, Digest: "sha256:" + digest, Ref: ref(name)}
}

func TestSinceWhenATagIsMarked(t *testing.T) {
	at := func(hour int) time.Time { return start.Add(time.Duration(hour) * time.Hour) }
	nothing := func(registry.Ref) bool { return false }
	for name, c := range map[string]struct {
		then []Observation
		want time.Time // zero: not marked
	}{
		"a tag that was never marked is not": {nil, time.Time{}},
		"a tag is marked since it was first found marked": {[]Observation{
			{At: at(1), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
			{At: at(2), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
		}, at(1)},
		"a tag that was not marked in between starts anew": {[]Observation{
			{At: at(1), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
			{At: at(2), Covered: everything},
			{At: at(3), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
		}, at(3)},
		"a tag that is no longer marked is not": {[]Observation{
			{At: at(1), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
			{At: at(2), Covered: everything},
		}, time.Time{}},
		"another digest starts anew": {[]Observation{
			{At: at(1), Tags: []MarkedTag{tag("a", "2")}, Covered: everything},
			{At: at(2), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
		}, at(2)},
		"a digest that comes back starts anew, even if the run did not cover it": {[]Observation{
			{At: at(1), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
			{At: at(2), Tags: []MarkedTag{tag("a", "2")}, Covered: nothing},
			{At: at(3), Tags: []MarkedTag{tag("a", "1")}, Covered: nothing},
		}, at(3)},
		"another tag of the same name starts anew": {[]Observation{
			{At: at(1), Tags: []MarkedTag{{ID: "other", Digest: "sha256:1", Ref: ref("a")}}, Covered: everything},
			{At: at(2), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
		}, at(2)},
		"a gap leaves what is known": {[]Observation{
			{At: at(1), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
			{At: at(2), Covered: func(r registry.Ref) bool { return r.Region != "fr-par" }},
			{At: at(3), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
		}, at(1)},
		"a clock that was set back moves nothing back": {[]Observation{
			{At: at(3), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
			{At: at(1), Tags: []MarkedTag{tag("a", "1")}, Covered: everything},
		}, at(3)},
		"a duplicate tag counts once": {[]Observation{
			{At: at(1), Tags: []MarkedTag{tag("a", "1"), tag("a", "1")}, Covered: everything},
		}, at(1)},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, dsn string) {
				l := open(t, dsn)
				for _, o := range c.then {
					observe(t, l, o)
				}
				marked, err := l.Marked(t.Context())
				must(t, err)
				since, ok := marked.Since("id-a", "sha256:1", ref("a"))
				if ok == c.want.IsZero() || !since.Equal(c.want) {
					t.Errorf("it is marked since %s (%t), want %s", since, ok, c.want)
				}
			})
		})
	}
}

func TestObservationMustSayWhatItCovers(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		if err := begin(t, open(t, dsn), runs.KindPlan).Mark(t.Context(), Observation{At: start}); err == nil {
			t.Error("it was recorded")
		}
	})
}

// naive is a model of the documentation, tag by tag.
type naive map[tagKey]time.Time

// tagKey is a marked tag as a key.
type tagKey struct{ id, digest, ref string }

func (m naive) observe(t *testing.T, o Observation) {
	now := map[tagKey]bool{}
	ids := map[string]bool{}
	for _, tag := range o.Tags {
		now[tagKey{tag.ID, tag.Digest, tag.Ref}], ids[tag.ID] = true, true
	}
	for key := range m {
		parsed, err := registry.ParseRef(key.ref)
		must(t, err)
		if !now[key] && (ids[key.id] || o.Covered(parsed)) {
			delete(m, key)
		}
	}
	for key := range now {
		if _, ok := m[key]; !ok {
			m[key] = o.At
		}
	}
}

func TestMarkedAgreesWithANaiveModel(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		l, model := open(t, dsn), naive{}
		regions, digests := registry.Regions(), []string{"sha256:1", "sha256:2", ""}
		for run := range 60 {
			o := randomObservation(random, regions, digests)
			o.At = start.Add(time.Duration(run) * time.Minute)
			model.observe(t, o)
			m := observe(t, l, o)
			if len(m.open) != len(model) {
				t.Fatalf("run %d: %d tags are marked, want %d", run, len(m.open), len(model))
			}
			for key, want := range model {
				if since, ok := m.Since(key.id, key.digest, key.ref); !ok || !since.Equal(want) {
					t.Fatalf("run %d: %v is marked since %s (%t), want %s", run, key, since, ok, want)
				}
			}
		}
		checkSpans(t, l)
	})
}

// randomObservation covers some regions and images, and marks some of the tags
// there.
func randomObservation(random *rand.Rand, regions []registry.Region, digests []string) Observation {
	unseen := map[string]bool{}
	o := Observation{Covered: func(r registry.Ref) bool {
		r.Tag = ""
		return !unseen[r.String()] && !unseen[string(r.Region)]
	}}
	for _, region := range regions {
		unseen[string(region)] = random.IntN(6) == 0
		for image := range 3 {
			ref := registry.Ref{Region: region, Namespace: "prod", Image: fmt.Sprintf("image%d", image)}
			unseen[ref.String()] = random.IntN(6) == 0
			if !o.Covered(ref) {
				continue
			}
			for n := range 6 {
				if ref.Tag = fmt.Sprintf("t%d", n); random.IntN(3) > 0 {
					o.Tags = append(o.Tags, MarkedTag{ID: ref.String(), Digest: digests[random.IntN(20)*random.IntN(2)%3], Ref: ref.String()})
				}
			}
		}
	}
	random.Shuffle(len(o.Tags), func(i, j int) { o.Tags[i], o.Tags[j] = o.Tags[j], o.Tags[i] })
	return o
}

// checkSpans fails if two spans of a tag overlap.
func checkSpans(t *testing.T, l *Ledger) {
	t.Helper()
	if n := query(t, l, `SELECT count(*) FROM janitor_spans a JOIN janitor_spans b ON a.kind = b.kind AND a.ref = b.ref AND a.subject = b.subject AND a.id < b.id
		WHERE a.ended IS NULL OR a.ended > b.since`); n != 0 {
		t.Errorf("%d spans overlap", n)
	}
	if n := query(t, l, `SELECT count(*) FROM janitor_spans WHERE ended < since`); n != 0 {
		t.Errorf("%d spans end before they start", n)
	}
}

// manyTags are the marked tags of a large registry.
func manyTags(n int) []MarkedTag {
	tags := make([]MarkedTag, n)
	for i := range tags {
		tags[i] = MarkedTag{
			ID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), Digest: "sha256:" + strings.Repeat("0", 56) + fmt.Sprintf("%08d", i),
			Ref: fmt.Sprintf("rg.fr-par.scw.cloud/production/backend-%d:main-20261122-%d", i/100, i), Reasons: reasons(),
		}
	}
	return tags
}

func TestManyTagsNeedFewStatements(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		tags := manyTags(3*chunk + 7)
		observe(t, l, Observation{At: start, Tags: tags, Covered: everything})
		rest := slices.Clone(tags[len(tags)/2:])
		c := observe(t, l, Observation{At: start.Add(time.Hour), Tags: rest, Covered: everything})
		if len(c.open) != len(rest) {
			t.Errorf("%d tags are marked, want %d", len(c.open), len(rest))
		}
		if n := query(t, l, `SELECT count(*) FROM janitor_spans`); n != int64(len(tags)) {
			t.Errorf("there are %d spans for %d tags", n, len(tags))
		}
	})
}
