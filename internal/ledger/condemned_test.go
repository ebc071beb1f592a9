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

func observe(t testing.TB, l *Ledger, o Observation) *Condemned {
	t.Helper()
	r, err := l.Begin(t.Context(), RunInfo{Kind: runs.KindPlan})
	must(t, err)
	c, err := r.Condemned(t.Context(), o)
	must(t, err)
	return c
}

func tag(name, digest string) CondemnedTag {
	return CondemnedTag{ID: "id-" + name, Digest: "sha256:" + digest, Ref: ref(name)}
}

func TestSinceWhenATagIsCondemned(t *testing.T) {
	at := func(hour int) time.Time { return start.Add(time.Duration(hour) * time.Hour) }
	nothing := func(registry.Ref) bool { return false }
	for name, c := range map[string]struct {
		then []Observation
		want time.Time // zero: not condemned
	}{
		"a tag that was never condemned is not": {nil, time.Time{}},
		"a tag is condemned since it was first seen so": {[]Observation{
			{At: at(1), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
			{At: at(2), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
		}, at(1)},
		"a tag that stops being condemned starts anew": {[]Observation{
			{At: at(1), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
			{At: at(2), Judged: everything},
			{At: at(3), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
		}, at(3)},
		"a tag that is no longer condemned is not": {[]Observation{
			{At: at(1), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
			{At: at(2), Judged: everything},
		}, time.Time{}},
		"another digest starts anew": {[]Observation{
			{At: at(1), Tags: []CondemnedTag{tag("a", "2")}, Judged: everything},
			{At: at(2), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
		}, at(2)},
		"a digest that comes back starts anew, even unjudged": {[]Observation{
			{At: at(1), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
			{At: at(2), Tags: []CondemnedTag{tag("a", "2")}, Judged: nothing},
			{At: at(3), Tags: []CondemnedTag{tag("a", "1")}, Judged: nothing},
		}, at(3)},
		"another tag of the same name starts anew": {[]Observation{
			{At: at(1), Tags: []CondemnedTag{{ID: "other", Digest: "sha256:1", Ref: ref("a")}}, Judged: everything},
			{At: at(2), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
		}, at(2)},
		"a gap leaves what is known": {[]Observation{
			{At: at(1), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
			{At: at(2), Judged: func(r registry.Ref) bool { return r.Region != "fr-par" }},
			{At: at(3), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
		}, at(1)},
		"a clock that was set back moves nothing back": {[]Observation{
			{At: at(3), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
			{At: at(1), Tags: []CondemnedTag{tag("a", "1")}, Judged: everything},
		}, at(3)},
		"a tag that is named twice counts once": {[]Observation{
			{At: at(1), Tags: []CondemnedTag{tag("a", "1"), tag("a", "1")}, Judged: everything},
		}, at(1)},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, dsn string) {
				l := open(t, dsn)
				for _, o := range c.then {
					observe(t, l, o)
				}
				condemned, err := l.Condemned(t.Context())
				must(t, err)
				since, ok := condemned.Since("id-a", "sha256:1", ref("a"))
				if ok == c.want.IsZero() || !since.Equal(c.want) {
					t.Errorf("it is condemned since %s (%t), want %s", since, ok, c.want)
				}
			})
		})
	}
}

func TestObservationMustSayWhatItJudged(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		if _, err := begin(t, open(t, dsn), runs.KindPlan).Condemned(t.Context(), Observation{At: start}); err == nil {
			t.Error("it was recorded")
		}
	})
}

// naive is the model: what the words say, tag by tag.
type naive map[tagKey]time.Time

// tagKey is a condemned tag as a key.
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
		if !now[key] && (ids[key.id] || o.Judged(parsed)) {
			delete(m, key)
		}
	}
	for key := range now {
		if _, ok := m[key]; !ok {
			m[key] = o.At
		}
	}
}

func TestCondemnedIsWhatANaiveModelSays(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		l, model := open(t, dsn), naive{}
		regions, digests := registry.Regions(), []string{"sha256:1", "sha256:2", ""}
		for pass := range 60 {
			o := randomObservation(random, regions, digests)
			o.At = start.Add(time.Duration(pass) * time.Minute)
			model.observe(t, o)
			after := observe(t, l, o)
			read, err := l.Condemned(t.Context())
			must(t, err)
			for _, c := range []*Condemned{after, read} {
				if c.Len() != len(model) {
					t.Fatalf("pass %d: %d tags are condemned, want %d", pass, c.Len(), len(model))
				}
				for key, want := range model {
					if since, ok := c.Since(key.id, key.digest, key.ref); !ok || !since.Equal(want) {
						t.Fatalf("pass %d: %v is condemned since %s (%t), want %s", pass, key, since, ok, want)
					}
				}
			}
		}
		checkSpans(t, l)
	})
}

// randomObservation sees some regions and images, and condemns some of the tags
// there.
func randomObservation(random *rand.Rand, regions []registry.Region, digests []string) Observation {
	unseen := map[string]bool{}
	o := Observation{Judged: func(r registry.Ref) bool {
		r.Tag = ""
		return !unseen[r.String()] && !unseen[string(r.Region)]
	}}
	for _, region := range regions {
		unseen[string(region)] = random.IntN(6) == 0
		for image := range 3 {
			ref := registry.Ref{Region: region, Namespace: "prod", Image: fmt.Sprintf("image%d", image)}
			unseen[ref.String()] = random.IntN(6) == 0
			if !o.Judged(ref) {
				continue
			}
			for n := range 6 {
				if ref.Tag = fmt.Sprintf("t%d", n); random.IntN(3) > 0 {
					o.Tags = append(o.Tags, CondemnedTag{ID: ref.String(), Digest: digests[random.IntN(20)*random.IntN(2)%3], Ref: ref.String()})
				}
			}
		}
	}
	random.Shuffle(len(o.Tags), func(i, j int) { o.Tags[i], o.Tags[j] = o.Tags[j], o.Tags[i] })
	return o
}

// checkSpans says that no two spans of one tag overlap.
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

// manyTags are condemned tags of a large registry.
func manyTags(n int) []CondemnedTag {
	tags := make([]CondemnedTag, n)
	for i := range tags {
		tags[i] = CondemnedTag{
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
		observe(t, l, Observation{At: start, Tags: tags, Judged: everything})
		rest := slices.Clone(tags[len(tags)/2:])
		c := observe(t, l, Observation{At: start.Add(time.Hour), Tags: rest, Judged: everything})
		if c.Len() != len(rest) {
			t.Errorf("%d tags are condemned, want %d", c.Len(), len(rest))
		}
		if n := query(t, l, `SELECT count(*) FROM janitor_spans`); n != int64(len(tags)) {
			t.Errorf("there are %d spans for %d tags", n, len(tags))
		}
	})
}
