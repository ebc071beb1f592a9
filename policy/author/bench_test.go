//go:build unix

package author

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what the process used: other programs of the machine must not count.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestBenchTellsLinearFromQuadratic(t *testing.T) {
	for name, row := range map[string]struct {
		rule   string
		linear bool
	}{
		"a set":             {"warn contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 14\n}", true},
		"contents":          {"warn contains tag.name if {\n\tsome tag in input.tags\n\ttag.content.built_days > 14\n}", true},
		"in a set":          {"old contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 14\n}\n\nwarn contains tag.name if {\n\tsome tag in input.tags\n\ttag.name in old\n}", true},
		"counting siblings": {"warn contains tag.name if {\n\tsome tag in input.tags\n\tcount([1 | some u in input.tags; u.age_seconds < tag.age_seconds]) < 0\n}", false},
		"a lookup":          {"old contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 14\n}\n\nwarn contains tag.name if {\n\tsome tag in input.tags\n\tnot old[tag.name]\n}", false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, files(t, map[string]string{"p.rego": header + row.rule}))
			b, err := Bench(t.Context(), e, BenchOptions{Clock: cpuTime, Sizes: []int{20, 100}, Growth: 1.5, Enough: 20 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if b.Linear() != row.linear {
				t.Errorf("growth %.1f of %.1f: %+v", b.Growth, b.Limit, b.Sizes)
			}
			if !row.linear && (len(b.Culprits) != 1 || b.Culprits[0] != "janitor.image.own") {
				t.Errorf("the culprits are %v", b.Culprits)
			}
			if len(b.Sizes) != 2 || b.Sizes[0].Tags != 20 || b.Sizes[0].PerTag <= 0 || len(b.Sizes[0].Packages) != 2 { // its own, and what keeps archives
				t.Errorf("got %+v", b.Sizes)
			}
		})
	}
}

// One measurement that noise made longer does not fail a policy.
func TestBenchMeasuresAgainBeforeItFails(t *testing.T) {
	e := newEngine(t, files(t, map[string]string{"p.rego": header + "warn contains \"x\" if input.image.name == \"x\""}))
	ticks, calls := time.Duration(0), 0
	clock := func() time.Duration {
		calls++
		step := time.Millisecond
		if calls > 12 && calls <= 16 { // the second size, the first time
			step = time.Minute
		}
		ticks += step
		return ticks
	}
	b, err := Bench(t.Context(), e, BenchOptions{Clock: clock, Sizes: []int{2000, 4000}, Enough: 3 * time.Millisecond})
	if err != nil || !b.Linear() {
		t.Errorf("growth %.1f, %v after %d looks at the clock", b.Growth, err, calls)
	}
	if calls < 40 {
		t.Errorf("it was measured once only: %d looks at the clock", calls)
	}
}

func TestBenchNamesThePolicyThatFails(t *testing.T) {
	e := newEngine(t, files(t, map[string]string{"p.rego": header + "warn contains tag.name if {\n\tsome tag in input.tags\n\tto_number(tag.name) > 3\n}"}))
	_, err := Bench(t.Context(), e, BenchOptions{Clock: cpuTime, Sizes: []int{10}})
	if err == nil || !strings.Contains(err.Error(), "judging an image of 10 tags: policy janitor.image.own: ") {
		t.Errorf("got %v", err)
	}
}

func TestTheSampleImageIsAsScannedOnesAre(t *testing.T) {
	img := sampleImage(1000)
	names, digests := map[string]bool{}, map[string]bool{}
	for i, tag := range img.Tags {
		if i > 0 && tag.UpdatedAt.After(img.Tags[i-1].UpdatedAt) {
			t.Fatal("tags come newest first")
		}
		names[tag.Name], digests[tag.Digest] = true, true
	}
	if len(names) != 1000 || len(digests) != 900 {
		t.Errorf("%d names, %d digests", len(names), len(digests))
	}
}
