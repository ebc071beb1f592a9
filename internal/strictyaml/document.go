package strictyaml

import (
	"bytes"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// Format is what the tags of the types cannot express.
type Format struct {
	// Checks are the shapes of strings, by the name that the tag "is" gives them.
	Checks map[string]Check
	// Forbidden are keys that an author may try but must not use, by their path
	// without positions in lists, or by "*." and their name, with the remedy.
	Forbidden map[string]string
	// Blank allows the empty string and the empty list everywhere.
	Blank bool
	// Bare takes a number, a date or a boolean as a string where it is written
	// without quotes.
	Bare bool
}

// Check returns what is wrong with a string and the remedy, or two empty strings.
type Check func(string) (message, hint string)

// Document is a document that was read, and everything that is wrong with it.
type Document struct {
	file     string
	last     int              // the last line of the file
	empty    bool             // there was nothing to decode
	places   map[string]place // of each key, by its path
	problems Problems
	wrong    map[string]bool // the paths of problems; false for what holds them
	closed   bool            // further problems only follow from those reported
}

// place is where something is in a file; both count from 1.
type place struct{ line, column int }

func placeOf(n *yaml.Node) place { return place{n.Line, n.Column} }

// Parse reads the one YAML document in data into the struct, or the list of structs, that
// into points to,
// which has the defaults already. Messages name the data by file. The caller adds
// what it finds with [Document.Report], and ends with [Document.Err].
func (f Format) Parse(file string, data []byte, into any) *Document {
	document := newDocument(file)
	document.last = max(1, bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))+1)
	root := document.read(data)
	document.empty = root == nil
	if root != nil {
		to := reflect.ValueOf(into).Elem()
		d := decoder{Document: document, format: f, root: Nested(to.Type())}
		d.value(root, "", to, "")
	}
	document.blameBlanks(data)
	return document
}

func newDocument(file string) *Document {
	return &Document{file: file, last: 1, places: map[string]place{"": {1, 1}}, wrong: map[string]bool{}}
}

// Empty reports whether the document has no content.
func (d *Document) Empty() bool { return d.empty && len(d.problems) == 0 }

// Given reports whether the document has the key at path, right or wrong.
func (d *Document) Given(path string) bool {
	_, ok := d.places[path]
	return ok
}

// Clean reports whether nothing is wrong with the key at path and what it holds.
func (d *Document) Clean(path string) bool {
	_, ok := d.wrong[path]
	return !ok
}

// Whole reports whether nothing is wrong with the key at path itself.
func (d *Document) Whole(path string) bool { return !d.wrong[path] }

// Report adds a problem with the key at path, on the line of the key or of what
// holds it.
func (d *Document) Report(path, message, hint string) {
	d.reportAt(d.nearest(path), path, message, hint)
}

// Problem is one with the key at path that shows only later, when the value is
// used.
func (d *Document) Problem(path, message, hint string) Problem {
	return d.problemAt(d.nearest(path), path, message, hint)
}

// nearest is the place of the key at path, or of what holds it.
func (d *Document) nearest(path string) place {
	for !d.Given(path) {
		path = holder(path)
	}
	return d.places[path]
}

// Err is everything that is wrong as [Problems], or nil.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	return d.problems.sorted()
}

func (d *Document) reportAt(at place, path, message, hint string) {
	if d.closed {
		return
	}
	d.problems = append(d.problems, d.problemAt(at, path, message, hint))
	d.wrong[path] = true
	for at := holder(path); at != ""; at = holder(at) {
		if _, known := d.wrong[at]; !known {
			d.wrong[at] = false
		}
	}
}

func (d *Document) problemAt(at place, path, message, hint string) Problem {
	return Problem{File: d.file, Line: min(max(1, at.line), d.last), Column: max(1, at.column), Path: path, Message: message, Hint: hint}
}

// holder is the path of the mapping or list that the key at path is in.
func holder(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }
