package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
)

// API writes in the style of one API.
type API struct {
	Comma  string // between two fields: ", " or ","
	Inline int    // tag names inside an image; 0 means all

	buffers sync.Pool
}

// Writer returns a writer over a buffer that was released, or a new one.
func (a *API) Writer() *Writer {
	w := &Writer{comma: a.Comma, Inline: a.Inline}
	if buf, ok := a.buffers.Get().(*[]byte); ok {
		w.buf = (*buf)[:0]
	}
	return w
}

// WriterAt returns a writer for the answer to a mutation at a moment.
func (a *API) WriterAt(at time.Time) *Writer {
	w := a.Writer()
	w.Mutated = at
	return w
}

// Release takes the body of an answer back when it is sent.
func (a *API) Release(body []byte) {
	if cap(body) > 0 && cap(body) <= 1<<20 {
		a.buffers.Put(&body)
	}
}

// Writer appends objects as the API writes them: with its order of the fields, its
// space after commas and its digits of times.
type Writer struct {
	// Mutated is the time of the mutation that is answered, zero for a read: the answer
	// shows it exactly, later reads show it rounded.
	Mutated time.Time
	Inline  int  // tag names inside an image; 0 means all
	Leaving bool // the answer to a deletion that only begins later

	buf   []byte
	comma string
}

// OK answers with what was written.
func (w *Writer) OK() *Answer { return JSON(http.StatusOK, w.buf) }

// Open begins an object with its first key.
func (w *Writer) Open(key string) *Writer {
	w.buf = append(append(append(w.buf, `{"`...), key...), `":`...)
	return w
}

// Next begins a further field.
func (w *Writer) Next(key string) *Writer {
	w.buf = append(append(append(append(w.buf, w.comma...), '"'), key...), `":`...)
	return w
}

// Raw writes JSON.
func (w *Writer) Raw(s string) { w.buf = append(w.buf, s...) }

// Number writes a number.
func (w *Writer) Number(n int64) { w.buf = strconv.AppendInt(w.buf, n, 10) }

// ID writes an identifier.
func (w *Writer) ID(id UUID) {
	w.buf = append(id.Append(append(w.buf, '"')), '"')
}

// Comma separates the entries of an array.
func (w *Writer) Comma() { w.Raw(w.comma) }

// Digest writes a digest.
func (w *Writer) Digest(d content.Digest) {
	w.buf = append(d.Append(append(w.buf, '"')), '"')
}

// Text writes a JSON string. Names are plain nearly always.
func (w *Writer) Text(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			w.buf = append(w.buf, Quote(s)...)
			return
		}
	}
	w.buf = append(append(append(w.buf, '"'), s...), '"')
}

// Time writes six digits of a second in the answer to a read, and nine in the answer
// to a mutation.
func (w *Writer) Time(micros int64) {
	at, digits, unit := time.UnixMicro(micros).UTC(), 6, 1000
	if !w.Mutated.IsZero() {
		digits, unit = 9, 1
		if Microseconds(w.Mutated) == micros {
			at = w.Mutated.UTC()
		}
	}
	w.buf = at.AppendFormat(append(w.buf, '"'), time.RFC3339) // the only layout that is fast
	w.buf = append(w.buf[:len(w.buf)-len("Z")], ".000000000"[:1+digits]...)
	for i, n := len(w.buf)-1, at.Nanosecond()/unit; n > 0; i, n = i-1, n/10 {
		w.buf[i] = byte('0' + n%10)
	}
	w.Raw(`Z"`)
}

// Quote is s as a JSON string without the escapes that only web pages need.
func Quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // a string always encodes
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// Microseconds is the precision in which the API stores a time; it rounds.
func Microseconds(t time.Time) int64 {
	return t.Round(time.Microsecond).UnixMicro()
}
