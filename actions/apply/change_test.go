package apply

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// of finds the ID of an object that exists.
func (s *site) of(ref string) (id string) {
	s.t.Helper()
	s.walk(func(v registry.Verdict) {
		if v.Image == nil {
			if v.Namespace.Name == ref {
				id = v.Namespace.ID
			}
			return
		}
		name := v.Namespace.Name + "/" + v.Image.Name
		if name == ref {
			id = v.Image.ID
		}
		for _, t := range v.Image.Tags {
			if name+":"+t.Name == ref {
				id = t.ID
			}
		}
	})
	if id == "" {
		s.t.Fatalf("there is no %s", ref)
	}
	return id
}

func (s *site) push(tag, digest string) {
	s.t.Helper()
	must(s.t, s.server.Push("fr-par", "prod", "api", tag, digest))
}

func (s *site) deleteTag(ref string) {
	s.t.Helper()
	_, err := s.editor.DeleteTag(s.t.Context(), "fr-par", s.of(ref), soon())
	must(s.t, err)
}

// markAll marks tags that begin with "pr", attachments aside, images named
// bare and namespaces named void, and wants the image web private and the image
// open public.
func markAll(v *registry.Verdict) {
	vote := func(to registry.Visibility) *registry.VisibilityVerdict {
		return &registry.VisibilityVerdict{To: to, Reasons: markedBy}
	}
	switch {
	case v.Image == nil:
		if v.Namespace.Name == "void" {
			v.Delete = markedBy
		}
		return
	case v.Image.Name == "bare":
		v.Delete = markedBy
	case v.Image.Name == "web":
		v.Visibility = vote(registry.Private)
	case v.Image.Name == "open":
		v.Visibility = vote(registry.Public)
	}
	for i, t := range v.Image.Tags {
		if strings.HasPrefix(t.Name, "pr") {
			v.Tags[i].Delete = markedBy
		}
	}
}

// a is the digest of the word A, as the emulator makes it.
const a = "8fc15602e76581594b4c7fa4b4a2429d6d7e9e5b5a47470c4633cb8e9ed098ab"

const everything = `{settings: {latency: 5ms, shared_digest: untag}, namespaces: [
	{name: void, age: 400d},
	{name: prod, age: 400d, images: [
		{name: api, tags: [{name: pr-1, age: 20d}, {name: pr-2, age: 20d, digest: A}, {name: sha256-` + a + `.sig, age: 20d},
			{name: pr-3, age: 20d, digest: B}, {name: pr-4, age: 20d, digest: B}, {name: latest, age: 1d}, {name: v1, age: 10d}]},
		{name: bare, age: 40d},
		{name: open, visibility: private, tags: [{name: pr-7, age: 20d}, {name: latest, age: 1d}]},
		{name: web, visibility: public, tags: [{name: pr-9, age: 20d}, {name: latest, age: 1d}]}]}]}`

func TestWhatChangedAfterThePlanIsLeftAlone(t *testing.T) {
	all := map[string]string{
		"void": "done", "prod/api:pr-1": "done", "prod/api:pr-2": "done", "prod/api:sha256-" + a + ".sig": "done", "prod/api:pr-3": "done", "prod/api:pr-4": "done",
		"prod/bare": "done", "prod/open": "done", "prod/open:pr-7": "done", "prod/web": "done", "prod/web:pr-9": "done",
	}
	api := func(r string) map[string]string {
		return map[string]string{"prod/api:pr-1": r, "prod/api:pr-2": r, "prod/api:sha256-" + a + ".sig": r, "prod/api:pr-3": r, "prod/api:pr-4": r}
	}
	for _, tt := range []struct {
		name   string
		change func(s *site)
		o      Options
		want   map[string]string // where it is not done
	}{
		{"nothing", func(*site) {}, Options{}, nil},
		{"a tag is pushed again", func(s *site) { s.push("pr-1", "X") }, Options{}, map[string]string{"prod/api:pr-1": "changed"}},
		{"a tag is pushed again with the same digest", func(s *site) { s.push("pr-2", "A") }, Options{},
			map[string]string{"prod/api:pr-2": "changed", "prod/api:sha256-" + a + ".sig": "blocked"}},
		{"a tag is gone", func(s *site) { s.deleteTag("prod/api:pr-1") }, Options{}, map[string]string{"prod/api:pr-1": "gone"}},
		{"a tag is gone and made anew", func(s *site) { s.deleteTag("prod/api:pr-1"); s.push("pr-1", "X") }, Options{}, map[string]string{"prod/api:pr-1": "gone"}},
		{"a new tag has the digest", func(s *site) { s.push("new", "A") }, Options{},
			map[string]string{"prod/api:pr-2": "blocked", "prod/api:sha256-" + a + ".sig": "blocked"}},
		{"a new tag has the digest, and the API untags", func(s *site) { s.push("new", "A") }, Options{SharedDigest: actions.Untag},
			map[string]string{"prod/api:pr-2": "blocked", "prod/api:sha256-" + a + ".sig": "blocked"}},
		{"a kept tag has the digest now", func(s *site) { s.push("latest", "B") }, Options{},
			map[string]string{"prod/api:pr-3": "blocked", "prod/api:pr-4": "blocked"}},
		{"a marked tag has another marked digest now", func(s *site) { s.push("pr-1", "B") }, Options{},
			map[string]string{"prod/api:pr-1": "changed", "prod/api:pr-3": "blocked", "prod/api:pr-4": "blocked"}},
		{"one tag of a digest is pushed again with it", func(s *site) { s.push("pr-4", "B") }, Options{},
			map[string]string{"prod/api:pr-4": "changed", "prod/api:pr-3": "blocked"}},
		{"one tag of a digest is pushed again with another", func(s *site) { s.push("pr-4", "X") }, Options{}, map[string]string{"prod/api:pr-4": "changed"}},
		{"a kept tag is gone", func(s *site) { s.deleteTag("prod/api:v1") }, Options{}, api("changed")},
		{"a kept tag is gone, and so is a marked one", func(s *site) { s.deleteTag("prod/api:v1"); s.deleteTag("prod/api:pr-1") }, Options{},
			map[string]string{"prod/api:pr-1": "gone", "prod/api:pr-2": "changed", "prod/api:sha256-" + a + ".sig": "changed", "prod/api:pr-3": "changed", "prod/api:pr-4": "changed"}},
		{"too few tags would be kept", func(s *site) { s.options.KeepAtLeast = 2 }, Options{}, map[string]string{"prod/open:pr-7": "changed", "prod/web:pr-9": "changed"}},
		{"the image is gone", func(s *site) { must(s.t, s.editor.DeleteImage(s.t.Context(), "fr-par", s.of("prod/api"), soon())) }, Options{}, api("gone")},
		{"the image is not empty any more", func(s *site) { must(s.t, s.server.Push("fr-par", "prod", "bare", "v1", "")) }, Options{}, map[string]string{"prod/bare": "changed"}},
		{"the namespace got an image", func(s *site) { must(s.t, s.server.Push("fr-par", "void", "app", "v1", "")) }, Options{}, map[string]string{"void": "changed"}},
		{"the namespace is gone", func(s *site) { must(s.t, s.editor.DeleteNamespace(s.t.Context(), "fr-par", s.of("void"), soon())) }, Options{}, map[string]string{"void": "gone"}},
		{"the namespace was edited", func(s *site) {
			must(s.t, s.editor.SetNamespaceVisibility(s.t.Context(), "fr-par", s.of("void"), registry.Public, soon()))
		}, Options{}, map[string]string{"void": "changed"}},
		{"the image is private already", func(s *site) {
			must(s.t, s.editor.SetImageVisibility(s.t.Context(), "fr-par", s.of("prod/web"), registry.Private, soon()))
		}, Options{}, map[string]string{"prod/web": "changed"}},
		{"the image inherits now", func(s *site) {
			must(s.t, s.editor.SetImageVisibility(s.t.Context(), "fr-par", s.of("prod/web"), registry.Inherit, soon()))
		}, Options{}, map[string]string{"prod/web": "changed"}},
		{"an image to be made private got a tag", func(s *site) { must(s.t, s.server.Push("fr-par", "prod", "web", "v2", "")) }, Options{}, map[string]string{"prod/web": "changed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, everything)
				p := s.plan(unlimited(), markAll)
				time.Sleep(time.Minute)
				tt.change(s)
				time.Sleep(time.Minute)
				o, err := s.audited(p, tt.o)
				if err != nil {
					t.Error(err)
				}
				got := make(map[string]string)
				for _, r := range o.Results {
					got[strings.TrimPrefix(r.Ref, "rg.fr-par.scw.cloud/")] = string(r.Result)
				}
				want := make(map[string]string)
				for ref, result := range all {
					want[ref] = result
					if other, ok := tt.want[ref]; ok {
						want[ref] = other
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestTheOrderOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, everything)
		p := s.plan(unlimited(), markAll)
		if _, err := s.audited(p, Options{}); err != nil {
			t.Fatal(err)
		}
		rank := func(r string) int {
			switch {
			case strings.HasPrefix(r, "PATCH web"):
				return 0
			case strings.HasPrefix(r, "DELETE sha256-"):
				return 2
			case strings.HasPrefix(r, "DELETE pr"):
				return 1
			case strings.HasPrefix(r, "DELETE bare"):
				return 3
			case strings.HasPrefix(r, "DELETE void"):
				return 4
			}
			return 5
		}
		names := make(map[string]string)
		for _, step := range p.Steps {
			names[step.ID] = strings.Join([]string{step.Tag, step.Image, step.Namespace}, " ")
		}
		last := 0
		for _, r := range s.server.Requests() {
			if r.Method == http.MethodGet {
				continue
			}
			what := r.Method + " " + strings.TrimLeft(names[r.Path[strings.LastIndexByte(r.Path, '/')+1:]], " ")
			// The signature only has to come after its own subject.
			if n := rank(what); n < last && (n != 1 || last != 2) {
				t.Errorf("%s comes after rank %d", what, last)
			} else {
				last = n
			}
		}
		if last != 5 {
			t.Errorf("the last change has rank %d", last)
		}
	})
}

// What the API says and what it does are two things.
func TestAnAcceptedDeletionThatDoesNotHappenHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, everything)
		p := s.plan(unlimited(), markAll)
		s.before = func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return nil, nil
			}
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"status":"deleting"}`)), Request: r}, nil
		}
		o, _ := s.audited(p, Options{Breaker: 100})
		if o.Failed != 9 || o.Blocked != 2 || o.Done != 0 { // the second tag of a digest and the signature are not tried
			t.Errorf("%q", resultsOf(o))
		}
		for _, r := range o.Results {
			if r.Result == actions.ResultFailed && !strings.Contains(r.Detail, "2m") {
				t.Errorf("%s: %s", r.Ref, r.Detail)
			}
		}
	})
}
