package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

const day = 24 * time.Hour

func anyJudge(ns *registry.Namespace) []byte { return []byte(ns.Name) }

func listedImages(count int) []*registry.Image {
	var images []*registry.Image
	for i := range count {
		images = append(images, &registry.Image{
			Namespace: &registry.Namespace{ID: "ns", Name: "prod"}, NamespaceID: "ns", Name: fmt.Sprint("api", i), ID: fmt.Sprintf("0c019f96-c0d2-481a-bf40-%012d", i), Status: registry.StatusReady, Visibility: registry.Private,
			SizeBytes: 7, CreatedAt: start, UpdatedAt: start.Add(time.Hour), TagNames: []string{"v1", "v2"},
			Tags: []registry.Tag{
				{Name: "v2", ID: "2", Digest: "sha256:b", Status: registry.StatusReady, CreatedAt: start, UpdatedAt: start},
				{Name: "v1", ID: "1", Digest: "sha256:a", Status: "locked", CreatedAt: start, UpdatedAt: start.Add(time.Minute)},
			},
		})
	}
	return images
}

func TestTheCacheFindsWhatLooksTheSame(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		images := listedImages(keepTogether + 50)
		images[0].Tags = nil
		cache := l.Cache(start, day, anyJudge)
		for _, image := range images {
			cache.Keep(t.Context(), image, time.Time{})
		}
		must(t, cache.Close(t.Context()))
		for i, found := range l.Cache(start, day, anyJudge).Find(t.Context(), images) {
			want := images[i].Tags
			if want == nil {
				want = []registry.Tag{} // known to be empty
			}
			if diff := cmp.Diff(&scanner.Known{Count: len(want), Tags: want}, found); diff != "" {
				t.Fatalf("image %d: %s", i, diff)
			}
		}
		for name, change := range map[string]func(*registry.Image){
			"its id":                    func(i *registry.Image) { i.ID = "0c019f96-c0d2-481a-bf40-999999999999" },
			"its name":                  func(i *registry.Image) { i.Name = "web" },
			"its namespace":             func(i *registry.Image) { i.NamespaceID = "other" },
			"its status":                func(i *registry.Image) { i.Status = "locked" },
			"its visibility":            func(i *registry.Image) { i.Visibility = registry.Public },
			"its size":                  func(i *registry.Image) { i.SizeBytes++ },
			"its creation":              func(i *registry.Image) { i.CreatedAt = i.CreatedAt.Add(1) },
			"its update":                func(i *registry.Image) { i.UpdatedAt = i.UpdatedAt.Add(1) },
			"a tag name that is new":    func(i *registry.Image) { i.TagNames = []string{"v1", "v2", "v3"} },
			"a tag name that is gone":   func(i *registry.Image) { i.TagNames = i.TagNames[:1] },
			"a tag name that is longer": func(i *registry.Image) { i.TagNames = []string{"v1v2"} },
		} {
			image := *images[1]
			change(&image)
			if found := l.Cache(start, day, anyJudge).Find(t.Context(), []*registry.Image{&image}); found[0] != nil {
				t.Errorf("%s differs, and the image is found", name)
			}
		}
		same := *images[1]
		same.TagNames = []string{"v2", "v1"}
		if found := l.Cache(start, day, anyJudge).Find(t.Context(), []*registry.Image{&same}); found[0] == nil {
			t.Error("the order of the tag names counts")
		}
	})
}

// A clock that was ahead has written listings that only seem to be new.
func TestAListingFromTheFutureIsNotFound(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		images := listedImages(1)
		cache := l.Cache(start.Add(time.Hour), day, anyJudge)
		cache.Keep(t.Context(), images[0], time.Time{})
		must(t, cache.Close(t.Context()))
		for at, want := range map[time.Duration]bool{time.Hour - time.Microsecond: false, time.Hour: true} {
			if found := l.Cache(start.Add(at), day, anyJudge).Find(t.Context(), images); (found[0] != nil) != want {
				t.Errorf("after %s, found: %v", at, found[0])
			}
		}
	})
}

func TestADamagedCacheIsListedAgainAndReported(t *testing.T) {
	l := open(t, t.TempDir()+"/ledger.db")
	images := listedImages(2)
	cache := l.Cache(start, day, anyJudge)
	cache.Keep(t.Context(), images[0], time.Time{})
	must(t, cache.Close(t.Context()))
	if _, err := l.db.Exec(`UPDATE janitor_listings SET tags = x'0501'`); err != nil {
		t.Fatal(err)
	}
	cache = l.Cache(start, day, anyJudge)
	if found := cache.Find(t.Context(), images); found[0] != nil || cache.Close(t.Context()) == nil {
		t.Errorf("found %v", found)
	}
}

// Listings of one moment are renewed little by little, and none is older than it may be.
func TestTheCacheIsRenewedEvenly(t *testing.T) {
	images := listedImages(4800)
	listed := make([]time.Time, len(images))
	for i := range listed {
		listed[i] = start
	}
	for run := 1; run <= 5*48; run++ {
		now := start.Add(time.Duration(run) * 30 * time.Minute)
		cache := (*Ledger)(nil).Cache(now, day, anyJudge)
		renewed := 0
		for i := range images {
			if !now.Before(cache.due(packed.Key(images[i]), listed[i])) {
				listed[i] = now
				renewed++
			}
			if age := now.Sub(listed[i]); age > day {
				t.Fatalf("run %d: a listing is %s old", run, age)
			}
		}
		if run == 1 && renewed > 0 || renewed > 3*len(images)/48 {
			t.Errorf("run %d renews %d of %d listings", run, renewed, len(images))
		}
	}
}

func TestTheListingsOfImagesThatAreGoneAreDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		images := listedImages(3)
		for i, image := range images {
			cache := l.Cache(start.Add(time.Duration(i)*day), day, anyJudge)
			cache.Keep(t.Context(), image, time.Time{})
			must(t, cache.Close(t.Context()))
		}
		must(t, l.Cache(start.Add(3*day), day, anyJudge).Close(t.Context()))
		var rows int
		if err := l.db.QueryRow(`SELECT count(*) FROM janitor_listings`).Scan(&rows); err != nil || rows != 2 {
			t.Errorf("%d listings are left, %v", rows, err)
		}
	})
}

func TestAQuietImageIsFoundWithoutItsTags(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		images := listedImages(3)
		cache := l.Cache(start, day, anyJudge)
		cache.Keep(t.Context(), images[0], start.Add(2*time.Minute))
		cache.Keep(t.Context(), images[1], time.Time{})
		cache.Keep(t.Context(), images[2], start.Add(2*time.Minute))
		must(t, cache.Close(t.Context()))
		quiet := func(at time.Time, judge func(*registry.Namespace) []byte) (quiet []bool) {
			for _, known := range l.Cache(at, day, judge).Find(t.Context(), images) {
				if known == nil || known.Count != 2 || known.Quiet == (known.Tags != nil) {
					t.Fatalf("found %+v", known)
				}
				quiet = append(quiet, known.Quiet)
			}
			return quiet
		}
		other := func(*registry.Namespace) []byte { return []byte("other") }
		for _, tt := range []struct {
			name string
			got  []bool
			want []bool
		}{
			{"soon", quiet(start.Add(time.Minute), anyJudge), []bool{true, false, true}},
			{"judged by something else", quiet(start.Add(time.Minute), other), []bool{false, false, false}},
			{"at the end", quiet(start.Add(2*time.Minute), anyJudge), []bool{false, false, false}},
		} {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
		cache = l.Cache(start.Add(2*time.Minute), day, other)
		cache.KeepQuiet(t.Context(), images[1], start.Add(time.Hour))
		must(t, cache.Close(t.Context()))
		if diff := cmp.Diff([]bool{false, true, false}, quiet(start.Add(30*time.Minute), other)); diff != "" {
			t.Error(diff)
		}
	})
}
