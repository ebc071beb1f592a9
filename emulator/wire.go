package emulator

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// writer appends objects as the API writes them: with its order of the fields, its
// space after commas and its digits of times.
type writer struct {
	buf   []byte
	comma string // ", " or ","
	// mutated is the time of the mutation that is answered, zero for a read: the answer
	// shows it exactly, later reads show it rounded.
	mutated time.Time
	inline  int // tag names inside an image; 0 means all
	// leaving is the answer to a deletion that only begins later.
	leaving bool
}

func (n *namespace) write(w *writer) {
	w.open("id").id(n.id)
	w.next("name").text(n.name)
	w.next("description").text(n.description)
	w.next("organization_id").id(n.organizationID)
	w.next("project_id").id(n.projectID)
	w.status(n)
	w.next("status_message").text("")
	w.next("endpoint").text("rg." + n.region.name + ".scw.cloud/" + n.name)
	w.next("is_public").raw(strconv.FormatBool(n.isPublic))
	w.next("size").number(n.size)
	w.next("created_at").time(n.created)
	w.next("updated_at").time(n.updated)
	w.next("image_count").number(int64(len(n.images.rows)))
	w.next("region").text(n.region.name)
	w.raw("}")
}

func (i *image) write(w *writer) {
	w.open("id").id(i.id)
	w.next("name").text(i.name)
	w.next("namespace_id").id(i.namespace.id)
	w.status(i)
	w.next("status_message").text("")
	w.next("visibility").text(i.visibility)
	w.next("size").number(w.sizeOf(i))
	w.next("created_at").time(i.created)
	w.next("updated_at").time(i.updated)
	w.next("tags").raw("[")
	for at, t := range i.tags.rows {
		if w.inline > 0 && at == w.inline {
			break
		}
		if at > 0 {
			w.raw(w.comma)
		}
		w.text(t.name)
	}
	w.raw("]}")
}

func (w *writer) status(x object) {
	shown := x.state()
	if w.leaving {
		shown = statusDeleting
	}
	w.next("status").text(shown)
}

// sizeOf is the size of an image, which the answer to its deletion shows unchanged.
func (w *writer) sizeOf(i *image) int64 {
	if !w.mutated.IsZero() {
		return i.content()
	}
	return i.size()
}

func (t *tag) write(w *writer) {
	w.open("id").id(t.id)
	w.next("name").text(t.name)
	w.next("image_id").id(t.image.id)
	w.status(t)
	t.image.settle()
	w.next("digest").raw(`"`)
	w.buf = t.digest.Append(w.buf)
	w.raw(`"`)
	w.next("created_at").time(t.created)
	w.next("updated_at").time(t.updated)
	w.raw("}")
}

// list writes a page of rows and the total.
func list[T row](w *writer, name string, rows []T, total int) {
	w.open(name).raw("[")
	for i, r := range rows {
		if i > 0 {
			w.raw(w.comma)
		}
		r.write(w)
	}
	w.raw("]")
	w.next("total_count").number(int64(total))
	w.raw("}")
}

func (w *writer) open(key string) *writer {
	w.buf = append(append(append(w.buf, `{"`...), key...), `":`...)
	return w
}

func (w *writer) next(key string) *writer {
	w.buf = append(append(append(append(w.buf, w.comma...), '"'), key...), `":`...)
	return w
}

func (w *writer) raw(s string)   { w.buf = append(w.buf, s...) }
func (w *writer) number(n int64) { w.buf = strconv.AppendInt(w.buf, n, 10) }

func (w *writer) id(id uuid) {
	w.buf = append(id.append(append(w.buf, '"')), '"')
}

// text writes a JSON string. Names are plain nearly always.
func (w *writer) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			w.buf = append(w.buf, quote(s)...)
			return
		}
	}
	w.buf = append(append(append(w.buf, '"'), s...), '"')
}

// time writes six digits of a second in the answer to a read, and nine in the answer
// to a mutation.
func (w *writer) time(micros int64) {
	at, digits, unit := time.UnixMicro(micros).UTC(), 6, 1000
	if !w.mutated.IsZero() {
		digits, unit = 9, 1
		if microseconds(w.mutated) == micros {
			at = w.mutated.UTC()
		}
	}
	w.buf = at.AppendFormat(append(w.buf, '"'), time.RFC3339) // the only layout that is fast
	w.buf = append(w.buf[:len(w.buf)-len("Z")], ".000000000"[:1+digits]...)
	for i, n := len(w.buf)-1, at.Nanosecond()/unit; n > 0; i, n = i-1, n/10 {
		w.buf[i] = byte('0' + n%10)
	}
	w.raw(`Z"`)
}

// quote is s as a JSON string without the escapes that only web pages need.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // a string always encodes
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
