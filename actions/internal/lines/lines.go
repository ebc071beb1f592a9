// Package lines writes a JSON document piece by piece, with one entry of each
// list on a line of its own, so that line tools can compare and search it.
//
// It must never build the document in memory.
package lines

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
)

// Encoder writes JSON and remembers the first error.
type Encoder struct {
	w    *bufio.Writer
	br   string
	buf  bytes.Buffer
	json *json.Encoder // into buf
	err  error
}

// New starts a document. br is the line break: "\n", or "" for compact JSON.
func New(w io.Writer, br string) *Encoder {
	e := &Encoder{w: bufio.NewWriterSize(w, 1<<16), br: br}
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false) // these documents are not web pages, and hold < and >
	return e
}

// Text writes text as it is.
func (e *Encoder) Text(s string) {
	if e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

// Field writes a field; before is what separates it from the one before it.
func (e *Encoder) Field(before, name string, v any) {
	e.Text(before + `"` + name + `":`)
	e.value(v)
}

// Break writes the comma and the line break before the next field.
func (e *Encoder) Break() { e.Text("," + e.br) }

// List writes a field that is a list.
func List[T any](e *Encoder, name string, entries []T) {
	e.Text("," + e.br + `"` + name + `":[`)
	for i := range entries {
		if i > 0 {
			e.Text(",")
		}
		e.Text(e.br)
		e.value(&entries[i])
	}
	if len(entries) > 0 {
		e.Text(e.br)
	}
	e.Text("]")
}

// Close ends the document and returns the first error.
func (e *Encoder) Close() error {
	e.Text("}" + e.br)
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}

func (e *Encoder) value(v any) {
	if e.err != nil {
		return
	}
	e.buf.Reset()
	if e.err = e.json.Encode(v); e.err == nil {
		_, e.err = e.w.Write(bytes.TrimSuffix(e.buf.Bytes(), []byte("\n")))
	}
}
