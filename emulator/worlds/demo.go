package worlds

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

const day = 24 * time.Hour

// Demo is the registry of a made-up company, for demonstrations: three regions,
// nine namespaces, 40 images and 2,000 tags, the same for the same seed. With every
// seed it has a moving latest with the oldest created_at of all, digests shared
// between a pull request and a release, signatures, tags that are locked, deleting
// or broken, a public image in a private namespace, bad names, empty objects, and
// an image whose listing always fails.
func Demo(seed uint64) World {
	d := demo{rng: rand.New(rand.NewPCG(seed, 0x6a616e69746f72))}
	w := World{
		Settings:   Settings{DeleteDelay: 200 * time.Millisecond},
		Faults:     []Fault{{Method: "GET", Region: "nl-ams", Ref: "data/feature-store", Path: "/images/*/tags", Status: 500}},
		Namespaces: d.company(),
	}
	d.oddities(&w)
	return w
}

// demo makes what looks like years of builds.
type demo struct {
	rng *rand.Rand
}

// naming is how a team names the builds of its main branch.
type naming string

const (
	byNumber naming = "main-<number>"
	byCommit naming = "main-<commit>"
)

// recipe describes the history of an image.
type recipe struct {
	name       string
	visibility string
	builds     naming
	pulls      int // builds of pull requests, over the last four weeks
	mains      int // builds of the main branch, over the last seven weeks
	releases   int // over the last two years
	signed     int // how many of the newest releases have a signature and an attestation
	megabytes  int // roughly
}

// image makes an image from its recipe. where is region/namespace.
func (d *demo) image(where string, r recipe) Image {
	img := Image{Name: r.name, Visibility: r.visibility}
	path := where + "/" + r.name
	mains := d.mains(r)
	if len(mains) > 0 {
		mains[0].Digest = path + " newest build"
		img.Tags = append(img.Tags, Tag{Name: "latest", Digest: mains[0].Digest, Age: mains[0].Age, CreatedAge: 800*day + d.upTo(200*day), Size: mains[0].Size})
	}
	releases := d.releases(r)
	for i := range releases {
		releases[i].Digest = path + " " + releases[i].Name
	}
	img.Tags = append(img.Tags, mains...)
	img.Tags = append(img.Tags, d.pulls(r)...)
	img.Tags = append(img.Tags, releases...)
	for _, release := range releases[max(0, len(releases)-r.signed):] {
		img.Tags = append(img.Tags, attachment(release, ".sig"), attachment(release, ".att"))
	}
	return img
}

// mains makes builds of the main branch, newest first: several on a working day.
func (d *demo) mains(r recipe) []Tag {
	tags := make([]Tag, r.mains)
	number := 400 + d.rng.IntN(900)
	for i, age := range d.ages(r.mains, 5*time.Hour, 49*day) {
		name := "main-" + strconv.Itoa(number-i)
		if r.builds == byCommit {
			name = fmt.Sprintf("main-%07x", d.rng.Uint32()>>4)
		}
		tags[i] = Tag{Name: name, Age: age, Size: d.size(r)}
	}
	return tags
}

// pulls makes builds of pull requests, newest first, half of them older than two
// weeks.
func (d *demo) pulls(r recipe) []Tag {
	tags := make([]Tag, r.pulls)
	number := 900 + d.rng.IntN(2000)
	for i, age := range d.ages(r.pulls, 3*time.Hour, 28*day) {
		tags[i] = Tag{Name: "pr-" + strconv.Itoa(number), Age: age, Size: d.size(r)}
		number -= 1 + d.rng.IntN(4)
	}
	return tags
}

// releases makes semantic versions, oldest first: patches, a minor version now
// and then, rarely a major one with its candidates.
func (d *demo) releases(r recipe) []Tag {
	var names []string
	major, minor, patch := 1, 0, 0
	for i := 0; len(names) < r.releases; i++ {
		switch {
		case i > 0 && i%7 == 0:
			major, minor, patch = major+1, 0, 0
			names = append(names, fmt.Sprintf("v%d.0.0-rc.1", major), fmt.Sprintf("v%d.0.0-rc.2", major))
		case i > 0 && d.rng.IntN(3) == 0:
			minor, patch = minor+1, 0
		case i > 0:
			patch++
		}
		names = append(names, fmt.Sprintf("v%d.%d.%d", major, minor, patch))
	}
	names = names[:r.releases]
	ages := d.ages(r.releases, 2*day, 700*day)
	slices.Reverse(ages)
	tags := make([]Tag, r.releases)
	for i, age := range ages {
		tags[i] = Tag{Name: names[i], Age: age, Size: d.size(r)}
	}
	return tags
}

// attachment is a tag that cosign adds to another one, a minute later.
func attachment(subject Tag, suffix string) Tag {
	return Tag{Name: "sha256-{digest:" + subject.Digest + "}" + suffix, Age: subject.Age - time.Minute}
}

// ages spreads n ages between youngest and oldest, youngest first: evenly, with some
// noise that does not change their order.
func (d *demo) ages(n int, youngest, oldest time.Duration) []time.Duration {
	ages := make([]time.Duration, n)
	step := (oldest - youngest) / time.Duration(max(1, n))
	for i := range ages {
		ages[i] = (youngest + time.Duration(i)*step + d.upTo(step*3/4)).Truncate(time.Second)
	}
	return ages
}

func (d *demo) upTo(limit time.Duration) time.Duration {
	return time.Duration(d.rng.Int64N(int64(limit))).Truncate(time.Second)
}

// size varies by a fifth.
func (d *demo) size(r recipe) Size {
	mb := float64(r.megabytes) * (0.9 + d.rng.Float64()/5)
	return Size(mb*1000) * 1000
}
