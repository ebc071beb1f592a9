package archive_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	uploading = "POST /v2/prod/api/blobs/"
	tagging   = "PUT /v2/prod/api/manifests/"
)

// during has something done before the first request that begins so is answered.
func (p *plane) during(beginning string, do func()) {
	p.refuse = func(r *http.Request) bool {
		if do != nil && strings.HasPrefix(r.Method+" "+r.URL.Path, beginning) {
			now := do
			do = nil
			p.mu.Unlock() // it may send requests
			defer p.mu.Lock()
			now()
		}
		return false
	}
}

func TestATagThatIsPushedDuringItsRestorationIsNotLost(t *testing.T) {
	for name, row := range map[string]struct {
		exists, same, overwrite bool
		moved                   bool
	}{
		"a tag that did not exist is not moved":         {},
		"one that may be moved is archived first":       {overwrite: true, moved: true},
		"what it has is archived, not what it had":      {exists: true, overwrite: true, moved: true},
		"one that has the digest already is left alone": {same: true},
		"the same with one that may be moved":           {exists: true, same: true, overwrite: true},
	} {
		t.Run(name, func(t *testing.T) {
			from, p := newPlane(t), newPlane(t)
			content := image(3)
			digest := from.push(api, content)
			a, _ := newFolder(t)
			copied(t, a, from, api)
			if row.exists {
				p.push(api, image(1))
			}
			var pushed string
			p.during(uploading, func() {
				if pushed = digest; row.same {
					p.push(api, content)
				} else {
					pushed = p.push(api, image(1))
				}
			})
			var archived []string
			o := archive.RestorerOptions{Now: options().Now}
			if row.overwrite {
				o.Overwriting = func(_ context.Context, _ registry.Ref, digest string) error {
					archived = append(archived, digest)
					return nil
				}
			}
			done, err := restore(t.Context(), a, archive.NewRestorer(a, p.connect, o).LookAgain(), api)
			marks := must(a.Records(t.Context()))[0].RestoredAs
			switch {
			case row.moved:
				if err != nil || len(archived) != 1 || archived[0] != pushed || p.digest(api) != digest || done[0].Before != pushed || !done[0].Moved() || len(marks) != 1 {
					t.Errorf("%v: %q is archived, not %q: %+v, %q", err, archived, pushed, done, marks)
				}
			case row.same:
				if err != nil || len(archived) != 0 || !done[0].WasThere() || len(marks) != 0 {
					t.Errorf("%v: %q, %+v, %q", err, archived, done, marks)
				}
			default:
				if err == nil || p.digest(api) != pushed || len(done) != 0 || len(marks) != 0 {
					t.Errorf("%v: the tag has %q, not %q: %+v, %q", err, p.digest(api), pushed, done, marks)
				}
			}
		})
	}
}

func TestAnAttachmentThatIsPushedDuringItsRestorationStays(t *testing.T) {
	from, p := newPlane(t), newPlane(t)
	signature := signed(from.push(api, image(1)))
	from.push(signature, image(1))
	a, _ := newFolder(t)
	copied(t, a, from, api, signature)
	var pushed string
	p.during(tagging, func() { pushed = p.push(signature, image(1)) })
	done, err := restore(t.Context(), a, restorer(a, p).LookAgain(), api)
	if err != nil || len(done) != 2 || !done[1].Kept || done[1].Before != pushed || p.digest(signature) != pushed {
		t.Errorf("%v: %+v", err, done)
	}
	for _, r := range must(a.Records(t.Context())) {
		if (len(r.RestoredAs) == 1) != (r.Ref == api) {
			t.Errorf("%s is noted as restored as %q", r.Ref, r.RestoredAs)
		}
	}
}

func TestARestorationThatIsStoppedIsNotNoted(t *testing.T) {
	from, p := newPlane(t), newPlane(t)
	from.push(api, image(3))
	a, _ := newFolder(t)
	copied(t, a, from, api)
	ctx, stop := context.WithCancel(t.Context())
	p.during(uploading, stop)
	if done, err := restore(ctx, a, restorer(a, p), api); err == nil || len(done) != 0 {
		t.Errorf("%v: %+v", err, done)
	}
	if r := must(a.Records(t.Context()))[0]; len(r.RestoredAs) != 0 || !r.RestoredAt.IsZero() {
		t.Errorf("%+v", r)
	}
}

// A token server that answers 404, as one does to a wrong key, does not say that the tag is
// not there.
func TestATokenServerKnowsNothingOfTags(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="registry"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(locked.Close)
	p.host = strings.TrimPrefix(locked.URL, "http://")
	if _, err := restore(t.Context(), a, restorer(a, p), api); err == nil || !strings.Contains(err.Error(), "/token") || strings.Contains(err.Error(), "pushing") {
		t.Error(err)
	}
}

func TestWhatIsPushedIsCountedMeanwhile(t *testing.T) {
	from, p := newPlane(t), newPlane(t)
	from.push(api, index())
	a, _ := newFolder(t)
	copied(t, a, from, api)
	var pushed atomic.Int64
	p.during(tagging, func() {
		if pushed.Load() == 0 {
			t.Error("nothing was counted before the tag was set")
		}
	})
	done, err := restore(t.Context(), a, archive.NewRestorer(a, p.connect, archive.RestorerOptions{Now: options().Now, Pushed: &pushed}), api)
	if err != nil || pushed.Load() != done[0].Bytes {
		t.Errorf("%v: %d bytes are counted: %+v", err, pushed.Load(), done)
	}
}

func TestAnAttachmentThatIsRefusedDoesNotComeBack(t *testing.T) {
	from, p := newPlane(t), newPlane(t)
	digest := from.push(api, image(1))
	signature := signed(digest)
	from.push(signature, image(1))
	a, _ := newFolder(t)
	copied(t, a, from, api, signature)
	refused := errors.New("the archive was changed")
	o := archive.RestorerOptions{Now: options().Now, Check: func(r archive.Record) error {
		if r.Ref != signature {
			t.Errorf("%s is checked", r.Ref)
		}
		return refused
	}}
	done, err := restore(t.Context(), a, archive.NewRestorer(a, p.connect, o).LookAgain(), api)
	if !errors.Is(err, refused) || len(done) != 1 || p.digest(api) != digest || p.digest(signature) != "" {
		t.Errorf("%v: %+v", err, done)
	}
}
