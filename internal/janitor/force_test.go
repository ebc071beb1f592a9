package janitor

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/registry"
)

// testSource is a use source of a test.
type testSource func() ([]registry.Use, error)

func (testSource) Name() string                                   { return "test" }
func (s testSource) Uses(context.Context) ([]registry.Use, error) { return s() }

// What comes into use while a plan is applied counts from the next minute on, and a
// source that cannot be reached any more lets nothing more be deleted.
func TestUsesAreReadAgainEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetting(t, parse(t, usedWorld), usedRules, 4)
		var lock sync.Mutex // of answer and failure
		var answer []registry.Use
		var failure error
		set := &uses.Set{}
		set.Require("test", true)
		set.Add("test", testSource(func() ([]registry.Use, error) {
			lock.Lock()
			defer lock.Unlock()
			return answer, failure
		}))
		session := &Session{Planner: s.planner, uses: set, o: SessionOptions{Now: atNow}}
		p := s.planWith(t, &uses.Set{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		force, err := session.inForce(ctx, p)
		check(t, err)
		ns := registry.Namespace{Name: "prod", Region: "fr-par", Status: registry.StatusReady}
		img := &registry.Image{Name: "web", Namespace: &ns, Status: registry.StatusReady, Tags: []registry.Tag{
			{ID: "1", Name: "latest", Digest: "sha256:1", Status: registry.StatusReady, CreatedAt: now.Add(-time.Hour * 24), UpdatedAt: now.Add(-time.Hour * 24)},
			{ID: "2", Name: "pr-1", Digest: "sha256:2", Status: registry.StatusReady, CreatedAt: now.Add(-time.Hour * 24 * 40), UpdatedAt: now.Add(-time.Hour * 24 * 40)},
		}}
		steps := func() int {
			j, err := force.judge(ctx, apply.Subject{Namespace: &ns, Image: img})
			check(t, err)
			return len(j.Steps)
		}
		if n := steps(); n != 1 {
			t.Fatalf("%d steps, want the one of pr-1", n)
		}
		lock.Lock()
		answer = []registry.Use{{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "web", Tag: "pr-1"}, By: "a deployment"}}
		lock.Unlock()
		time.Sleep(time.Minute)
		if n := steps(); n != 0 {
			t.Errorf("%d steps on a tag that came into use a minute ago", n)
		}
		lock.Lock()
		answer, failure = nil, errors.New("out of reach")
		lock.Unlock()
		time.Sleep(time.Minute)
		if _, err := force.judge(ctx, apply.Subject{Namespace: &ns, Image: img}); err == nil || !strings.Contains(err.Error(), "out of reach") {
			t.Errorf("a source that cannot be reached any more: %v", err)
		}
	})
}
