package emulator

import (
	"cmp"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/listing"
	"github.com/registry-janitor/registry-janitor/emulator/internal/recipes"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// builder makes the objects of a world. All times count from start.
type builder struct {
	start    int64 // microseconds
	regions  map[string]*region
	owner    wire.UUID // project of the namespaces that name none
	tenant   wire.UUID // organization of the same
	bySize   map[digest]int64
	contents *recipes.Contents
}

func (b *builder) ago(age time.Duration) int64 { return b.start - int64(age/time.Microsecond) }

// createdBefore is created_at for something whose age at creation is not given:
// 0.3 to 0.9 seconds before updated_at, as recorded from the real API.
func createdBefore(updated int64, id wire.UUID) int64 {
	return updated - 300_000 - id.Number(600_001)
}

func (b *builder) namespaces(w *worlds.World) {
	made := map[*region][]*namespace{}
	for i := range w.Namespaces {
		entry := &w.Namespaces[i]
		for n := range worlds.Repeat(entry.Count) {
			ns := b.namespace(entry, n)
			made[ns.region] = append(made[ns.region], ns)
		}
	}
	for r, list := range made {
		r.namespaces.Fill(list)
		var images []*image
		for _, ns := range list {
			images = append(images, ns.images.Rows...)
		}
		r.images.Fill(images)
	}
}

func (b *builder) namespace(entry *worlds.Namespace, n int) *namespace {
	r := b.regions[cmp.Or(entry.Region, worlds.Regions()[0])]
	ns := &namespace{
		name:           worlds.Expand(entry.Name, entry.Count, n),
		description:    entry.Description,
		region:         r,
		status:         cmp.Or(entry.Status, statusReady),
		isPublic:       entry.IsPublic,
		organizationID: ownerOr(entry.OrganizationID, b.tenant),
		projectID:      ownerOr(entry.ProjectID, b.owner),
	}
	ns.id = wire.Identify(r.name, ns.name)
	r.byNamespace[ns.id] = ns

	var images []*image
	for i := range entry.Images {
		for k := range worlds.Repeat(entry.Images[i].Count) {
			img := b.image(&entry.Images[i], k, ns)
			images = append(images, img)
			ns.size += img.size()
		}
	}
	if entry.Size != 0 {
		ns.size = int64(entry.Size)
	}
	ns.images.Fill(images)
	oldest, latest := span(images, func(i *image) int64 { return i.updated }, b.start)
	ns.created, ns.updated = b.times(entry.Age, entry.CreatedAge, ns.id, oldest, latest)
	return ns
}

func (b *builder) image(entry *worlds.Image, n int, ns *namespace) *image {
	img := &image{
		entry:      entry,
		name:       worlds.Expand(entry.Name, entry.Count, n),
		namespace:  ns,
		status:     cmp.Or(entry.Status, statusReady),
		visibility: cmp.Or(entry.Visibility, visibilityInherit),
	}
	img.id = wire.Identify(ns.region.name, ns.name, img.name)
	ns.region.byImage[img.id] = img

	img.tags.Fill(b.tags(entry.Tags, img))
	b.sizes(img, int64(entry.Size))
	age, createdAge := entry.Age, entry.CreatedAge
	step := time.Duration(n) * entry.Step
	if age += step; createdAge != 0 {
		createdAge += step
	}
	oldest, latest := span(img.tags.Rows, func(t *tag) int64 { return t.updated }, b.start)
	img.created, img.updated = b.times(age, createdAge, img.id, oldest, latest)
	return img
}

// times are those of an image or a namespace: as given, or as old as its contents.
func (b *builder) times(age, createdAge time.Duration, id wire.UUID, oldest, latest int64) (created, updated int64) {
	updated = latest
	if age != 0 {
		updated = b.ago(age)
	}
	if createdAge != 0 {
		return b.ago(createdAge), updated
	}
	return min(oldest, createdBefore(updated, id)), updated
}

// tags makes the tags of one image in one piece of memory.
func (b *builder) tags(entries []worlds.Tag, img *image) []*tag {
	total := 0
	for i := range entries {
		total += worlds.Repeat(entries[i].Count)
	}
	memory := make([]tag, total)
	rows := make([]*tag, 0, total)
	for i := range entries {
		for n := range worlds.Repeat(entries[i].Count) {
			t := &memory[len(rows)]
			b.tag(t, &entries[i], n, img)
			rows = append(rows, t)
			img.namespace.region.byTag[t.id] = t
		}
	}
	return rows
}

func (b *builder) tag(t *tag, entry *worlds.Tag, n int, img *image) {
	t.image = img
	t.name = b.contents.Named(worlds.Expand(entry.Name, entry.Count, n))
	t.status = cmp.Or(entry.Status, statusReady)
	t.size = int64(entry.Size)
	t.id = wire.Identify(img.namespace.region.name, img.namespace.name, img.name, t.name)
	t.entry, t.n = entry, int32(n) //nolint:gosec // a count is at most ten million
	t.digest = t.held().Seed()
	step := time.Duration(n) * entry.Step
	t.updated = b.ago(entry.Age + step)
	t.created = createdBefore(t.updated, t.id)
	if entry.CreatedAge != 0 {
		t.created = b.ago(entry.CreatedAge + step)
	}
}

// sizes gives all tags of one digest the same size and adds up the image.
func (b *builder) sizes(img *image, declared int64) {
	clear(b.bySize)
	for _, t := range img.tags.Rows {
		b.bySize[t.digest] = max(t.size, b.bySize[t.digest])
	}
	counted := map[digest]bool{}
	for _, t := range img.tags.Rows {
		t.size = b.bySize[t.digest]
		if t.size == 0 {
			t.size = recipes.MadeUpSize(t.digest, t.name)
			b.bySize[t.digest] = t.size
		}
		if t.status != statusDeleting && !counted[t.digest] {
			counted[t.digest] = true
			img.live += t.size
		}
	}
	if slices.ContainsFunc(img.entry.Tags, func(t worlds.Tag) bool { return len(t.Parts) > 0 }) {
		img.sharesBlobs, img.live = true, weight(img)
	}
	if declared != 0 {
		img.extra = declared - img.live
	}
}

// span returns the earliest creation and the latest update among rows; without
// rows, both are otherwise.
func span[T listing.Row](rows []T, updated func(T) int64, otherwise int64) (oldest, latest int64) {
	if len(rows) == 0 {
		return otherwise, otherwise
	}
	latest = updated(rows[0])
	for _, r := range rows {
		latest = max(latest, updated(r))
	}
	return rows[0].Born(), latest
}

func ownerOr(id string, otherwise wire.UUID) wire.UUID {
	if given, ok := wire.ParseUUID(id); ok {
		return given
	}
	return otherwise
}

// NamespaceID is the identifier of a namespace of the world.
func NamespaceID(region, namespace string) string {
	return wire.Identify(region, namespace).String()
}

// ImageID is the identifier of an image of the world.
func ImageID(region, namespace, image string) string {
	return wire.Identify(region, namespace, image).String()
}

// Digest is the digest that a word of the world stands for.
func (s *Server) Digest(text string) string { return s.contents.Word(text).String() }
