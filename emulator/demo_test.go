package emulator_test

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

func TestTheDemoIsTheSameEveryTime(t *testing.T) {
	if diff := cmp.Diff(worlds.Demo(1), worlds.Demo(1)); diff != "" {
		t.Errorf("two demos of one seed differ:\n%s", diff)
	}
	if reflect.DeepEqual(worlds.Demo(1), worlds.Demo(2)) {
		t.Error("two seeds give the same demo")
	}
}

func TestTheDemoIsARealisticCompany(t *testing.T) {
	for seed := range uint64(50) {
		w := worlds.Demo(seed)
		if _, err := emulator.New(emulator.Options{World: w}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		regions, images, tags := map[string]bool{}, 0, 0
		for _, ns := range w.Namespaces {
			regions[ns.Region] = true
			images += len(ns.Images)
			for _, image := range ns.Images {
				tags += len(image.Tags)
			}
		}
		if len(regions) != 3 || len(w.Namespaces) != 9 || images != 40 || tags != 2000 {
			t.Errorf("seed %d: %d regions, %d namespaces, %d images, %d tags", seed, len(regions), len(w.Namespaces), images, tags)
		}
		if w.Settings.Latency != 0 {
			t.Error("the demo must not wait")
		}
	}
}

// demoTag is a tag of the demo with where it is.
type demoTag struct {
	worlds.Tag
	path string // region/namespace/image
}

func demoTags(w worlds.World, name string) []demoTag {
	match := regexp.MustCompile("^(" + name + ")$")
	var found []demoTag
	for _, ns := range w.Namespaces {
		for _, image := range ns.Images {
			for _, tag := range image.Tags {
				if match.MatchString(tag.Name) {
					found = append(found, demoTag{tag, ns.Region + "/" + ns.Name + "/" + image.Name})
				}
			}
		}
	}
	return found
}

func TestTheDemoHasEveryOddity(t *testing.T) {
	for seed := range uint64(8) {
		w := worlds.Demo(seed)
		pulls, mains, releases := demoTags(w, `pr-\d+`), demoTags(w, `main-.*`), demoTags(w, `v\d+\.\d+\.\d+`)
		older := func(tags []demoTag, age time.Duration) (n int) {
			for _, tag := range tags {
				if tag.Age > age {
					n++
				}
			}
			return n
		}
		if old := older(pulls, 14*day); old < len(pulls)/3 || old > 2*len(pulls)/3 {
			t.Errorf("seed %d: %d of %d pull requests are older than two weeks", seed, old, len(pulls))
		}
		if old := older(mains, 30*day); old < 100 || older(mains, day) == len(mains) {
			t.Errorf("seed %d: %d of %d builds are older than 30 days", seed, old, len(mains))
		}
		for name, list := range map[string][]demoTag{
			"releases": releases, "candidates": demoTags(w, `v\d+\.0\.0-rc\.\d`), "second major versions": demoTags(w, `v2\..*`),
			"trials": demoTags(w, "exp-.*"), "bad names": demoTags(w, "final-FINAL2"),
			"signatures": demoTags(w, `sha256-.*\.sig`), "attestations": demoTags(w, `sha256-.*\.att`),
		} {
			if len(list) == 0 {
				t.Errorf("seed %d: there are no %s", seed, name)
			}
		}
		for _, status := range []string{"locked", "deleting", "error"} {
			if !slices.ContainsFunc(pulls, func(t demoTag) bool { return t.Status == status && t.Age > 14*day }) {
				t.Errorf("seed %d: no old pull request is %s", seed, status)
			}
		}
		if !slices.ContainsFunc(pulls, func(t demoTag) bool { return t.Age < 0 }) {
			t.Errorf("seed %d: nothing is from the future", seed)
		}
		checkLatest(t, w)
		checkDigests(t, w, pulls, releases)
		checkOddities(t, w)
	}
}

func checkLatest(t *testing.T, w worlds.World) {
	t.Helper()
	all := demoTags(w, "latest")
	if len(all) < 30 {
		t.Errorf("only %d images have a latest", len(all))
	}
	for _, latest := range all {
		newest := time.Duration(math.MaxInt64)
		digest := ""
		for _, tag := range demoTags(w, ".*") {
			if tag.path != latest.path || tag.Name == "latest" {
				continue
			}
			if max(tag.Age, tag.CreatedAge) >= latest.CreatedAge {
				t.Errorf("%s: %s is older than latest", latest.path, tag.Name)
			}
			if strings.HasPrefix(tag.Name, "main-") && tag.Age < newest {
				newest, digest = tag.Age, tag.Digest
			}
		}
		if latest.Digest == "" || latest.Digest != digest || latest.Age != newest {
			t.Errorf("%s: latest is %q of %v, the newest build is %q of %v", latest.path, latest.Digest, latest.Age, digest, newest)
		}
	}
}

func checkDigests(t *testing.T, w worlds.World, pulls, releases []demoTag) {
	t.Helper()
	digests := map[string]bool{}
	for _, tag := range demoTags(w, ".*") {
		digests[tag.path+"@sha256-{digest:"+tag.Digest+"}"] = tag.Digest != ""
	}
	signedPulls := 0
	for _, a := range demoTags(w, `sha256-.*`) {
		subject := a.path + "@" + strings.TrimSuffix(strings.TrimSuffix(a.Name, ".sig"), ".att")
		if !digests[subject] {
			t.Errorf("%s: %s is attached to nothing", a.path, a.Name)
		}
		if a.path == "fr-par/ci/runner" {
			signedPulls++
		}
	}
	if signedPulls == 0 {
		t.Error("no pull request is signed")
	}
	shared := false
	for _, pull := range pulls {
		for _, release := range releases {
			shared = shared || pull.path == release.path && pull.Digest != "" && pull.Digest == release.Digest && pull.Age > 14*day
		}
	}
	if !shared {
		t.Error("no pull request shares its digest with a release")
	}
}

func checkOddities(t *testing.T, w worlds.World) {
	t.Helper()
	var found []string
	for _, ns := range w.Namespaces {
		switch {
		case len(ns.Images) == 0 && ns.Age > 30*day:
			found = append(found, "an old empty namespace")
		case strings.HasPrefix(ns.Name, "funcscw"):
			found = append(found, "a namespace of the platform")
		case ns.IsPublic:
			found = append(found, "public "+ns.Name)
		}
		for _, image := range ns.Images {
			if len(image.Tags) == 0 {
				found = append(found, "an empty image")
			}
			if image.Status == "locked" {
				found = append(found, "a locked image")
			}
			if image.Visibility == "public" && !ns.IsPublic {
				found = append(found, "a public image in a private namespace")
			}
			if image.Name == "legacy_api" {
				found = append(found, "an image with a bad name")
			}
		}
	}
	slices.Sort(found)
	want := []string{"a locked image", "a namespace of the platform", "a public image in a private namespace", "an empty image",
		"an image with a bad name", "an old empty namespace", "public oss", "public sandbox"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("oddities (-want +got):\n%s", diff)
	}
}

// TestTheDemoStaysWithinTheDefaultLimits counts what its rules would mark: at most
// half of the tags of any namespace, which is the default limit.
func TestTheDemoStaysWithinTheDefaultLimits(t *testing.T) {
	for seed := range uint64(50) {
		for _, ns := range worlds.Demo(seed).Namespaces {
			tags, marked := 0, 0
			for _, image := range ns.Images {
				tags += len(image.Tags)
				newer := 0
				byAge := slices.SortedFunc(slices.Values(image.Tags), func(a, b worlds.Tag) int { return int(a.Age - b.Age) })
				for _, tag := range byAge {
					switch {
					case strings.HasPrefix(tag.Name, "pr-") && tag.Age > 14*day:
						marked++
					case strings.HasPrefix(tag.Name, "main-"):
						if newer++; newer > 10 && tag.Age > 30*day {
							marked++
						}
					}
				}
			}
			if tags >= 20 && 100*marked > 45*tags {
				t.Errorf("seed %d: %d of %d tags of %s/%s are marked", seed, marked, tags, ns.Region, ns.Name)
			}
		}
	}
}

func TestTheListingOfOneImageOfTheDemoAlwaysFails(t *testing.T) {
	b := serveWorld(t, worlds.Demo(1))
	broken, fine := 0, 0
	for _, region := range []scw.Region{"fr-par", "nl-ams", "pl-waw"} {
		for page := int32(1); page == 1; page++ {
			images, err := b.api.ListImages(&sdk.ListImagesRequest{Region: region, Page: &page, PageSize: new(uint32(100))})
			if err != nil {
				t.Fatal(err)
			}
			for _, image := range images.Images {
				for range 3 {
					if _, err := b.api.ListTags(&sdk.ListTagsRequest{Region: region, ImageID: image.ID}); err != nil {
						broken++
						if image.Name != "feature-store" {
							t.Errorf("%s/%s: %v", region, image.Name, err)
						}
					} else {
						fine++
					}
				}
			}
		}
	}
	if broken != 3 || fine != 3*39 {
		t.Errorf("%d listings failed and %d did not, want 3 and %d", broken, fine, 3*39)
	}
}
