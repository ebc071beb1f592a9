package archive_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/registry-janitor/registry-janitor/internal/archive"
)

// A restoration that failed is not one: the record is as before.
func TestAFailedRestorationIsNotNoted(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	for what, refuses := range map[string]func(*http.Request) bool{
		"the first blob": func(r *http.Request) bool { return r.Method == http.MethodPost },
		"the manifest": func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/")
		},
	} {
		t.Run(what, func(t *testing.T) {
			before := must(a.Records(t.Context()))
			fresh := newPlane(t)
			fresh.refuse = refuses
			if _, err := restore(t.Context(), a, restorer(a, fresh), api); err == nil {
				t.Fatal("it was restored")
			}
			if diff := cmp.Diff(before, must(a.Records(t.Context())), cmpopts.IgnoreUnexported(archive.Record{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The mark stays where the tag may have come back: the next run must not delete it.
func TestAMarkStaysIfTheTagMayBeThere(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	fresh := newPlane(t)
	heads := 0
	fresh.refuse = func(r *http.Request) bool {
		if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/") {
			heads++
		}
		return heads > 1 // it takes the manifest, and answers no more
	}
	_, err := restore(t.Context(), a, restorer(a, fresh), api)
	if records := must(a.Records(t.Context())); err == nil || records[0].RestoredAt.IsZero() {
		t.Errorf("%v: %+v", err, records)
	}
}

// A tag that was never deleted is an ordinary one, whatever the archive lists.
func TestATagThatIsStillThereIsNotMarked(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	done, err := restore(t.Context(), a, restorer(a, p), api)
	if err != nil || len(done) != 1 || !done[0].WasThere() {
		t.Errorf("%v: %+v", err, done)
	}
	if records := must(a.Records(t.Context())); !records[0].RestoredAt.IsZero() || len(records[0].RestoredAs) != 0 {
		t.Errorf("%+v", records)
	}
	p.wipe()
	check(t, errors.Join(second(restore(t.Context(), a, restorer(a, p), api)), second(restore(t.Context(), a, restorer(a, p), api))))
	if records := must(a.Records(t.Context())); records[0].RestoredAt.IsZero() {
		t.Errorf("a real restoration is not marked: %+v", records)
	}
}

func second[T any](_ T, err error) error { return err }
