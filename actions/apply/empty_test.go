package apply

import (
	"bytes"
	"context"
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

// fixedEditor is an editor that returns what it was given, whether that is consistent or not.
type fixedEditor struct {
	Registry
	image     registry.Image
	namespace registry.Namespace
	tags      []registry.Tag
	images    []registry.Image
	err       error // of listings
}

func (e fixedEditor) GetImage(context.Context, registry.Region, string) (registry.Image, time.Time, error) {
	return e.image, time.Now(), nil
}

func (e fixedEditor) GetNamespace(context.Context, registry.Region, string) (registry.Namespace, time.Time, error) {
	return e.namespace, time.Now(), nil
}

func (e fixedEditor) ListTags(context.Context, registry.Region, string) ([]registry.Tag, time.Time, error) {
	return e.tags, time.Now(), e.err
}

func (e fixedEditor) ListImages(context.Context, registry.Region, string) ([]registry.Image, time.Time, error) {
	return e.images, time.Now(), e.err
}

// Each of the signs that something is not empty is enough by itself.
func TestWhatIsDeletedWholeIsEmptyByEverySign(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*fixedEditor)
		want string // "" when both are empty
	}{
		{"nothing", func(*fixedEditor) {}, ""},
		{"a tag is listed", func(e *fixedEditor) { e.tags = make([]registry.Tag, 1) }, "it has 1 tag"},
		{"a tag is named inline", func(e *fixedEditor) { e.image.TagNames = []string{"v1"} }, "it names 1 tag"},
		{"it has a size", func(e *fixedEditor) { e.image.SizeBytes = 5 }, "a size of 5 bytes"},
		{"it has another name", func(e *fixedEditor) { e.image.Name = "x" }, "is named x"},
		{"it is locked", func(e *fixedEditor) { e.image.Status = "locked" }, "its status is locked"},
		{"it was updated", func(e *fixedEditor) { e.image.UpdatedAt = scanTime.Add(1) }, "after it was planned"},
		{"its listing fails", func(e *fixedEditor) { e.err = registry.ErrThrottled }, "throttled"},
	} {
		e := fixedEditor{namespace: registry.Namespace{Name: "prod"}, image: registry.Image{Name: "bare", Status: registry.StatusReady, UpdatedAt: scanTime}}
		tt.edit(&e)
		checkUnchanged(t, "an image of which "+tt.name, &actions.Step{Action: actions.DeleteImage, Ref: "rg.fr-par.scw.cloud/prod/bare", Image: "bare", Namespace: "prod", UpdatedAt: scanTime}, e, tt.want)
	}
	for _, tt := range []struct {
		name string
		edit func(*fixedEditor)
		want string
	}{
		{"nothing", func(*fixedEditor) {}, ""},
		{"an image is listed", func(e *fixedEditor) { e.images = make([]registry.Image, 2) }, "it has 2 images"},
		{"an image is counted", func(e *fixedEditor) { e.namespace.ImageCount = 1 }, "the API counts 1 image"},
		{"it has another name", func(e *fixedEditor) { e.namespace.Name = "x" }, "is named x"},
		{"it is locked", func(e *fixedEditor) { e.namespace.Status = "locked" }, "its status is locked"},
		{"it was updated", func(e *fixedEditor) { e.namespace.UpdatedAt = scanTime.Add(1) }, "after it was planned"},
		{"its listing fails", func(e *fixedEditor) { e.err = registry.ErrIncomplete }, "incomplete listing"},
	} {
		e := fixedEditor{namespace: registry.Namespace{Name: "void", Status: registry.StatusReady, UpdatedAt: scanTime}}
		tt.edit(&e)
		checkUnchanged(t, "a namespace of which "+tt.name, &actions.Step{Action: actions.DeleteNamespace, Ref: "rg.fr-par.scw.cloud/void", Namespace: "void", UpdatedAt: scanTime}, e, tt.want)
	}
}

func checkUnchanged(t *testing.T, name string, s *actions.Step, e Registry, want string) {
	t.Helper()
	judge := func(context.Context, Subject) (actions.Decision, error) {
		return actions.Decision{Steps: []actions.Step{*s}}, nil
	}
	r := newRun(t.Context(), []actions.Step{*s}, Environment{Registry: e, Judge: judge}, Options{}.withDefaults())
	defer r.close()
	c := change{step: step{Step: &r.steps[0]}, r: r, place: r.places.Of(s.Object())}
	seen, err := c.read()
	switch {
	case err != nil:
		if want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	case want == "" && seen.is != objectAsPlanned, want != "" && (seen.is != objectDifferent || !strings.Contains(seen.detail, want)):
		t.Errorf("%s: %+v, want %q", name, seen, want)
	}
}

func TestAnImageThatIsNotReadyIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, many("", "", 3))
		p := s.markTags(plan.Options{})
		s.before = func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/images/"+p.Images[0].ID) {
				return nil, nil
			}
			response, err := inProcess{s.server}.RoundTrip(r)
			must(t, err)
			body, err := io.ReadAll(response.Body)
			must(t, err)
			response.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte(`"status":"ready"`), []byte(`"status":"locked"`), 1)))
			return response, nil
		}
		o, err := s.audited(p, Options{})
		if err != nil || o.Changed != 3 || o.Results[0].Detail != "the status of its image is locked" {
			t.Errorf("%v: %+v", err, o)
		}
	})
}

// A run changes the updated_at of what it edits; that must not look like the work
// of another client.
func TestARunKnowsItsOwnChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, `{settings: {latency: 5ms}, namespaces: [
			{name: void, is_public: true, age: 400d},
			{name: prod, is_public: true, age: 400d, images: [{name: bare, visibility: public, age: 40d}, {name: api, visibility: public, tags: [{name: pr-1, age: 20d}]}]}]}`)
		p := s.plan(unlimited(), func(v *registry.Verdict) {
			v.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: markedBy}
			if v.Image == nil {
				if v.Namespace.Name == "void" {
					v.Delete = markedBy
				}
				return
			}
			v.Delete = markedBy
			for i := range v.Tags {
				v.Tags[i].Delete = markedBy
			}
		})
		o, err := s.audited(p, Options{})
		if err != nil || o.Done != 8 || len(p.Steps) != 8 {
			t.Errorf("%v: %+v", err, o.Results)
		}
	})
}

func TestATagThatIsBeingDeletedAlreadyIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, many("delete_delay: 30m", "", 3))
		p := s.markTags(plan.Options{})
		s.deleteTag("prod/api:pr-2")
		before := time.Now()
		j := newMemoryJournal(t)
		o, err := Apply(t.Context(), p, s.environment(j), Options{ConfirmTimeout: 45 * time.Minute, Canary: -1})
		if err != nil || o.Done != 2 || o.Results[1].Result != actions.ResultChanged || o.Results[1].Detail != "it is being deleted already" {
			t.Errorf("%v after %s: %+v", err, time.Since(before), o)
		}
		if n := s.changes("pr-2", p); n != 1 {
			t.Errorf("%d deletions were sent", n)
		}
	})
}
