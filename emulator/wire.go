package emulator

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// The digits of a fraction of a second in what is read, and in the answer to a
// mutation.
const (
	readDigits     = 6
	mutationDigits = 9
)

// writer appends objects as the API writes them: the order of the fields, the
// space after the commas and the digits of the times are its own.
type writer struct {
	buf    []byte
	comma  string // ", " or ","
	digits int
	// moment of the mutation that is answered, in nanoseconds: the answer shows it
	// in full, later reads show it rounded.
	moment int64
	inline int // tag names inline in an image; 0 means all
}

func (n *namespace) write(w *writer) {
	w.open("id").id(n.id)
	w.next("name").text(n.name)
	w.next("description").text(n.description)
	w.next("organization_id").id(n.organizationID)
	w.next("project_id").id(n.projectID)
	w.next("status").text(n.status)
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
	w.next("status").text(i.state())
	w.next("status_message").text("")
	w.next("visibility").text(i.visibility)
	w.next("size").number(i.size())
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

func (t *tag) write(w *writer) {
	w.open("id").id(t.id)
	w.next("name").text(t.name)
	w.next("image_id").id(t.image.id)
	w.next("status").text(t.state())
	w.next("digest").raw(`"`)
	w.buf = t.digest.append(w.buf)
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

func (w *writer) time(micros int64) {
	nanos := micros * 1000
	if w.digits == mutationDigits && microseconds(time.Unix(0, w.moment)) == micros {
		nanos = w.moment
	}
	t := time.Unix(0, nanos).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	w.padded(year, 4, '"')
	w.padded(int(month), 2, '-')
	w.padded(day, 2, '-')
	w.padded(hour, 2, 'T')
	w.padded(minute, 2, ':')
	w.padded(second, 2, ':')
	fraction := t.Nanosecond()
	if w.digits == readDigits {
		fraction /= 1000
	}
	w.padded(fraction, w.digits, '.')
	w.raw(`Z"`)
}

// padded writes a separator and n with leading zeros.
func (w *writer) padded(n, width int, separator byte) {
	w.buf = append(w.buf, separator)
	at := len(w.buf)
	w.buf = append(w.buf, "000000000"[:width]...)
	for i := at + width - 1; i >= at; i-- {
		w.buf[i] = byte('0' + n%10)
		n /= 10
	}
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
