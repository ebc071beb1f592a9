package scanner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

var errBoom = errors.New("500 Internal Server Error")

func only1(region registry.Region) Scope { return Scope{Regions: []registry.Region{region}} }

func TestScanDeliversEverything(t *testing.T) {
	denied := fmt.Errorf("list: %w", registry.ErrDenied)
	refused := fmt.Errorf("%w: %w", registry.ErrUnauthenticated, registry.ErrDenied)
	tests := []struct {
		name  string
		world func() *fake
		scope Scope
		want  string
	}{
		{
			name: "everything is streamed, tags newest first, ties by name",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api", "team/web").add("nl-ams", "prod", "api").add("pl-waw", "idle")
				f.tags[imageID("fr-par", "prod", "api")] = []registry.Tag{tag("old", time.Hour), tag("b", 0), tag("a", 0), tag("future", -time.Hour)}
				f.image("fr-par", "prod", "api").TagNames = []string{"old"} // truncated
				return f
			},
			want: lines(
				"image fr-par/prod/api [future a b old]", "image fr-par/prod/team/web [latest]", "image nl-ams/prod/api [latest]",
				"listed fr-par/prod empty=false", "listed nl-ams/prod empty=false", "listed pl-waw/idle empty=true",
				"namespace fr-par/prod", "namespace nl-ams/prod", "namespace pl-waw/idle"),
		},
		{
			name: "images of the same name in two namespaces are two images",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api").add("fr-par", "test", "api")
				f.tags[imageID("fr-par", "test", "api")] = []registry.Tag{tag("pr-1", 0)}
				f.image("fr-par", "test", "api").TagNames = nil
				return f
			},
			scope: only1("fr-par"),
			want: lines("image fr-par/prod/api [latest]", "image fr-par/test/api [pr-1]", "listed fr-par/prod empty=false",
				"listed fr-par/test empty=false", "namespace fr-par/prod", "namespace fr-par/test"),
		},
		{
			name: "what is not ready is skipped with all it holds, and an unknown status is not ready",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api", "locked", "new").add("fr-par", "going", "api")
				f.image("fr-par", "prod", "locked").Status = "locked"
				f.image("fr-par", "prod", "new").Status = "frozen"
				f.namespace("fr-par", "going").Status = "deleting"
				return f
			},
			scope: only1("fr-par"),
			want: lines("image fr-par/prod/api [latest]", "listed fr-par/prod empty=false", "namespace fr-par/prod",
				"skipped fr-par/going deleting", "skipped fr-par/prod/locked locked", "skipped fr-par/prod/new frozen"),
		},
		{
			name: "a region whose namespaces cannot be listed is a gap, and the others are complete",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api").add("nl-ams", "prod", "api")
				f.errs = map[string]error{"namespaces nl-ams": errBoom}
				return f
			},
			want: lines("gap rg.nl-ams.scw.cloud holds namespaces in nl-ams: 500 Internal Server Error",
				"image fr-par/prod/api [latest]", "listed fr-par/prod empty=false", "namespace fr-par/prod"),
		},
		{
			name: "when the image listing fails, the images before that are good and no namespace is empty",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api").add("fr-par", "idle")
				f.errs = map[string]error{"images fr-par": errBoom}
				return f
			},
			scope: only1("fr-par"),
			want: lines("gap rg.fr-par.scw.cloud holds namespaces in fr-par: 500 Internal Server Error",
				"image fr-par/prod/api [latest]", "listed fr-par/idle empty=false", "listed fr-par/prod empty=false",
				"namespace fr-par/idle", "namespace fr-par/prod"),
		},
		{
			name: "an image whose tags cannot be listed is a gap of its own",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api", "web")
				f.errs = map[string]error{"tags " + imageID("fr-par", "prod", "web"): errBoom}
				return f
			},
			scope: only1("fr-par"),
			want: lines("gap rg.fr-par.scw.cloud/prod/web holds itself in fr-par: 500 Internal Server Error",
				"image fr-par/prod/api [latest]", "listed fr-par/prod empty=false", "namespace fr-par/prod"),
		},
		{
			name: "an image that is deleted meanwhile is gone, not a gap",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api")
				f.errs = map[string]error{"tags " + imageID("fr-par", "prod", "api"): fmt.Errorf("list: %w", registry.ErrNotFound)}
				f.gone = map[string]bool{imageID("fr-par", "prod", "api"): true}
				return f
			},
			scope: only1("fr-par"),
			want:  lines("listed fr-par/prod empty=false", "namespace fr-par/prod", "skipped fr-par/prod/api gone"),
		},
		{
			name: "an image whose tags are not found although it is still listed is a gap",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api")
				f.errs = map[string]error{"tags " + imageID("fr-par", "prod", "api"): fmt.Errorf("list: %w", registry.ErrNotFound)}
				return f
			},
			scope: only1("fr-par"),
			want: lines("gap rg.fr-par.scw.cloud/prod/api holds itself in fr-par: list: not found, although the image is still listed",
				"listed fr-par/prod empty=false", "namespace fr-par/prod"),
		},
		{
			name: "no tags despite inline names or a size, or a duplicate name, is a gap; otherwise no tags are an empty image",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "named", "sized", "twice", "void")
				for _, name := range []string{"named", "sized", "void"} {
					f.tags[imageID("fr-par", "prod", name)] = nil
				}
				f.image("fr-par", "prod", "sized").TagNames, f.image("fr-par", "prod", "twice").TagNames = nil, nil
				f.image("fr-par", "prod", "void").TagNames = []string{}
				f.image("fr-par", "prod", "void").SizeBytes = 0
				f.tags[imageID("fr-par", "prod", "twice")] = []registry.Tag{tag("a", 0), tag("b", 1), tag("a", 2)}
				return f
			},
			scope: only1("fr-par"),
			want: lines(
				`gap rg.fr-par.scw.cloud/prod/named holds itself in fr-par: its tag listing lacks 1 tag that the image names: latest`,
				"gap rg.fr-par.scw.cloud/prod/sized holds itself in fr-par: its tag listing is empty, but the image has 5 bytes",
				"gap rg.fr-par.scw.cloud/prod/twice holds itself in fr-par: its tag listing shows 3 tags, but only 2 different names",
				"image fr-par/prod/void []", "listed fr-par/prod empty=false", "namespace fr-par/prod"),
		},
		{
			name: "an image whose tag listing lacks an inline name is read again: a gap if it still names it, a good image if not",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "hidden", "deleted", "emptied", "truncated", "other", "locked", "gone", "denied", "boom")
				f.again = map[string]registry.Image{}
				f.errs = map[string]error{"image " + imageID("fr-par", "prod", "denied"): denied, "image " + imageID("fr-par", "prod", "boom"): errBoom}
				f.errs["image "+imageID("fr-par", "prod", "gone")] = registry.ErrNotFound
				f.gone = map[string]bool{imageID("fr-par", "prod", "gone"): true}
				for i := range f.images {
					f.images[i].TagNames = []string{"prod", "latest"}
				}
				f.image("fr-par", "prod", "truncated").TagNames = []string{"latest"}
				f.tags[imageID("fr-par", "prod", "truncated")] = []registry.Tag{tag("latest", 0), tag("prod", 1)}
				f.tags[imageID("fr-par", "prod", "emptied")] = nil
				for name, change := range map[string]func(*registry.Image){
					"deleted": func(i *registry.Image) { i.TagNames = []string{"latest"} },
					"emptied": func(i *registry.Image) { i.TagNames, i.SizeBytes = nil, 0 },
					"other":   func(i *registry.Image) { i.TagNames, i.Name = []string{"latest"}, "another" },
					"locked":  func(i *registry.Image) { i.Status = "locked" },
				} {
					again := *f.image("fr-par", "prod", name)
					change(&again)
					f.again[again.ID] = again
				}
				return f
			},
			scope: only1("fr-par"),
			want: lines(
				"gap rg.fr-par.scw.cloud/prod/boom holds itself in fr-par: 500 Internal Server Error",
				"gap rg.fr-par.scw.cloud/prod/denied holds itself in fr-par: list: denied",
				"gap rg.fr-par.scw.cloud/prod/hidden holds itself in fr-par: its tag listing lacks 1 tag that the image names: prod",
				`gap rg.fr-par.scw.cloud/prod/other holds itself in fr-par: the image listing shows image im-fr-par-prod-other as "other" of namespace ns-fr-par-prod, but the image itself is "another" of namespace ns-fr-par-prod`,
				"image fr-par/prod/deleted [latest]", "image fr-par/prod/emptied []", "image fr-par/prod/truncated [latest prod]",
				"listed fr-par/prod empty=false", "namespace fr-par/prod", "skipped fr-par/prod/gone gone", "skipped fr-par/prod/locked locked"),
		},
		{
			name: "images of a namespace that is not listed are one gap",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api")
				for _, name := range []string{"x", "y"} {
					f.images = append(f.images, registry.Image{ID: "im-" + name, Name: name, NamespaceID: "ns-fr-par-new", Status: registry.StatusReady})
				}
				return f
			},
			scope: only1("fr-par"),
			want: lines(
				`gap rg.fr-par.scw.cloud holds itself in fr-par: image "x" (im-x) belongs to namespace ns-fr-par-new, which the listing of namespaces does not show: no image of that namespace was judged`,
				"image fr-par/prod/api [latest]", "listed fr-par/prod empty=false", "namespace fr-par/prod"),
		},
		{
			name: "a namespace that still counts images or bytes is a gap if none is listed, and out of scope it does not matter",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod").add("fr-par", "sized").add("fr-par", "idle").add("fr-par", "out")
				f.namespace("fr-par", "prod").ImageCount = 1
				f.namespace("fr-par", "sized").SizeBytes = 5_000_000
				f.namespace("fr-par", "out").ImageCount = 1
				return f
			},
			scope: Scope{Regions: []registry.Region{"fr-par"}, Exclude: []string{"out/**"}},
			want: lines("gap rg.fr-par.scw.cloud/prod holds itself in fr-par: its image listing is empty, but the namespace counts 1 image and 0 B",
				"gap rg.fr-par.scw.cloud/sized holds itself in fr-par: its image listing is empty, but the namespace counts 0 images and 5.0 MB",
				"listed fr-par/idle empty=true", "listed fr-par/prod empty=false", "listed fr-par/sized empty=false",
				"namespace fr-par/idle", "namespace fr-par/prod", "namespace fr-par/sized"),
		},
		{
			name: "a namespace whose images are gone when it is read again is neither empty nor a gap",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod")
				f.namespace("fr-par", "prod").ImageCount = 1
				f.emptied = true
				return f
			},
			scope: only1("fr-par"),
			want:  lines("listed fr-par/prod empty=false", "namespace fr-par/prod"),
		},
		{
			name: "a namespace whose only image is not ready or out of scope is not empty",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api").add("fr-par", "test", "tmp")
				f.namespace("fr-par", "prod").ImageCount = 0 // it lags behind
				f.namespace("fr-par", "test").ImageCount = 0
				f.image("fr-par", "prod", "api").Status = "deleting"
				return f
			},
			scope: Scope{Regions: []registry.Region{"fr-par"}, Exclude: []string{"*/tmp"}},
			want: lines("listed fr-par/prod empty=false", "listed fr-par/test empty=false", "namespace fr-par/prod",
				"namespace fr-par/test", "skipped fr-par/prod/api deleting"),
		},
		{
			name: "a denied region is one gap, and the others are complete",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api").add("nl-ams", "prod", "api")
				f.errs = map[string]error{"namespaces fr-par": denied}
				return f
			},
			want: lines("gap rg.fr-par.scw.cloud holds namespaces in fr-par: list: denied", "image nl-ams/prod/api [latest]",
				"listed nl-ams/prod empty=false", "namespace nl-ams/prod"),
		},
		{
			name: "a denied project is a gap of its own, and another is read as if alone",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api").add("fr-par", "idle").add("fr-par", "theirs", "x")
				f.namespace("fr-par", "theirs").ProjectID = "p2"
				f.errs = map[string]error{"namespaces fr-par/p2": denied}
				return f
			},
			scope: Scope{Regions: []registry.Region{"fr-par"}, ProjectIDs: []string{"p1", "p2"}},
			want: lines("gap project p2 in fr-par holds itself in fr-par: list: denied", "image fr-par/prod/api [latest]",
				"listed fr-par/idle empty=true", "listed fr-par/prod empty=false", "namespace fr-par/idle", "namespace fr-par/prod"),
		},
		{
			name: "a denied project that is listed first does not differ",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api").add("fr-par", "idle")
				f.namespaces[0].ProjectID, f.namespaces[1].ProjectID = "p2", "p2"
				f.errs = map[string]error{"namespaces fr-par/p1": denied}
				return f
			},
			scope: Scope{Regions: []registry.Region{"fr-par"}, ProjectIDs: []string{"p1", "p2"}},
			want: lines("gap project p1 in fr-par holds itself in fr-par: list: denied", "image fr-par/prod/api [latest]",
				"listed fr-par/idle empty=true", "listed fr-par/prod empty=false", "namespace fr-par/idle", "namespace fr-par/prod"),
		},
		{
			name: "a project whose images are denied leaves the namespaces of another provably empty, and its own not",
			world: func() *fake {
				f := new(fake).add("fr-par", "idle").add("fr-par", "theirs")
				f.namespace("fr-par", "theirs").ProjectID = "p2"
				f.errs = map[string]error{"images fr-par/p2": denied}
				return f
			},
			scope: Scope{Regions: []registry.Region{"fr-par"}, ProjectIDs: []string{"p1", "p2"}},
			want: lines("gap project p2 in fr-par holds itself in fr-par: list: denied", "listed fr-par/idle empty=true",
				"listed fr-par/theirs empty=false", "namespace fr-par/idle", "namespace fr-par/theirs"),
		},
		{
			name: "a project that cannot be listed for another reason leaves no namespace empty",
			world: func() *fake {
				f := new(fake).add("fr-par", "idle")
				f.errs = map[string]error{"namespaces fr-par/p2": errBoom}
				return f
			},
			scope: Scope{Regions: []registry.Region{"fr-par"}, ProjectIDs: []string{"p1", "p2"}},
			want: lines("gap rg.fr-par.scw.cloud holds namespaces in fr-par: 500 Internal Server Error",
				"listed fr-par/idle empty=false", "namespace fr-par/idle"),
		},
		{
			name: "refused credentials end a region, and hold everything",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod", "api").add("nl-ams", "prod", "api")
				f.errs = map[string]error{"namespaces fr-par": refused}
				return f
			},
			want: lines("gap rg.fr-par.scw.cloud holds all in : credentials refused: denied", "image nl-ams/prod/api [latest]",
				"listed nl-ams/prod empty=false", "namespace nl-ams/prod"),
		},
		{
			name: "denied images leave no namespace of their region empty",
			world: func() *fake {
				f := new(fake).add("fr-par", "prod").add("nl-ams", "prod")
				f.errs = map[string]error{"images fr-par": denied}
				return f
			},
			want: lines("gap rg.fr-par.scw.cloud holds namespaces in fr-par: list: denied", "listed fr-par/prod empty=false",
				"listed nl-ams/prod empty=true", "namespace fr-par/prod", "namespace nl-ams/prod"),
		},
		{
			name: "only namespaces and images in scope are delivered",
			world: func() *fake {
				return new(fake).add("fr-par", "prod", "api", "web").add("fr-par", "test", "api").add("fr-par", "funcscwx", "f")
			},
			scope: Scope{Regions: []registry.Region{"fr-par", "fr-par"}, Include: []string{"prod/**", "*/api"}, Exclude: []string{"funcscw*/**", "prod/web"}},
			want: lines("image fr-par/prod/api [latest]", "image fr-par/test/api [latest]", "listed fr-par/prod empty=false",
				"namespace fr-par/prod", "namespace fr-par/test"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, concurrency := range []int{1, 16} {
				items := scanAll(t, tt.world(), Options{Scope: tt.scope, Concurrency: concurrency})
				if diff := cmp.Diff(tt.want, story(items)); diff != "" {
					t.Errorf("with concurrency %d:\n%s", concurrency, diff)
				}
				mustBeOrdered(t, items)
			}
		})
	}
}

// mustBeOrdered fails if an item in a namespace comes before the namespace.
func mustBeOrdered(t *testing.T, items []Item) {
	t.Helper()
	known := map[*registry.Namespace]bool{}
	for _, item := range items {
		switch {
		case item.Namespace != nil && known[item.Namespace]:
			t.Errorf("%s is a duplicate", line(item))
		case item.Namespace != nil:
			known[item.Namespace] = true
		case item.Image != nil && !known[item.Image.Namespace], item.Listed != nil && !known[item.Listed.Namespace]:
			t.Errorf("%s came before its namespace", line(item))
		}
	}
}

func TestADeniedImageIsAGapOfThatImage(t *testing.T) {
	for denied := range 20 {
		f := new(fake)
		var names, want []string
		for i := range 20 {
			names = append(names, fmt.Sprintf("i%02d", i))
		}
		f.add("fr-par", "prod", names...)
		f.errs = map[string]error{"tags " + imageID("fr-par", "prod", names[denied]): fmt.Errorf("tags: %w", registry.ErrDenied)}
		for i, name := range names {
			if i == denied {
				want = append(want, "gap rg.fr-par.scw.cloud/prod/"+name+" holds itself in fr-par: tags: denied")
			} else {
				want = append(want, "image fr-par/prod/"+name+" [latest]")
			}
		}
		want = append(want, "listed fr-par/prod empty=false", "namespace fr-par/prod")
		slices.Sort(want)
		if diff := cmp.Diff(lines(want...), story(scanAll(t, f, Options{Concurrency: 4}))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRefusedTagListingStopsTheRegion(t *testing.T) {
	f := new(fake)
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("i%03d", i))
	}
	f.add("fr-par", "prod", names...).add("nl-ams", "prod", "api")
	f.errs = map[string]error{}
	for _, name := range names[10:] {
		f.errs["tags "+imageID("fr-par", "prod", name)] = fmt.Errorf("tags: %w", registry.ErrUnauthenticated)
	}
	items := scanAll(t, f, Options{Concurrency: 4})
	gaps, images, ams := 0, 0, false
	for _, item := range items {
		switch {
		case item.Gap != nil:
			gaps++
			if item.Gap.Holds != registry.HoldsAll || item.Gap.Subject != "rg.fr-par.scw.cloud" {
				t.Errorf("%s", line(item))
			}
		case item.Image != nil:
			images++
			ams = ams || item.Image.Namespace.Region == "nl-ams"
		case item.Listed != nil && item.Listed.Empty:
			t.Errorf("%s", line(item))
		}
	}
	if gaps != 1 || !ams || images < 2 {
		t.Errorf("%d gaps, %d images, the other region complete: %v", gaps, images, ams)
	}
	if calls := len(f.calls); calls > 40 {
		t.Errorf("%d calls after a refusal", calls)
	}
}

func TestImagesAreListedInFewCalls(t *testing.T) {
	many := func(prefix string, n int) []string {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("%s%d", prefix, i)
		}
		return names
	}
	world := func() *fake {
		f := new(fake).add("fr-par", "big", many("b", 500)...).add("fr-par", "small", "s").add("fr-par", "idle").add("fr-par", "tiny", "t")
		f.namespace("fr-par", "small").ProjectID = "p2"
		f.namespace("fr-par", "idle").ProjectID = "p2"
		return f
	}
	stream, single := "images fr-par", "images fr-par/ns-fr-par-"
	tests := []struct {
		name  string
		scope Scope
		want  []string
	}{
		{"everything: one stream", Scope{}, []string{stream}},
		{"one small namespace of many: its own", Scope{Include: []string{"small/**"}}, []string{single + "small"}},
		{"three small ones cost less than the stream", Scope{Exclude: []string{"big/**"}}, []string{single + "idle", single + "small", single + "tiny"}},
		{"the big one costs as much as the stream and then some", Scope{Exclude: []string{"tiny/**"}}, []string{stream}},
		{"a namespace that is only itself in scope need not be listed unless it may be empty", Scope{Include: []string{"big", "idle"}}, []string{single + "idle"}},
		{"nothing in scope: nothing listed", Scope{Include: []string{"other/**"}}, nil},
		{"projects: one stream each, if they matter", Scope{ProjectIDs: []string{"p1", "p2", "p3"}}, []string{stream + "/p1", stream + "/p2"}},
		{"a project without anything in scope costs nothing", Scope{ProjectIDs: []string{"p1", "p2"}, Include: []string{"big/**", "tiny/**"}}, []string{stream + "/p1"}},
		{"the case of a project ID does not matter", Scope{ProjectIDs: []string{"P2"}}, []string{stream + "/P2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := world()
			tt.scope.Regions = []registry.Region{"fr-par"}
			scanAll(t, f, Options{Scope: tt.scope})
			var got []string
			for _, call := range f.calls {
				if strings.HasPrefix(call, "images ") {
					got = append(got, call)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneFailedNamespaceListingIsAGapOfTheRegion(t *testing.T) {
	f := new(fake).add("fr-par", "a", "x").add("fr-par", "b", "y").add("fr-par", "big", slices.Repeat([]string{"z"}, 500)...)
	f.add("fr-par", "idle")
	f.errs = map[string]error{"images fr-par/ns-fr-par-a": errBoom}
	items := scanAll(t, f, Options{Scope: Scope{Regions: []registry.Region{"fr-par"}, Exclude: []string{"big/**"}}})
	want := lines("gap rg.fr-par.scw.cloud/a holds namespaces in fr-par: 500 Internal Server Error",
		"image fr-par/a/x [latest]", "image fr-par/b/y [latest]",
		"listed fr-par/a empty=false", "listed fr-par/b empty=false", "listed fr-par/idle empty=false",
		"namespace fr-par/a", "namespace fr-par/b", "namespace fr-par/idle")
	if diff := cmp.Diff(want, story(items)); diff != "" {
		t.Error(diff)
	}
}

func TestContentDoesNotDependOnConcurrency(t *testing.T) {
	world := func() *fake {
		f := new(fake)
		for _, region := range registry.Regions() {
			for n := range 5 {
				var names []string
				for i := range 20 {
					names = append(names, fmt.Sprintf("i%d", i))
				}
				f.add(region, fmt.Sprintf("n%d", n), names...)
			}
		}
		f.errs = map[string]error{"tags " + imageID("fr-par", "n1", "i3"): errBoom}
		return f
	}
	want := scanAll(t, world(), Options{Concurrency: 1})
	slices.SortFunc(want, byLine)
	for _, concurrency := range []int{2, 16, 64} {
		got := scanAll(t, world(), Options{Concurrency: concurrency})
		slices.SortFunc(got, byLine)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with concurrency %d:\n%s", concurrency, diff)
		}
	}
}

func TestScanEndsWithItsContext(t *testing.T) {
	f := new(fake).add("fr-par", "prod", slices.Repeat([]string{"x"}, 500)...)
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left behind
		ctx, cancel := context.WithCancelCause(t.Context())
		stream := Scan(ctx, f, Options{Concurrency: 4})
		<-stream.Items()
		synctest.Wait() // everything waits for the consumer now
		cancel(errBoom)
		items, err := drain(stream)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errBoom) {
			t.Errorf("error %v", err)
		}
		for _, item := range items {
			if item.Gap != nil {
				t.Errorf("the end of the scan is delivered as %s", line(item))
			}
		}
	})
}

func TestScanHoldsFewImagesAtOnce(t *testing.T) {
	var names []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf("i%d", i))
	}
	f := new(fake).add("fr-par", "prod", names...)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stream := Scan(ctx, f, Options{Concurrency: 4})
		synctest.Wait() // without a receiver
		f.mu.Lock()
		listings := len(slices.DeleteFunc(f.calls, func(c string) bool { return !strings.HasPrefix(c, "tags ") }))
		f.mu.Unlock()
		if listings > 10 { // four in the channel, six with the workers
			t.Errorf("%d images are held without a receiver", listings)
		}
		cancel()
		_, _ = drain(stream)
	})
}

func TestInvalidScopeIsAnError(t *testing.T) {
	for name, scope := range map[string]Scope{
		"a region without a registry": {Regions: []registry.Region{"it-mil"}},
		"a bad include":               {Include: []string{"prod/[a"}},
		"a bad exclude":               {Exclude: []string{"{a"}},
		"an empty glob":               {Include: []string{""}},
		"an empty project":            {ProjectIDs: []string{""}},
	} {
		f := new(fake).add("fr-par", "prod", "api")
		items, err := drain(Scan(t.Context(), f, Options{Scope: scope}))
		if err == nil || len(items) > 0 || len(f.calls) > 0 {
			t.Errorf("%s: %v, %d items, %d calls", name, err, len(items), len(f.calls))
		}
	}
}
