package emulator

import (
	"slices"
	"strconv"

	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
)

func (n *namespace) key() wire.UUID { return n.id }
func (n *namespace) Born() int64    { return n.created }
func (n *namespace) Title() string  { return n.name }
func (n *namespace) state() string  { return n.status }
func (i *image) key() wire.UUID     { return i.id }
func (i *image) Born() int64        { return i.created }
func (i *image) Title() string      { return i.name }
func (t *tag) key() wire.UUID       { return t.id }
func (t *tag) Born() int64          { return t.created }
func (t *tag) Title() string        { return t.name }
func (n *namespace) Ref() string    { return n.name }
func (i *image) Ref() string        { return i.namespace.name + "/" + i.name }
func (t *tag) Ref() string          { return t.image.Ref() + ":" + t.name }

func (n *namespace) Write(w *wire.Writer) {
	w.Open("id").ID(n.id)
	w.Next("name").Text(n.name)
	w.Next("description").Text(n.description)
	w.Next("organization_id").ID(n.organizationID)
	w.Next("project_id").ID(n.projectID)
	writeStatus(w, n)
	w.Next("status_message").Text("")
	w.Next("endpoint").Text("rg." + n.region.name + ".scw.cloud/" + n.name)
	w.Next("is_public").Raw(strconv.FormatBool(n.isPublic))
	w.Next("size").Number(n.size)
	w.Next("created_at").Time(n.created)
	w.Next("updated_at").Time(n.updated)
	w.Next("image_count").Number(int64(len(n.images.Rows)))
	w.Next("region").Text(n.region.name)
	w.Raw("}")
}

func (i *image) Write(w *wire.Writer) {
	w.Open("id").ID(i.id)
	w.Next("name").Text(i.name)
	w.Next("namespace_id").ID(i.namespace.id)
	writeStatus(w, i)
	w.Next("status_message").Text("")
	w.Next("visibility").Text(i.visibility)
	w.Next("size").Number(shownSize(w, i))
	w.Next("created_at").Time(i.created)
	w.Next("updated_at").Time(i.updated)
	w.Next("tags").Raw("[")
	for at, t := range i.tags.Rows {
		if w.Inline > 0 && at == w.Inline {
			break
		}
		if at > 0 {
			w.Comma()
		}
		w.Text(t.name)
	}
	w.Raw("]}")
}

// writeStatus writes the status of an object.
func writeStatus(w *wire.Writer, x object) {
	shown := x.state()
	if w.Leaving {
		shown = statusDeleting
	}
	w.Next("status").Text(shown)
}

// shownSize is the size of an image, which the answer to its deletion shows unchanged.
func shownSize(w *wire.Writer, i *image) int64 {
	if !w.Mutated.IsZero() {
		return i.content()
	}
	return i.size()
}

func (t *tag) Write(w *wire.Writer) {
	w.Open("id").ID(t.id)
	w.Next("name").Text(t.name)
	w.Next("image_id").ID(t.image.id)
	writeStatus(w, t)
	t.image.makeDigests()
	w.Next("digest").Digest(t.digest)
	w.Next("created_at").Time(t.created)
	w.Next("updated_at").Time(t.updated)
	w.Raw("}")
}

// state is the status as the API shows it: what belongs to something that is
// being deleted is being deleted too.
func (i *image) state() string {
	if i.namespace.deleted {
		return statusDeleting
	}
	return i.status
}

func (t *tag) state() string {
	if t.image.deleted || t.image.namespace.deleted {
		return statusDeleting
	}
	return t.status
}

// other is the next namespace of the region.
func (n *namespace) other() *namespace { return next(n.region.namespaces.Rows, n) }

// other is the next image of the namespace, or of the region; one with tags if there
// is any.
func (i *image) other() *image {
	rows := i.namespace.images.Rows
	if len(rows) == 1 {
		rows = i.namespace.region.images.Rows
	}
	first := next(rows, i)
	for o := first; o != i; o = next(rows, o) {
		if len(o.tags.Rows) > 0 {
			return o
		}
	}
	return first
}

// other is the next tag of the image, or one of another image.
func (t *tag) other() *tag {
	rows := t.image.tags.Rows
	if elsewhere := t.image.other().tags.Rows; len(rows) == 1 && len(elsewhere) > 0 {
		return elsewhere[0]
	}
	return next(rows, t)
}

// next is the row after another one, and the first row after the last.
func next[T comparable](rows []T, after T) T {
	return rows[(slices.Index(rows, after)+1)%len(rows)]
}
