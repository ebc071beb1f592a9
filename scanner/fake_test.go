package scanner

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 123456789, time.UTC)

// fake is a registry in memory that counts its calls.
type fake struct {
	namespaces []registry.Namespace
	images     []registry.Image // in any region; NamespaceID set
	tags       map[string][]registry.Tag

	// Errors by what is listed: "namespaces fr-par" (also with "/<project id>"), "images
	// fr-par" (also with "/<namespace id>" and the project), "tags <image id>", "image <image id>". An image listing fails at its end.
	errs map[string]error
	// again are images as they are when they are read on their own.
	again map[string]registry.Image
	// emptied: a namespace that is read by its name counts nothing any more.
	emptied bool
	// gone are the IDs of images that a listing by name does not have any more.
	gone map[string]bool

	mu    sync.Mutex
	calls []string
}

func (f *fake) call(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, what)
	return f.errs[what]
}

func (f *fake) Namespaces(_ context.Context, q registry.Query) ([]registry.Namespace, error) {
	what := "namespaces " + string(q.Region)
	if err := cmp.Or(f.call(what), f.errs[what+"/"+q.ProjectID]); err != nil {
		return nil, err
	}
	var list []registry.Namespace
	for _, n := range f.namespaces {
		if q.Name != "" && f.emptied {
			n.ImageCount, n.SizeBytes = 0, 0
		}
		if n.Region == q.Region && (q.Name == "" || q.Name == n.Name) && (q.ProjectID == "" || sameID(n.ProjectID, q.ProjectID)) {
			list = append(list, n)
		}
	}
	return list, nil
}

func (f *fake) Images(_ context.Context, q registry.Query) iter.Seq2[registry.Image, error] {
	what := "images " + string(q.Region)
	if q.NamespaceID != "" {
		what += "/" + q.NamespaceID
	}
	if q.ProjectID != "" {
		what += "/" + q.ProjectID
	}
	return func(yield func(registry.Image, error) bool) {
		err := f.call(what)
		for _, image := range f.images {
			n := f.namespaceOf(&image)
			here := n == nil && strings.Contains(image.NamespaceID, string(q.Region)) ||
				n != nil && n.Region == q.Region && (q.ProjectID == "" || sameID(n.ProjectID, q.ProjectID))
			here = here && (q.Name == "" || q.Name == image.Name && !f.gone[image.ID])
			if here && (q.NamespaceID == "" || image.NamespaceID == q.NamespaceID) && !yield(image, nil) {
				return
			}
		}
		if err != nil {
			yield(registry.Image{}, err)
		}
	}
}

func (f *fake) Image(_ context.Context, _ registry.Region, id string) (registry.Image, error) {
	if err := f.call("image " + id); err != nil {
		return registry.Image{}, err
	}
	at := slices.IndexFunc(f.images, func(i registry.Image) bool { return i.ID == id })
	if again, ok := f.again[id]; ok {
		return again, nil
	}
	return f.images[at], nil
}

func (f *fake) Tags(ctx context.Context, _ registry.Region, imageID string) ([]registry.Tag, error) {
	if err := f.call("tags " + imageID); err != nil {
		return nil, err
	}
	return slices.Clone(f.tags[imageID]), ctx.Err()
}

func (f *fake) namespaceOf(image *registry.Image) *registry.Namespace {
	at := slices.IndexFunc(f.namespaces, func(n registry.Namespace) bool { return n.ID == image.NamespaceID })
	if at < 0 {
		return nil
	}
	return &f.namespaces[at]
}

// add puts a ready namespace with ready images of one tag each into a region.
func (f *fake) add(region registry.Region, namespace string, images ...string) *fake {
	n := registry.Namespace{
		ID: "ns-" + string(region) + "-" + namespace, Name: namespace, Region: region, ProjectID: "p1", OrganizationID: "o1",
		Status: registry.StatusReady, ImageCount: uint64(len(images)), CreatedAt: epoch, UpdatedAt: epoch,
	}
	f.namespaces = append(f.namespaces, n)
	if f.tags == nil {
		f.tags = map[string][]registry.Tag{}
	}
	for _, name := range images {
		image := registry.Image{
			NamespaceID: n.ID, ID: imageID(region, namespace, name), Name: name, Status: registry.StatusReady,
			Visibility: registry.Inherit, SizeBytes: 5, TagNames: []string{"latest"}, CreatedAt: epoch, UpdatedAt: epoch,
		}
		f.images = append(f.images, image)
		f.tags[image.ID] = []registry.Tag{tag("latest", 0)}
	}
	return f
}

func imageID(region registry.Region, namespace, image string) string {
	return fmt.Sprintf("im-%s-%s-%s", region, namespace, image)
}

func tag(name string, age time.Duration) registry.Tag {
	return registry.Tag{
		ID: "tag-" + name, Name: name, Digest: "sha256:" + name, Status: registry.StatusReady,
		CreatedAt: epoch.Add(-age), UpdatedAt: epoch.Add(-age),
	}
}

func (f *fake) image(region registry.Region, namespace, name string) *registry.Image {
	at := slices.IndexFunc(f.images, func(i registry.Image) bool { return i.ID == imageID(region, namespace, name) })
	return &f.images[at]
}

func (f *fake) namespace(region registry.Region, name string) *registry.Namespace {
	at := slices.IndexFunc(f.namespaces, func(n registry.Namespace) bool { return n.Region == region && n.Name == name })
	return &f.namespaces[at]
}

// collect drains a stream.
func collect(t *testing.T, s *Stream) []Item {
	t.Helper()
	items, err := drain(s)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func drain(s *Stream) ([]Item, error) {
	var items []Item
	for item := range s.Items() {
		items = append(items, item)
	}
	return items, s.Err()
}

func scanAll(t *testing.T, f *fake, o Options) []Item {
	t.Helper()
	return collect(t, Scan(t.Context(), f, o))
}

// story renders items as sorted lines that a person can compare.
func story(items []Item) string {
	var lines []string
	for _, item := range items {
		lines = append(lines, line(item))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func line(item Item) string {
	short := func(ref registry.Ref) string {
		return strings.Replace(strings.Replace(ref.String(), "rg.", "", 1), ".scw.cloud", "", 1)
	}
	switch {
	case item.Namespace != nil:
		return "namespace " + short(item.Namespace.Ref())
	case item.Image != nil:
		var tags []string
		for _, t := range item.Image.Tags {
			tags = append(tags, t.Name)
		}
		return fmt.Sprintf("image %s %v", short(item.Image.Ref()), tags)
	case item.Listed != nil:
		return fmt.Sprintf("listed %s empty=%v", short(item.Listed.Namespace.Ref()), item.Listed.Empty)
	case item.Skipped != nil:
		return fmt.Sprintf("skipped %s %s", short(item.Skipped.Ref), item.Skipped.Status)
	case item.Use != nil:
		return fmt.Sprintf("use %s by %s", short(item.Use.Ref), item.Use.By)
	case item.Gap != nil:
		return fmt.Sprintf("gap %s holds %s in %s: %s", item.Gap.Subject, item.Gap.Holds, item.Gap.Region, item.Gap.Error)
	}
	return "nothing"
}

func lines(l ...string) string { return strings.Join(l, "\n") }

// byLine orders items by their lines.
func byLine(a, b Item) int { return cmp.Compare(line(a), line(b)) }
