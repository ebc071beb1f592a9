package resolve

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

var planned = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shown is a registry that shows the same of every object, and after some time that
// it is gone.
type shown struct {
	is   registry.Tag // what all objects have in common
	at   string       // the visibility of an image
	err  error
	gone time.Time
}

func (s shown) answer(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !s.gone.IsZero() && time.Now().After(s.gone):
		return registry.ErrNotFound
	}
	return s.err
}

func (s shown) GetTag(ctx context.Context, _ registry.Region, _, _ string) (registry.Tag, time.Time, error) {
	return s.is, time.Time{}, s.answer(ctx)
}

func (s shown) GetImage(ctx context.Context, _ registry.Region, _ string) (registry.Image, time.Time, error) {
	return registry.Image{Name: s.is.Name, Status: s.is.Status, UpdatedAt: s.is.UpdatedAt, Visibility: registry.Visibility(s.at)}, time.Time{}, s.answer(ctx)
}

func (s shown) GetNamespace(ctx context.Context, _ registry.Region, _ string) (registry.Namespace, time.Time, error) {
	return registry.Namespace{Name: s.is.Name, Status: s.is.Status, UpdatedAt: s.is.UpdatedAt, IsPublic: s.at == "public"}, time.Time{}, s.answer(ctx)
}

func TestInterrupted(t *testing.T) {
	tag := registry.Tag{Name: "pr-1", Digest: "sha256:a", Status: registry.StatusReady, UpdatedAt: planned}
	named := func(name string) registry.Tag { n := tag; n.Name = name; return n }
	with := func(status registry.Status) registry.Tag { n := tag; n.Status = status; return n }
	pushed := tag
	pushed.Digest = "sha256:b"
	later := named("web")
	later.UpdatedAt = planned.Add(1)
	deleteTag := actions.Step{Action: actions.DeleteTag, Tag: "pr-1", Digest: "sha256:a", UpdatedAt: planned}
	deleteSpace := actions.Step{Action: actions.DeleteNamespace, Namespace: "void", UpdatedAt: planned}
	close := actions.Step{Action: actions.SetImageVisibility, Image: "web", UpdatedAt: planned, From: "public", To: "private"}
	const done = "done it was interrupted, and reading it confirms that it was carried out"
	for _, tt := range []struct {
		name string
		step actions.Step
		now  shown
		want string
	}{
		{"a tag that is not found", deleteTag, shown{err: registry.ErrNotFound}, done},
		{"a tag that is as planned", deleteTag, shown{is: tag}, "skipped it was interrupted before it was carried out, and is as it was"},
		{"a tag that was pushed", deleteTag, shown{is: pushed}, "changed it has another digest now: sha256:b"},
		{"a tag that is locked", deleteTag, shown{is: with("locked")}, "changed its status is locked"},
		{"a tag that is being deleted, and is gone later", deleteTag, shown{is: with(registry.StatusDeleting), gone: time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)}, done},
		{"a tag that is being deleted for long", deleteTag, shown{is: with(registry.StatusDeleting)}, "failed it was interrupted while it was being deleted, and is not gone yet"},
		{"a registry that does not answer", deleteTag, shown{err: errors.New("500")}, "failed it was interrupted, and could not be read afterwards: 500"},
		{"a namespace that is not found", deleteSpace, shown{err: registry.ErrNotFound}, done},
		{"a namespace that is there", deleteSpace, shown{is: named("void")}, "skipped it was interrupted before it was carried out, and is as it was"},
		{"a namespace of another name", deleteSpace, shown{is: named("prod")}, "changed it is named prod now"},
		{"an image that is private now", close, shown{is: later, at: "private"}, done},
		{"an image that is as public as it was", close, shown{is: named("web"), at: "public"}, "skipped it was interrupted before it was carried out, and is as it was"},
		{"an image that inherits now", close, shown{is: named("web"), at: "inherit"}, "changed it is inherit now"},
		{"an image that was updated", close, shown{is: later, at: "public"}, "changed it was updated at 2026-11-22T12:00:00Z, after it was planned"},
		{"an image that is being deleted", close, shown{is: with(registry.StatusDeleting), at: "public"}, "changed it is being deleted"},
		{"an image that is gone", close, shown{err: registry.ErrNotFound}, "gone it was interrupted, and is not there any more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				for _, r := range Interrupted(t.Context(), []actions.Step{tt.step}, tt.now) {
					got = append(got, fmt.Sprint(r.Result, " ", r.Detail))
				}
				if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A step that could not be read because the run ends is left to the next run.
func TestAStepThatIsNotReadHasNoResult(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := Interrupted(ctx, make([]actions.Step, 3), shown{}); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}
