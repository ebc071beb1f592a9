package config

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder fills the types of this package from YAML nodes, by their tags, and
// collects what is wrong on the way.
type decoder struct {
	file     string
	last     int            // the last line of the file
	lines    map[string]int // where each key stands, by its path
	problems Problems
	wrong    map[string]bool // the paths of problems, and with false what holds them
	aliases  int             // how many aliases the node at hand is inside of
	expanded int             // how many nodes were reached through aliases
}

// maxExpanded bounds the nodes reached through aliases, so that a few lines of
// nested aliases cannot keep the decoder busy for hours.
const maxExpanded = 100_000

func newDecoder(file string, data []byte) *decoder {
	return &decoder{
		file:  file,
		last:  max(1, bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))+1),
		lines: map[string]int{"": 1},
		wrong: map[string]bool{},
	}
}

// report notes a problem of the key at path, where it or what holds it stands.
func (d *decoder) report(path, message, hint string) {
	at := path
	for !d.given(at) {
		at = holder(at)
	}
	d.reportAt(d.lines[at], path, message, hint)
}

func (d *decoder) reportAt(line int, path, message, hint string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: min(max(1, line), d.last), Path: path, Message: message, Hint: hint})
	d.wrong[path] = true
	for at := holder(path); at != ""; at = holder(at) {
		if _, known := d.wrong[at]; !known {
			d.wrong[at] = false
		}
	}
}

// holder is the path of the mapping or list that the key at path stands in.
func holder(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// given reports whether the file has the key at path, right or wrong.
func (d *decoder) given(path string) bool {
	_, ok := d.lines[path]
	return ok
}

// clean reports whether nothing is wrong with the key at path and what it holds.
func (d *decoder) clean(path string) bool {
	_, ok := d.wrong[path]
	return !ok
}

// whole reports whether nothing is wrong with the key at path itself.
func (d *decoder) whole(path string) bool { return !d.wrong[path] }

// value decodes one node, whatever it is.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
		d.aliases++
		defer func() { d.aliases-- }()
	}
	if d.exhausted(path, len(n.Content)) {
		return
	}
	if isNull(n) && path != "" {
		d.report(path, "has no value", cmp.Or(tag.Get("null"), tag.Get("need"), "give it a value, or remove it"))
		return
	}
	if v.Type() == durationType {
		d.duration(n, path, v, tag)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, path, v.Elem(), tag)
	case reflect.Struct:
		d.mapping(n, path, v, tag)
	case reflect.Slice:
		d.list(n, path, v, tag)
	case reflect.Bool:
		d.boolean(n, path, v)
	case reflect.Int:
		d.number(n, path, v, tag)
	case reflect.Float64:
		d.amount(n, path, v, tag)
	default:
		d.text(n, path, v, tag)
	}
}

// exhausted counts what is reached through aliases, and reports once when it is
// too much.
func (d *decoder) exhausted(path string, children int) bool {
	if d.aliases == 0 {
		return false
	}
	before := d.expanded
	d.expanded += 1 + children
	if before <= maxExpanded && d.expanded > maxExpanded {
		d.report(path, "aliases more than "+strconv.Itoa(maxExpanded)+" values", "write fewer aliases of aliases")
	}
	return d.expanded > maxExpanded
}

// defaulter is a mapping whose defaults are not all zero.
type defaulter interface{ defaults() }

func (d *decoder) mapping(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	fields := fieldsOf(v.Type())
	if n.Kind != yaml.MappingNode || n.ShortTag() != "!!map" {
		d.report(path, "must be a mapping, not "+describe(n), cmp.Or(tag.Get("null"), "its keys: "+strings.Join(keysOf(fields), ", ")))
		return
	}
	if fill := tag.Get("fill"); fill != "" && len(n.Content) == 0 {
		d.report(path, "is empty", fill)
		return
	}
	if with, ok := v.Addr().Interface().(defaulter); ok && path != "" {
		with.defaults()
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if d.legible(key, path, seen) {
			d.entry(key, n.Content[i+1], path, v, fields)
		}
	}
	for _, f := range fields {
		if hint := f.tag.Get("need"); hint != "" && d.whole(path) && !d.given(join(path, f.key)) {
			d.report(join(path, f.key), "is missing", hint)
		}
	}
}

// legible reports whether a key is one that can be looked up: plain text, not a
// merge key, not there already.
func (d *decoder) legible(key *yaml.Node, path string, seen map[string]int) bool {
	if key.Kind != yaml.ScalarNode {
		d.reportAt(key.Line, path, "has a key that is no plain word", "write keys out, without brackets and aliases")
		return false
	}
	if key.ShortTag() == "!!merge" {
		d.reportAt(key.Line, path, "has a merge key, <<, which is not supported", "alias the whole value, or write the keys out")
		return false
	}
	if line, ok := seen[key.Value]; ok {
		d.reportAt(key.Line, join(path, clip(key.Value)), fmt.Sprintf("is a duplicate key, first given on line %d", line), "remove one of the two")
		return false
	}
	seen[key.Value] = key.Line
	return true
}

// entry decodes one key of a mapping.
func (d *decoder) entry(key, value *yaml.Node, path string, v reflect.Value, fields []field) {
	at := join(path, clip(key.Value))
	i := slices.IndexFunc(fields, func(f field) bool { return f.key == key.Value })
	if i < 0 {
		if hint, ok := forbidden[pattern(at)]; ok {
			d.lines[at] = key.Line
			d.report(at, "is not allowed here", hint)
			return
		}
		d.unknown(key, path, at, keysOf(fields))
		return
	}
	d.lines[at] = key.Line
	if value.Kind == yaml.ScalarNode && !isNull(value) {
		d.lines[at] = value.Line
	}
	if with, ok := v.Addr().Interface().(longer); ok && isMapping(value) {
		if form, take := with.long(key.Value); form != nil {
			d.value(value, at, reflect.ValueOf(form).Elem(), longTag)
			take()
			return
		}
	}
	d.value(value, at, v.Field(fields[i].index), fields[i].tag)
}

// longer is a mapping of which a key may be written as one value, or as a mapping
// that says more.
type longer interface {
	long(key string) (form any, take func())
}

// longTag is the tag of such mappings.
const longTag reflect.StructTag = `fill:"write the value alone, or say whether it is required"`

// unknown reports a key that the mapping does not have. The key that was most
// likely meant counts as given, so that it is not reported as missing or senseless too.
func (d *decoder) unknown(key *yaml.Node, path, at string, keys []string) {
	hint := "allowed here: " + strings.Join(keys, ", ")
	if meant := nearest(key.Value, keys); meant != "" {
		hint = fmt.Sprintf("did you mean %q? %s", meant, hint)
		if !d.given(join(path, meant)) {
			d.lines[join(path, meant)] = key.Line
			d.wrong[join(path, meant)] = false
		}
	} else if where := elsewhere(path, key.Value); where != "" {
		hint = "it belongs in " + where + "; " + hint
	}
	d.reportAt(key.Line, at, "is an unknown key", hint)
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	if n.Kind != yaml.SequenceNode || n.ShortTag() != "!!seq" {
		hint := "write a list"
		if n.Kind == yaml.ScalarNode {
			hint = fmt.Sprintf("write [%s]", quote(n.Value))
		} else if nested(v.Type()) != nil {
			hint = "begin each entry with a dash"
		}
		d.report(path, "must be a list, not "+describe(n), hint)
		return
	}
	if len(n.Content) == 0 && tag.Get("blank") == "" {
		d.report(path, "is an empty list", "name at least one entry, or remove the key")
		return
	}
	v.SetZero()
	seen := map[string]int{}
	for i, entry := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.lines[at] = entry.Line
		to := reflect.New(v.Type().Elem()).Elem()
		d.value(entry, at, to, withoutBlank(tag))
		v.Set(reflect.Append(v, to))
		if to.Kind() != reflect.String || to.Len() == 0 {
			continue
		}
		if first, ok := seen[to.String()]; ok {
			d.report(at, fmt.Sprintf("repeats %s of line %d", quote(to.String()), first), "remove one of the two")
		}
		seen[to.String()] = entry.Line
	}
}

// withoutBlank is the tag for the entries of a list: the list may be empty, its
// entries never are.
func withoutBlank(tag reflect.StructTag) reflect.StructTag {
	return reflect.StructTag(strings.Replace(string(tag), `blank:"ok"`, "", 1))
}
