package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

// pagesOf serves a listing whose pages may be wrong: it is asked for every page
// with the number of the listing it belongs to, from 1.
func pagesOf(render func(listing, number int) string) roundTrip {
	var mu sync.Mutex
	listing := 0
	return func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if pageOf(req) == 1 {
			listing++
		}
		return answer(req, 200, render(listing, pageOf(req))), nil
	}
}

func TestListingsOfEveryLengthAreComplete(t *testing.T) {
	for _, total := range []int{0, 1, 99, 100, 101, 199, 200, 250, 10_000} {
		t.Run(fmt.Sprint(total, " tags"), func(t *testing.T) {
			var sent atomic.Int64
			r := newTestReader(t, counted(&sent, func(req *http.Request) (*http.Response, error) {
				if q := req.URL.Query(); q.Get("page_size") != "100" || q.Get("order_by") != "created_at_asc" {
					t.Errorf("query %s", req.URL.RawQuery)
				}
				return answer(req, 200, tagsPage(total, pageOf(req))), nil
			}))
			tags, err := r.Tags(t.Context(), testRegion, testImage)
			if err != nil {
				t.Fatal(err)
			}
			names := map[string]bool{}
			for _, tag := range tags {
				names[tag.Name] = true
			}
			if len(tags) != total || len(names) != total {
				t.Errorf("got %d tags, %d names", len(tags), len(names))
			}
			if want := int64(max(1, (total+99)/100)); sent.Load() != want {
				t.Errorf("%d calls, want %d", sent.Load(), want)
			}
		})
		t.Run(fmt.Sprint(total, " images"), func(t *testing.T) {
			r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				return answer(req, 200, imagesPage(total, pageOf(req))), nil
			}))
			names := map[string]bool{}
			for image, err := range r.Images(t.Context(), registry.Query{Region: testRegion}) {
				if err != nil {
					t.Fatal(err)
				}
				names[image.Name] = true
			}
			if len(names) != total {
				t.Errorf("got %d images", len(names))
			}
		})
	}
}

func TestInconsistentListingsAreListedAgain(t *testing.T) {
	drop := func(s string, row int) string { return strings.Replace(s, tagRow(row)+",", "", 1) }
	tests := []struct {
		name   string
		broken func(number int) string // the page, of 250 tags, while the fault lasts
		want   string
	}{
		{"a short page", func(n int) string { return drop(tagsPage(250, n), 105) }, "page 2 has 99 rows instead of 100"},
		{"an empty page in the middle", func(n int) string {
			if n == 2 {
				return `{"tags":[],"total_count":250}`
			}
			return tagsPage(250, n)
		}, "page 2 has 0 rows instead of 100"},
		{"a short last page", func(n int) string { return drop(tagsPage(250, n), 205) }, "page 3 has 49 rows instead of 50"},
		{"an over-long page", func(n int) string {
			return strings.Replace(tagsPage(250, n), tagRow(105), tagRow(105)+","+tagRow(999), 1)
		}, "page 2 has 101 rows instead of 100"},
		{"a changed total", func(n int) string {
			if n == 3 {
				return tagsPage(251, n)
			}
			return tagsPage(250, n)
		}, "page 3 counts 251 rows in total, page 1 counted 250"},
		{"a row on two pages", func(n int) string {
			return strings.Replace(tagsPage(250, n), tagRow(205), tagRow(105), 1)
		}, "page 3 repeats a row"},
		{"a duplicate row on a page", func(n int) string {
			return strings.Replace(tagsPage(250, n), tagRow(105), tagRow(106), 1)
		}, "page 2 repeats a row"},
		{"more tags than counted", func(n int) string {
			return strings.Replace(tagsPage(99, n), `"total_count":99`, `"total_count":7`, 1)
		}, "page 1 has 99 rows instead of 7"},
		{"tags but a total of zero", func(n int) string {
			return strings.Replace(tagsPage(3, n), `"total_count":3`, `"total_count":0`, 1)
		}, "page 1 has 3 rows instead of 0"},
		{"no tags but a total", func(int) string { return `{"tags":[],"total_count":4000000000}` }, "page 1 has 0 rows instead of 100"},
	}
	for _, tt := range tests {
		for _, lasts := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s in %d listings", tt.name, lasts), func(t *testing.T) {
				r := newTestReader(t, pagesOf(func(listing, number int) string {
					if listing <= lasts {
						return tt.broken(number)
					}
					return tagsPage(250, number)
				}))
				tags, err := r.Tags(t.Context(), testRegion, testImage)
				if err != nil || len(tags) != 250 {
					t.Errorf("%d tags, %v", len(tags), err)
				}
			})
		}
		t.Run(tt.name+" in every listing", func(t *testing.T) {
			var listings atomic.Int64
			r := newTestReader(t, pagesOf(func(listing, number int) string {
				listings.Store(int64(listing))
				return tt.broken(number)
			}))
			tags, err := r.Tags(t.Context(), testRegion, testImage)
			if !errors.Is(err, registry.ErrIncomplete) || tags != nil {
				t.Fatalf("%d tags, %v", len(tags), err)
			}
			mustContain(t, err.Error(), "listed 3 times", tt.want)
			if listings.Load() != 3 {
				t.Errorf("listed %d times", listings.Load())
			}
		})
	}
}

func TestFailedListingsAreNotListedAgain(t *testing.T) {
	var sent atomic.Int64
	r := newTestReader(t, counted(&sent, func(req *http.Request) (*http.Response, error) {
		if pageOf(req) == 2 {
			return answer(req, 500, `{"message":"boom"}`), nil
		}
		return answer(req, 200, tagsPage(250, pageOf(req))), nil
	}))
	synctest.Test(t, func(t *testing.T) {
		tags, err := r.Tags(t.Context(), testRegion, testImage)
		if err == nil || tags != nil || errors.Is(err, registry.ErrIncomplete) {
			t.Fatalf("%d tags, %v", len(tags), err)
		}
		mustContain(t, err.Error(), "page 2: 500 Internal Server Error: boom")
		if sent.Load() != 7 { // two good pages, five tries
			t.Errorf("sent %d requests", sent.Load())
		}
	})
}

func TestTagsAreTranslated(t *testing.T) {
	row := strings.NewReplacer(`"ready"`, `"frozen"`, "05.000001Z", "05.123456789+02:00").Replace(tagRow(1))
	r := newTestReader(t, status(200, `{"tags":[`+row+`],"total_count":1}`))
	got, err := r.Tags(t.Context(), testRegion, testImage)
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.Tag{{
		ID: "33333333-0000-4000-8000-000000000001", Name: "t1", Digest: fmt.Sprintf("sha256:%064x", 1), Status: "frozen",
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		UpdatedAt: time.Date(2026, 1, 2, 1, 4, 5, 123456789, time.UTC),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestImagesAreTranslated(t *testing.T) {
	row := strings.NewReplacer(`"inherit"`, `"hidden"`, `"size":1`, `"size":9007199254740993`).Replace(imageRow(1))
	r := newTestReader(t, status(200, `{"images":[`+row+`],"total_count":1}`))
	for got, err := range r.Images(t.Context(), registry.Query{Region: testRegion}) {
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		want := registry.Image{
			NamespaceID: testNamespace, ID: testImage, Name: "i1", Status: "ready", Visibility: "hidden",
			SizeBytes: 9007199254740993, TagNames: []string{"a"}, CreatedAt: at, UpdatedAt: at,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnInvalidRowFailsTheListing(t *testing.T) {
	const other = "99999999-0000-4000-8000-000000000001"
	edit := func(row string, oldnew ...string) string {
		if changed := strings.NewReplacer(oldnew...).Replace(row); changed != row {
			return changed
		}
		panic("the row is unchanged")
	}
	tags := []struct{ name, row, want string }{
		{"null", "null", "a row is null"},
		{"no id", edit(tagRow(1), `"id":"33333333-0000-4000-8000-000000000001",`, ""), "is not a UUID"},
		{"an id with a path", edit(tagRow(1), "33333333-0000-4000-8000-000000000001", "../../namespaces/x"), "is not a UUID"},
		{"no name", edit(tagRow(1), `"t1"`, `""`), "has no name"},
		{"no created_at", edit(tagRow(1), `"created_at":"2026-01-02T03:04:05.000000Z"`, `"created_at":null`), "has no created_at"},
		{"no updated_at", edit(tagRow(1), `"updated_at"`, `"updated"`), "has no updated_at"},
		{"the year one", edit(tagRow(1), "2026-01-02T03:04:05.000001Z", "0001-01-01T00:00:00Z"), "has no updated_at"},
		{"no digest", edit(tagRow(1), `"digest"`, `"diggest"`), "has no digest"},
		{"another image's tag", edit(tagRow(1), testImage, other), "belongs to"},
	}
	for _, tt := range tags {
		t.Run("a tag with "+tt.name, func(t *testing.T) {
			var sent atomic.Int64
			r := newTestReader(t, counted(&sent, status(200, `{"tags":[`+tt.row+`],"total_count":1}`)))
			_, err := r.Tags(t.Context(), testRegion, testImage)
			if err == nil || !strings.Contains(err.Error(), tt.want) || sent.Load() != 1 {
				t.Errorf("after %d requests: %v", sent.Load(), err)
			}
		})
	}
	images := []struct{ name, row, want string }{
		{"another namespace", edit(imageRow(1), testNamespace, other), "belongs to"},
		{"no namespace", edit(imageRow(1), testNamespace, ""), "is not a UUID"},
		{"no name", edit(imageRow(1), `"i1"`, `""`), "has no name"},
		{"a negative size", edit(imageRow(1), `"size":1`, `"size":-1`), "could not parse"},
	}
	for _, tt := range images {
		t.Run("an image of "+tt.name, func(t *testing.T) {
			r := newTestReader(t, status(200, `{"images":[`+tt.row+`],"total_count":1}`))
			var last error
			for _, err := range r.Images(t.Context(), registry.Query{Region: testRegion, NamespaceID: testNamespace}) {
				last = err
			}
			if last == nil || !strings.Contains(last.Error(), tt.want) {
				t.Errorf("%v", last)
			}
		})
	}
	const id1, id2 = "22222222-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
	namespaces := []struct {
		name, rows, want string
		total            int
	}{
		{"another region", namespaceRow(id1, "prod", "nl-ams"), "belongs to", 1},
		{"another project", edit(namespaceRow(id1, "prod", "fr-par"), "55555555-0000-4000-8000-000000000001", other), "belongs to", 1},
		{"a duplicate name", namespaceRow(id1, "prod", "fr-par") + "," + namespaceRow(id2, "prod", "fr-par"), `both named "prod"`, 2},
	}
	for _, tt := range namespaces {
		t.Run("namespaces with "+tt.name, func(t *testing.T) {
			r := newTestReader(t, status(200, fmt.Sprintf(`{"namespaces":[%s],"total_count":%d}`, tt.rows, tt.total)))
			_, err := r.Namespaces(t.Context(), registry.Query{Region: testRegion, ProjectID: "55555555-0000-4000-8000-000000000001"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNothingUnsafeEntersAURL(t *testing.T) {
	var sent atomic.Int64
	r := newTestReader(t, counted(&sent, status(500, "")))
	first := func(q registry.Query) (err error) {
		for _, err = range r.Images(t.Context(), q) {
		}
		return err
	}
	_, region := r.Tags(t.Context(), "it-mil", testImage)
	_, path := r.Tags(t.Context(), testRegion, "../"+testImage[3:])
	_, project := r.Namespaces(t.Context(), registry.Query{Region: testRegion, ProjectID: "x&name=y"})
	for name, err := range map[string]error{
		"region": region, "image ID": path, "project ID": project,
		"namespace ID":    first(registry.Query{Region: testRegion, NamespaceID: "x"}),
		"organization ID": first(registry.Query{Region: testRegion, OrganizationID: "x"}),
		"no region":       first(registry.Query{}),
	} {
		if err == nil {
			t.Errorf("%s was let through", name)
		}
	}
	if sent.Load() != 0 {
		t.Errorf("%d requests were sent", sent.Load())
	}
}

func TestFiltersAreSent(t *testing.T) {
	q := registry.Query{Region: testRegion, NamespaceID: testNamespace, Name: "i1", ProjectID: testImage, OrganizationID: testImage}
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		for name, want := range map[string]string{"namespace_id": q.NamespaceID, "name": q.Name, "project_id": q.ProjectID, "organization_id": q.OrganizationID} {
			if got := req.URL.Query().Get(name); got != want {
				t.Errorf("%s=%s, want %s", name, got, want)
			}
		}
		return answer(req, 200, imagesPage(0, 1)), nil
	}))
	for _, err := range r.Images(t.Context(), q) {
		t.Error(err)
	}
}

func TestImageStreamIsListedAgainWithoutRepeatingAnID(t *testing.T) {
	tests := []struct {
		name   string
		broken func(number int) string
	}{
		{"a short page", func(n int) string { return strings.Replace(imagesPage(350, n), imageRow(205)+",", "", 1) }},
		{"a repeated row", func(n int) string { return strings.Replace(imagesPage(350, n), imageRow(205), imageRow(5), 1) }},
		{"a changed total", func(n int) string {
			return strings.Replace(imagesPage(350, n), "350}", fmt.Sprintf("%d}", 349+min(n, 2)), 1)
		}},
	}
	for _, tt := range tests {
		for lasts := 1; lasts <= 3; lasts++ {
			t.Run(fmt.Sprintf("%s in %d listings", tt.name, lasts), func(t *testing.T) {
				r := newTestReader(t, pagesOf(func(listing, number int) string {
					if listing <= lasts {
						return tt.broken(number)
					}
					return imagesPage(350, number)
				}))
				seen := map[string]int{}
				var last error
				for image, err := range r.Images(t.Context(), registry.Query{Region: testRegion}) {
					if last = err; err == nil {
						seen[image.ID]++
					}
				}
				for id, n := range seen {
					if n > 1 {
						t.Errorf("%s came %d times", id, n)
					}
				}
				if lasts < maxListings && (last != nil || len(seen) != 350) {
					t.Errorf("%d images, %v", len(seen), last)
				}
				if lasts == maxListings && !errors.Is(last, registry.ErrIncomplete) {
					t.Errorf("error %v", last)
				}
			})
		}
	}
}

func TestImageStreamFetchesOnePageAhead(t *testing.T) {
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		time.Sleep(20 * time.Millisecond)
		return answer(req, 200, imagesPage(1000, pageOf(req))), nil
	}))
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for _, err := range r.Images(t.Context(), registry.Query{Region: testRegion}) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(start); took != 1020*time.Millisecond {
			t.Errorf("took %s: the consumer's second, and one page", took)
		}
	})
}

func TestImageStreamStopsWithItsConsumer(t *testing.T) {
	var sent atomic.Int64
	r := newTestReader(t, counted(&sent, func(req *http.Request) (*http.Response, error) {
		return answer(req, 200, imagesPage(1000, pageOf(req))), nil
	}))
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left behind
		var got []string
		for image, err := range r.Images(t.Context(), registry.Query{Region: testRegion}) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, image.Name); len(got) == 3 {
				break
			}
		}
		if !slices.Equal(got, []string{"i1", "i2", "i3"}) || sent.Load() > 2 {
			t.Errorf("%v after %d calls", got, sent.Load())
		}
	})
}

func TestImageStreamEndsWithItsContext(t *testing.T) {
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		return answer(req, 200, imagesPage(1000, pageOf(req))), nil
	}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for image, err := range r.Images(ctx, registry.Query{Region: testRegion}) {
		if last = err; image.Name == "i50" {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("%v", last)
	}
}

func FuzzParseUUID(f *testing.F) {
	for _, s := range []string{testImage, "", "11111111-0000-4000-8000-00000000000g", strings.ToUpper(testSecretKey), testImage + "/", strings.Repeat("-", 36)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := parseUUID(s)
		if err != nil {
			return
		}
		if back := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]); !strings.EqualFold(back, s) {
			t.Errorf("%q became %q", s, back)
		}
	})
}

// Which of several failing pages failed first must not show: it is chance.
func TestTheFirstFailingPageIsReportedWhicheverFailsFirst(t *testing.T) {
	for _, order := range [][2]time.Duration{{time.Second, 2 * time.Second}, {2 * time.Second, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				switch page := pageOf(req); page {
				case 3, 5:
					time.Sleep(order[(page-3)/2])
					return answer(req, 400, fmt.Sprintf(`{"message":"page %d is bad"}`, page)), nil
				default:
					return answer(req, 200, tagsPage(900, page)), nil
				}
			}))
			_, err := r.Tags(t.Context(), testRegion, testImage)
			if err == nil || !strings.HasSuffix(err.Error(), "page 3: 400 Bad Request: page 3 is bad") {
				t.Errorf("page 3 after %s, page 5 after %s: %v", order[0], order[1], err)
			}
		})
	}
}

func TestAListingThatIsGivenUpIsNeverShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		if pageOf(req) == 2 {
			cancel()
		}
		return answer(req, 200, tagsPage(900, pageOf(req))), nil
	}), func(o *Options) { o.Concurrency = 1 })
	if tags, err := r.Tags(ctx, testRegion, testImage); !errors.Is(err, context.Canceled) {
		t.Errorf("%d tags, %v", len(tags), err)
	}
}
