//go:build unix

package policy

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/policy/internal/facts"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// sample is what the documented configuration decides about images.
const sample = `
timezone: Europe/Paris
retention:
  - name: pull request builds
    match: {images: ["**"], tags: ["pr-*"]}
    by: updated_at
    count: digests
    delete: {older_than: 14d, older_than_seconds: 1209600}
    enforce: true
  - name: branch builds
    match: {tags: ["main-*"]}
    by: updated_at
    count: digests
    keep: {last: 10, within: 30d, within_seconds: 2592000, all: false, hourly: 0, daily: 7, weekly: 4, monthly: 12, yearly: 3}
    delete: {older_than: 24h, older_than_seconds: 86400}
    enforce: true
  - name: releases
    match: {semver: "*"}
    by: updated_at
    count: digests
    keep: {all: true, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0}
    enforce: true
  - name: trial
    match: {tags: ["exp-*"]}
    by: updated_at
    count: digests
    delete: {older_than: 7d, older_than_seconds: 604800}
    enforce: false
empty:
  images: {older_than: 7d, older_than_seconds: 604800}
  namespaces: {older_than: 30d, older_than_seconds: 2592000}
visibility:
  - {name: only oss is public, subject: image, match: {namespaces: ["*"]}, except: {namespaces: ["oss"]}, require: private, fix: true}
naming:
  - {name: kebab case, subject: image, pattern: '[a-z0-9]+(-[a-z0-9]+)*', severity: deny}
protect: {tags: [latest], digests: [], serverless: false}
attachments: {orphans: keep}
`

// tenRules are ten retention rules with a regular expression each, several of
// which take the same tags.
func tenRules() string {
	text := "timezone: Europe/Paris\nretention:\n"
	for i, pattern := range []string{
		"pr-[0-9]+", "pr-[0-9]*[02468]", "main-[0-9]{7}", "main-0[0-9]+", "(main|master|develop)-.*",
		"v?[0-9]+\\\\.[0-9]+\\\\.[0-9]+", "(pr|mr)-[0-9]*[13579]", "[a-z]+-[0-9]+", "exp-.*", "(?i)release-.*",
	} {
		keeps := "last: 10, within: 30d, within_seconds: 2592000, daily: 7, weekly: 4"
		if i%2 == 0 {
			keeps = "last: 3"
		}
		text += fmt.Sprintf("  - {name: rule %d, match: {tags_regex: \"%s\"}, count: digests, keep: {%s}, delete: {older_than: 14d, older_than_seconds: 1209600}}\n", i, pattern, keeps)
	}
	return text
}

// mixed is an image of n tags, newest first: pull-request builds, branch builds,
// releases, one every two hours. With expired, most of them are marked for deletion;
// without, none is.
func mixed(n int, expired bool) *registry.Image {
	tags := make([]registry.Tag, 0, n)
	for i := range n {
		age := time.Duration(i) * 2 * time.Hour
		if expired {
			age += 60 * days
		} else {
			age = time.Duration(i) * time.Second
		}
		switch name := ""; i % 10 {
		case 9:
			name = fmt.Sprintf("v1.%d.%d", i/100, i%100)
			tags = append(tags, aTag(name, age))
		case 5, 6, 7, 8:
			tags = append(tags, aTag(fmt.Sprintf("main-%07d", i), age))
		default:
			tags = append(tags, aTag(fmt.Sprintf("pr-%d", i), age))
		}
	}
	return anImage(tags...)
}

func images(count, tags int, expired bool) []*registry.Image {
	out := make([]*registry.Image, count)
	for i := range out {
		out[i] = mixed(tags, expired)
	}
	return out
}

// Most tags of every image are marked for deletion.
func BenchmarkMarked(b *testing.B) {
	e := newEngine(b, sample)
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) { judgeImages(b, e, images(1, n, true)) })
	}
}

// Three images in a hundred have candidates.
func BenchmarkSteady(b *testing.B) {
	e := newEngine(b, sample)
	for _, n := range []int{18, 100, 1000} {
		all := append(images(97, n, false), images(3, n, true)...)
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) { judgeImages(b, e, all) })
	}
}

func BenchmarkTenRules(b *testing.B) {
	e := newEngine(b, tenRules())
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) { judgeImages(b, e, images(1, n, true)) })
	}
}

// The same ten tags, in one image and in ten.
func BenchmarkTenTags(b *testing.B) {
	e := newEngine(b, sample)
	one := mixed(10, true)
	var ten []*registry.Image
	for _, t := range one.Tags {
		ten = append(ten, anImage(t))
	}
	b.Run("images=1", func(b *testing.B) { judgeImages(b, e, []*registry.Image{one}) })
	b.Run("images=10", func(b *testing.B) { judgeImages(b, e, ten) })
}

// All tags share one digest.
func BenchmarkOneDigest(b *testing.B) {
	e := newEngine(b, sample, header+"keep contains tag.name if {\n\tsome tag in input.tags\n\tcount(tag.shares_digest_with) == 1\n}")
	for _, n := range []int{100, 1000, 10000} {
		img := mixed(n, true)
		for i := range img.Tags {
			img.Tags[i].Digest = "sha256:one"
		}
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) { judgeImages(b, e, []*registry.Image{img}) })
	}
}

// An own policy needs the whole input document.
func BenchmarkOwnPolicy(b *testing.B) {
	e := newEngine(b, sample, header+"delete contains tag.name if {\n\tsome tag in input.tags\n\tstartswith(tag.name, \"pr-\")\n\ttag.age_days > 14\n}")
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) { judgeImages(b, e, images(1, n, true)) })
	}
}

// The floor: the same facts and decisions in plain Go.
func BenchmarkFloor(b *testing.B) {
	for name, config := range map[string]string{"sample": sample, "ten rules": tenRules()} {
		set := newEngine(b, config).rules
		for _, n := range []int{1, 10, 100, 1000, 10000} {
			img := mixed(n, true)
			b.Run(fmt.Sprintf("%s/tags=%d", name, n), func(b *testing.B) {
				measure(b, n, func() { floor(set, img) })
			})
		}
	}
}

func judgeImages(b *testing.B, e *Engine, images []*registry.Image) {
	j, tags := e.At(now, WhatCounts), 0
	for _, img := range images {
		tags += len(img.Tags)
	}
	measure(b, tags, func() {
		for _, img := range images {
			v, err := j.Image(context.Background(), img)
			if err != nil || v.Err != nil {
				b.Fatal(err, v.Err)
			}
		}
	})
}

// measure reports wall and CPU time for each tag. CPU time is that of the whole
// process, garbage collection included.
func measure(b *testing.B, tags int, f func()) {
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		f()
	}
	count := float64(b.N) * float64(tags)
	b.ReportMetric(float64(cpuTime(b)-before)/count/1e3, "cpu-µs/tag")
	b.ReportMetric(float64(b.Elapsed())/count/1e3, "µs/tag")
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// floor decides what the sample and the ten rules ask for, without Rego.
func floor(set *facts.Rules, img *registry.Image) (marked []string) {
	del, kept := make([]bool, len(img.Tags)), make([]bool, len(img.Tags))
	for i := range img.Tags {
		kept[i] = rules.MatchesAny(set.Protect.Tags, img.Tags[i].Name) && len(set.Protect.Tags) > 0
	}
	for i := range set.Retention {
		r := &set.Retention[i]
		matched := floorMatched(r, img)
		if r.Delete != nil {
			for _, i := range matched {
				del[i] = del[i] || now.Sub(img.Tags[i].Changed()) >= r.Delete.OlderThan.Duration()
			}
		}
		if r.Keep != nil {
			floorKeep(set, r.Keep, img.Tags, matched, kept)
		}
	}
	for i := range img.Tags {
		if del[i] && !kept[i] {
			marked = append(marked, img.Tags[i].Name)
		}
	}
	return marked
}

// floorMatched are the positions of the tags that a rule matches, the newest first.
func floorMatched(r *rules.Retention, img *registry.Image) (matched []int) {
	selector, err := rules.NewSelector(r.Match, r.Except)
	if err != nil {
		panic(err)
	}
	tags, ok := selector.Tags(img)
	for i := range img.Tags {
		t := &img.Tags[i]
		if ok && tags.Matches(t.Name, rules.ParseVersion(t.Name), int(max(0, now.Sub(t.Changed()))/time.Second)) {
			matched = append(matched, i)
		}
	}
	return matched
}

func floorKeep(set *facts.Rules, k *rules.Keep, tags []registry.Tag, matched []int, kept []bool) {
	zone, err := time.LoadLocation(set.Timezone)
	if err != nil {
		panic(err)
	}
	digests := map[string]bool{}
	seen := [4]map[[3]int]bool{{}, {}, {}, {}}
	for _, i := range matched {
		t := &tags[i]
		keep := k.All || now.Sub(t.Changed()) < k.Within.Duration()
		if t.Status == registry.StatusReady && registry.AttachmentSubject(t.Name, t.Digest) == "" {
			keep = keep || digests[t.Digest] || len(digests) < k.Last
			digests[t.Digest] = true
			local := t.Changed().In(zone)
			year, week := local.ISOWeek()
			periods := [4][3]int{{local.Year(), local.YearDay()}, {year, week}, {local.Year(), int(local.Month())}, {local.Year()}}
			for unit, limit := range []int{k.Daily, k.Weekly, k.Monthly, k.Yearly} {
				if p := periods[unit]; limit > 0 && !seen[unit][p] {
					keep = keep || len(seen[unit]) < limit
					seen[unit][p] = true
				}
			}
		}
		kept[i] = kept[i] || keep
	}
}

// The floor is one only if it decides what the library does.
func TestTheFloorDecidesTheSame(t *testing.T) {
	for name, config := range map[string]string{"sample": sample, "ten rules": tenRules()} {
		e := newEngine(t, config)
		for _, expired := range []bool{true, false} {
			img := mixed(500, expired)
			want := markedBy(t, e, now, img)
			got := append([]string{}, floor(e.rules, img)...)
			slices.Sort(got)
			if expired != (len(want) > 300) {
				t.Errorf("%s: %d of 500 tags are marked", name, len(want))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-library +floor):\n%s", name, diff)
			}
		}
	}
}

// What an index of 50,000 uses adds, where every other image has some.
func BenchmarkInUse(b *testing.B) {
	e := newEngine(b, sample)
	all := append(images(97, 50, false), images(3, 50, true)...)
	var uses []registry.Use
	for i, img := range all {
		copied := *img
		copied.Name = fmt.Sprintf("svc-%d", i)
		all[i] = &copied
	}
	for i := range 20_000 {
		for k := range 2 + i%2 {
			ref := registry.Ref{Region: all[0].Namespace.Region, Namespace: all[0].Namespace.Name, Image: fmt.Sprintf("svc-%d", i), Tag: fmt.Sprintf("pr-%d", k)}
			uses = append(uses, registry.Use{Ref: ref, By: "serverless container shop/api (fr-par)"})
		}
	}
	index := registry.NewUseIndex(uses)
	// Turn by turn, so that what else the machine does hits both alike.
	judges := [2]*Judge{e.At(now, WhatCounts), e.At(now, WhatCounts).WithUses(index)}
	var spent [2]time.Duration
	for b.Loop() {
		for side, j := range judges {
			before := cpuTime(b)
			for _, img := range all {
				if _, err := j.Image(b.Context(), img); err != nil {
					b.Fatal(err)
				}
			}
			spent[side] += cpuTime(b) - before
		}
	}
	b.ReportMetric(float64(spent[0].Nanoseconds())/float64(b.N)/5000, "ns/tag")
	b.ReportMetric(100*(float64(spent[1])/float64(spent[0])-1), "%more")
}
