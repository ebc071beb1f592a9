package apply

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

// IDs that lead to another object than their step says are left alone: a plan that
// reports staging must not change prod.
func TestIDsOfAnotherObjectAreLeftAlone(t *testing.T) {
	const world = `{namespaces: [
		{name: prod, age: 400d, images: [{name: app, visibility: public, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}, {name: other, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}]},
		{name: staging, age: 400d, images: [{name: app, visibility: public, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}]}]}`
	for name, forge := range map[string]func(s *site, p *actions.Plan){
		"the tag of another namespace": func(s *site, p *actions.Plan) { retarget(p, "prod/app", "staging/app") },
		"the tag of another image":     func(s *site, p *actions.Plan) { retarget(p, "prod/app", "prod/other") },
		"the tag of another image under the image that the plan names": func(s *site, p *actions.Plan) {
			for i := range p.Steps {
				if p.Steps[i].Action == actions.DeleteTag {
					p.Steps[i].ID = s.of("staging/app:pr-1")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, world)
				p := s.plan(unlimited(), func(v *registry.Verdict) {
					if v.Image == nil || v.Namespace.Name != "prod" || v.Image.Name != "app" {
						return
					}
					v.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: markedBy}
					for i := range v.Tags {
						if v.Image.Tags[i].Name == "pr-1" {
							v.Tags[i].Delete = markedBy
						}
					}
				})
				s.judge = func(v *registry.Verdict) { // the policies in force would do it everywhere
					if v.Image != nil {
						v.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: markedBy}
						for i := range v.Tags {
							v.Tags[i].Delete = markedBy
						}
					}
				}
				forge(s, p)
				p.Seal()
				before := s.snapshot()
				time.Sleep(time.Minute)
				o, err := Apply(t.Context(), reread(t, p), s.environment(newMemoryJournal(t)), Options{})
				must(t, err)
				time.Sleep(time.Hour)
				for ref, was := range s.snapshot() {
					if strings.Contains(ref, ":pr-1") && before[ref] != was {
						t.Errorf("%s was %v and is %v", ref, before[ref], was)
					}
				}
				for _, r := range o.Results {
					if r.Action == actions.DeleteTag && r.Result == actions.ResultDone {
						t.Errorf("%s is %s", r.Ref, r.Result)
					}
				}
				if len(s.snapshot()) != len(before) {
					t.Error("something was deleted")
				}
			})
		})
	}
}

// retarget writes other names over the IDs of an image.
func retarget(p *actions.Plan, from, to string) {
	swap := func(s string) string { return strings.Replace(s, from, to, 1) }
	namespace, image, _ := strings.Cut(to, "/")
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Ref, s.Namespace, s.Image = swap(s.Ref), namespace, image
	}
	for i := range p.Images {
		p.Images[i].Ref = swap(p.Images[i].Ref)
	}
}

// What contradicts the plan counts, wherever it comes from.
func TestReadingsThatDisagree(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(s *site, p *actions.Plan) func(*http.Request) (*http.Response, error)
		want   actions.Result // of pr-2
		detail string
		stop   error
	}{
		{"its image names a tag that the listing does not show", func(s *site, _ *actions.Plan) func(*http.Request) (*http.Response, error) {
			return s.edited(http.MethodGet, "/images/", `"tags":[`, `"tags":["prod",`)
		}, actions.ResultChanged, "its image names prod, which the listing of its tags does not show", nil},
		{"the listing hides a tag that a GET finds", func(s *site, p *actions.Plan) func(*http.Request) (*http.Response, error) {
			return s.without(p.Steps[1].ID)
		}, actions.ResultChanged, "does not show", nil},
		{"the answer to the deletion has another digest", func(s *site, p *actions.Plan) func(*http.Request) (*http.Response, error) {
			return s.edited(http.MethodDelete, p.Steps[1].ID, p.Steps[1].Digest, "sha256:"+a)
		}, actions.ResultDone, "", ErrLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, many("", "", 3))
				p := s.markTags(plan.Options{})
				s.before = tt.answer(s, p)
				o, err := s.apply(p, Options{})
				if r := o.Results[1]; r.Result != tt.want || !strings.Contains(r.Detail, tt.detail) {
					t.Errorf("%s: %s", r.Result, r.Detail)
				}
				if !errors.Is(err, tt.stop) {
					t.Errorf("error %v, want %v", err, tt.stop)
				}
				if tt.stop != nil && (len(o.Lost) != 1 || !strings.HasSuffix(o.Lost[0], "pr-2@sha256:"+a) || !o.Incomplete()) {
					t.Errorf("lost %q", o.Lost)
				}
			})
		})
	}
}

// edited answers requests of a method whose path contains something with an edited
// body.
func (s *site) edited(method, path, from, to string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.Method != method || !strings.Contains(r.URL.Path, path) || strings.HasSuffix(r.URL.Path, "/tags") {
			return nil, nil
		}
		response, err := inProcess{s.server}.RoundTrip(r)
		must(s.t, err)
		body, err := io.ReadAll(response.Body)
		must(s.t, err)
		response.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte(from), []byte(to), 1)))
		response.ContentLength = -1
		return response, nil
	}
}

// without answers listings of tags as if one tag were not there.
func (s *site) without(id string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/tags") {
			return nil, nil
		}
		response, err := inProcess{s.server}.RoundTrip(r)
		must(s.t, err)
		body, err := io.ReadAll(response.Body)
		must(s.t, err)
		i := bytes.Index(body, []byte(`{"id":"`+id))
		if i >= 0 {
			end := i + bytes.IndexByte(body[i:], '}') + 1
			rest := bytes.TrimLeft(body[end:], ", ")
			if rest[0] == ']' {
				body = append(bytes.TrimRight(body[:i:i], ", "), rest...)
			} else {
				body = append(body[:i:i], rest...)
			}
			body = bytes.Replace(body, []byte(`"total_count":4`), []byte(`"total_count":3`), 1)
			body = bytes.Replace(body, []byte(`"total_count": 4`), []byte(`"total_count": 3`), 1)
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		response.ContentLength = -1
		return response, nil
	}
}
