package author

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
)

// BenchOptions configure how to measure.
type BenchOptions struct {
	// Clock returns the CPU time that the process has used: other programs on the
	// machine must not count. Required.
	Clock func() time.Duration
	// Sizes are the numbers of tags, ascending; nil is 100, 1,000 and 10,000.
	Sizes []int
	// Growth is how many times more a tag of the largest image may cost than one of
	// the smallest; 0 means 2.5. Linear cost is 1.
	Growth float64
	// Enough is the minimum time to measure one size; 0 means 300 ms.
	Enough time.Duration
}

// Measurement is the cost of one size.
type Measurement struct {
	Tags int `json:"tags"`
	// PerTag is the least CPU time that judging took, divided by the tags.
	PerTag time.Duration `json:"ns_per_tag"`
	// Packages is the same for each package alone, the most expensive first.
	Packages []PackageCost `json:"packages"`
}

// PackageCost is the cost of one package.
type PackageCost struct {
	Package string        `json:"package"`
	PerTag  time.Duration `json:"ns_per_tag"`
}

// Benchmark is the cost of a policy set.
type Benchmark struct {
	Sizes []Measurement `json:"sizes"`
	// Growth is the cost of a tag of the largest image, divided by that of one of the
	// smallest.
	Growth float64 `json:"growth"`
	// Limit is the allowed growth.
	Limit float64 `json:"limit"`
	// Culprits are the packages that grow beyond the limit.
	Culprits []string `json:"culprits"`
}

// Linear reports whether the cost grows with the number of tags, and not with
// its square.
func (b *Benchmark) Linear() bool { return b.Growth <= b.Limit }

// attempts is how often growth beyond the limit is measured again: noise only makes
// a measurement longer.
const attempts = 3

// Bench measures what judging images of several sizes costs. If a policy fails or
// exceeds its limits, it returns the error and what it measured before.
func Bench(ctx context.Context, e *policy.Engine, o BenchOptions) (*Benchmark, error) {
	if o.Sizes == nil {
		o.Sizes = []int{100, 1000, 10000}
	}
	o.Growth = cmp.Or(o.Growth, 2.5)
	o.Enough = cmp.Or(o.Enough, 300*time.Millisecond)
	b := &Benchmark{Limit: o.Growth, Culprits: []string{}}
	judge := e.At(benchTime, policy.Everything)
	for _, n := range o.Sizes {
		m, err := measure(ctx, judge, sampleFor(e, n), o)
		if err != nil {
			return b, fmt.Errorf("judging an image of %d tags: %w", n, err)
		}
		b.Sizes = append(b.Sizes, m)
	}
	for try := 0; ; try++ {
		b.compare()
		if b.Linear() || try == attempts || try > 0 && b.Growth > 2*b.Limit { // beyond all noise
			return b, nil
		}
		for _, i := range []int{0, len(b.Sizes) - 1} {
			m, err := measure(ctx, judge, sampleFor(e, b.Sizes[i].Tags), o)
			if err != nil {
				return b, fmt.Errorf("judging an image of %d tags: %w", b.Sizes[i].Tags, err)
			}
			b.Sizes[i].least(m)
		}
	}
}

// compare computes the growth, and which packages cause it.
func (b *Benchmark) compare() {
	first, last := b.Sizes[0], b.Sizes[len(b.Sizes)-1]
	b.Growth = growth(first.PerTag, last.PerTag)
	b.Culprits = []string{}
	for _, p := range last.Packages {
		i := slices.IndexFunc(first.Packages, func(f PackageCost) bool { return f.Package == p.Package })
		if i >= 0 && growth(first.Packages[i].PerTag, p.PerTag) > b.Limit {
			b.Culprits = append(b.Culprits, p.Package)
		}
	}
}

// growth treats very small costs as negligible: they grow by caches and garbage
// collection, not by the policy. A policy that reads every tag for every tag costs
// far more in a large image.
func growth(from, to time.Duration) float64 {
	return float64(max(to, negligible)) / float64(max(from, negligible))
}

// negligible is a cost of a tag that is of no concern.
const negligible = 10 * time.Microsecond

// least replaces what is lower in another measurement of the same size.
func (m *Measurement) least(other Measurement) {
	m.PerTag = min(m.PerTag, other.PerTag)
	for i := range m.Packages {
		for _, p := range other.Packages {
			if p.Package == m.Packages[i].Package {
				m.Packages[i].PerTag = min(m.Packages[i].PerTag, p.PerTag)
			}
		}
	}
}

// measure times one image: the whole set, and each package alone.
func measure(ctx context.Context, judge *policy.Judge, img *registry.Image, o BenchOptions) (Measurement, error) {
	tags := len(img.Tags)
	m := Measurement{Tags: tags, Packages: []PackageCost{}}
	var err error
	m.PerTag, err = fastest(o, tags, func() error {
		v, err := judge.Image(ctx, img)
		return errors.Join(err, v.Err)
	})
	if err != nil {
		return m, err
	}
	costs := map[string]time.Duration{}
	for _, part := range judge.Parts(img) {
		cost, err := fastest(o, tags, func() error { return part.Eval(ctx) })
		if err != nil {
			return m, err
		}
		costs[part.Package] += cost
	}
	for name, cost := range costs {
		m.Packages = append(m.Packages, PackageCost{name, cost})
	}
	slices.SortFunc(m.Packages, func(a, b PackageCost) int {
		return cmp.Or(cmp.Compare(b.PerTag, a.PerTag), cmp.Compare(a.Package, b.Package))
	})
	return m, nil
}

// fastest runs at least three times and for long enough, and returns the lowest
// time per tag. Small images run in batches, since the CPU clock is coarse.
func fastest(o BenchOptions, tags int, run func() error) (time.Duration, error) {
	batch := max(1, 500/max(tags, 1))
	var best, total time.Duration
	for n := 0; n < 3 || total < o.Enough; n++ {
		start := o.Clock()
		for range batch {
			if err := run(); err != nil {
				return 0, err
			}
		}
		took := o.Clock() - start
		total += max(took, time.Millisecond) // so that it ends even if the clock stands still
		if n == 0 || took < best {
			best = took
		}
		if took > time.Second {
			break // slow enough to be accurate
		}
	}
	return best / time.Duration(batch*max(tags, 1)), nil
}

// benchTime is the time of the scan in benchmarks.
var benchTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// sampleImage is a typical image of n tags: builds of pull requests and branches,
// releases and their candidates, some of which share a digest, over two years.
func sampleImage(n int) *registry.Image {
	ns := &registry.Namespace{ID: "ns", Name: "prod", Region: "fr-par", Status: registry.StatusReady, ImageCount: 1, CreatedAt: benchTime.AddDate(-2, 0, 0), UpdatedAt: benchTime}
	img := &registry.Image{Namespace: ns, ID: "img", Name: "api", Status: registry.StatusReady, Visibility: registry.Inherit, SizeBytes: uint64(n) << 20, CreatedAt: ns.CreatedAt, UpdatedAt: benchTime} //nolint:gosec // G115: n counts tags
	step := 2 * 365 * 24 * time.Hour / time.Duration(max(n, 1))
	for i := range n {
		name, digest := fmt.Sprintf("pr-%d", n-i), i
		switch i % 10 {
		case 4, 5, 6:
			name = fmt.Sprintf("main-%07d", n-i)
		case 7:
			name, digest = fmt.Sprintf("main-%07d", n-i), i-1
		case 8:
			name = fmt.Sprintf("v1.%d.%d-rc.1", (n-i)/100, (n-i)%100)
		case 9:
			name = fmt.Sprintf("v1.%d.%d", (n-i)/100, (n-i)%100)
		}
		at := benchTime.Add(-time.Duration(i) * step)
		img.Tags = append(img.Tags, registry.Tag{
			ID: fmt.Sprintf("id-%d", i), Name: name, Digest: fmt.Sprintf("sha256:%064x", digest),
			Status: registry.StatusReady, CreatedAt: at, UpdatedAt: at,
		})
	}
	return img
}

// sampleFor is the sample with what is inside the tags, if the policies read that.
func sampleFor(e *policy.Engine, n int) *registry.Image {
	img := sampleImage(n)
	if e.ReadsContent() {
		img.Contents = sampleContents(img)
	}
	return img
}

// sampleContents are those of a typical image: each is for one platform, with the labels
// that build tools set.
func sampleContents(img *registry.Image) map[string]*registry.Content {
	contents := map[string]*registry.Content{}
	for i := range img.Tags {
		t := &img.Tags[i]
		contents[t.Digest] = &registry.Content{
			Kind: registry.ContentImage, MediaType: "application/vnd.oci.image.manifest.v1+json", Platforms: []string{"linux/amd64"}, BuiltAt: t.UpdatedAt, SizeBytes: 80 << 20,
			Labels: map[string]string{
				"org.opencontainers.image.source":   "https://github.com/example/api",
				"org.opencontainers.image.revision": t.Digest,
				"org.opencontainers.image.version":  t.Name,
			},
		}
	}
	return contents
}
