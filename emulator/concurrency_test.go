package emulator_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/emulator"
)

func TestManyClientsAtOnce(t *testing.T) {
	b := serve(t, `
settings: {delete_delay: 1s, shared_digest: cascade}
faults: [{method: GET, every: 17, status: 500}, {ref: "prod/svc-3", every: 5, kind: short_page}, {slow_delete: 2s, every: 7}, {stale: 1s, every: 11}]
namespaces: [{name: prod, images: [{name: "svc-{n}", count: 10, tags: [{name: "pr-{n}", count: 60, age: 1d, step: 1h}, {name: same, digest: D}, {name: twin, digest: D}]}]}]`)
	images := func(n int) string { return fmt.Sprintf("svc-%d", n%10+1) }
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(worker), 1))
			for range 60 {
				image, tag := images(rng.IntN(10)), fmt.Sprintf("pr-%d", 1+rng.IntN(70))
				var err error
				switch rng.IntN(7) {
				case 0:
					_, err = b.try("DELETE", "/tags/"+tagID(image, tag), "")
				case 1:
					err = b.Push("fr-par", "prod", image, tag, "digest-"+tag)
				case 2:
					_, err = b.try("PATCH", "/images/"+emulator.ImageID("fr-par", "prod", image), `{"visibility":"public"}`)
				case 3:
					_, err = b.try("GET", "/images?page_size=100&order_by=name_desc", "")
				case 4:
					b.clock.pass(100 * time.Millisecond)
					b.Requests()
				case 5:
					_, err = b.try("DELETE", "/tags/"+tagID(image, "same"), "")
				default:
					_, err = b.try("GET", "/images/"+emulator.ImageID("fr-par", "prod", image)+"/tags?order_by=name_asc", "")
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.clock.pass(time.Hour)
	checkSums(t, b)
}

// TestTheSumsAlwaysAgree makes random calls in random order, and checks after each
// one that sizes and counts match the listings.
func TestTheSumsAlwaysAgree(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		settings := fmt.Sprintf("delete_delay: 3s, shared_digest: %s, empty_images: %s",
			[]string{"reject", "untag", "cascade"}[rng.IntN(3)], []string{"keep", "remove"}[rng.IntN(2)])
		b := serve(t, prod(settings, `{name: a, digest: A}, {name: b, digest: A}, {name: c, digest: B}, {name: d, digest: C, status: deleting}, {name: e, digest: D, status: locked}`))
		for step := range 60 {
			image := []string{"api", "web"}[rng.IntN(2)]
			tag := string(rune('a' + rng.IntN(6)))
			switch rng.IntN(8) {
			case 0, 1, 2:
				b.send("DELETE", "/tags/"+tagID(image, tag)+[]string{"", "?force=true"}[rng.IntN(2)], "")
			case 3, 4, 5:
				_ = b.Push("fr-par", "prod", image, tag, string(rune('A'+rng.IntN(4)))) // refused while the image is being deleted
			case 6:
				b.clock.pass(time.Second)
			case 7:
				if rng.IntN(4) == 0 {
					b.send("DELETE", "/images/"+emulator.ImageID("fr-par", "prod", image), "")
				}
			}
			checkSums(t, b)
			if t.Failed() {
				t.Fatalf("seed %d, step %d, %s", seed, step, settings)
			}
		}
	}
}

// checkSums reads everything from namespace prod.
func checkSums(t *testing.T, b *bench) {
	t.Helper()
	var images sdk.ListImagesResponse
	for status := 0; status != http.StatusOK; {
		got := b.send("GET", "/images?page_size=100", "")
		if status = got.status; status == http.StatusOK {
			if err := json.Unmarshal([]byte(got.body), &images); err != nil {
				t.Fatal(err)
			}
		}
	}
	var sum scw.Size
	sizes := b.Sizes()
	for _, image := range images.Images {
		sum += image.Size
		var tags sdk.ListTagsResponse
		got := b.send("GET", "/images/"+image.ID+"/tags?page_size=100", "")
		for got.status != http.StatusOK || strings.Count(got.body, `"digest"`) != len(image.Tags) { // a fault
			got = b.send("GET", "/images/"+image.ID+"/tags?page_size=100", "")
		}
		if err := json.Unmarshal([]byte(got.body), &tags); err != nil {
			t.Fatal(err)
		}
		live := map[string]bool{}
		for _, tag := range tags.Tags {
			if tag.Status != "deleting" {
				live[tag.Digest] = true
			}
		}
		if int(tags.TotalCount) != len(image.Tags) || (image.Size > 0) != (len(live) > 0) {
			t.Errorf("%s: %d tags, %d inline, %d bytes, %d live digests", image.Name, tags.TotalCount, len(image.Tags), image.Size, len(live))
		}
		var want scw.Size
		for digest := range live {
			want += scw.Size(sizes[digest])
		}
		if image.Size != want {
			t.Errorf("%s: %d bytes, want %d for %d digests", image.Name, image.Size, want, len(live))
		}
	}
	var ns sdk.Namespace
	for status := 0; status != http.StatusOK; {
		got := b.send("GET", "/namespaces/"+emulator.NamespaceID("fr-par", "prod"), "")
		if status = got.status; status == http.StatusOK {
			if err := json.Unmarshal([]byte(got.body), &ns); err != nil {
				t.Fatal(err)
			}
		}
	}
	if ns.Size != sum || ns.ImageCount != images.TotalCount {
		t.Errorf("namespace: %d bytes in %d images, want %d in %d", ns.Size, ns.ImageCount, sum, images.TotalCount)
	}
}
