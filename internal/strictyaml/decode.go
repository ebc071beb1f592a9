package strictyaml

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Defaulter is a mapping whose defaults are not all zero.
type Defaulter interface{ Defaults() }

// Alternator is a mapping with a key that can be written as one value, or as a
// mapping with more keys.
type Alternator interface {
	// Alternative is the second form of a key, or nil if it has only one.
	Alternative(key string) *Alternative
}

// Shortener is a mapping in a list that can also be written as the text of one of
// its keys.
type Shortener interface{ Shorthand() (key string) }

// Alternative is the second form of a key.
type Alternative struct {
	Into  any    // the struct that the mapping is read into
	Empty string // the remedy if the mapping has no key
	Apply func() // called after the mapping was read
}

// decoder fills structs from YAML nodes.
type decoder struct {
	*Document
	format   Format
	root     reflect.Type
	aliases  int // how many aliases the current node is inside of
	expanded int // how many nodes were reached through aliases
}

// maxExpanded bounds the nodes that are reached through aliases, so that a few
// lines of nested aliases cannot keep the decoder busy for hours.
const maxExpanded = 100_000

// value decodes one node into v.
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
		d.Report(path, "has no value", cmp.Or(tag.Get("null"), tag.Get("need"), "give it a value, or remove it"))
		return
	}
	switch v.Type() {
	case durationType, plainType:
		d.duration(n, path, v, tag)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, path, v.Elem(), tag)
	case reflect.Struct:
		if field, tag, ok := shorthand(v); ok && !isMapping(n) {
			d.defaults(v)
			d.value(n, path, field, tag)
			return
		}
		d.mapping(n, path, v, tag)
	case reflect.Slice:
		d.list(n, path, v, tag)
	case reflect.Map:
		d.texts(n, path, v, tag)
	case reflect.Bool:
		d.boolean(n, path, v)
	case reflect.Int:
		d.number(n, path, v, tag)
	case reflect.Int64:
		d.size(n, path, v)
	case reflect.Float64:
		d.amount(n, path, v, tag)
	default:
		d.text(n, path, v, tag)
	}
}

// exhausted counts the nodes that are reached through aliases, and reports once that
// there are too many.
func (d *decoder) exhausted(path string, children int) bool {
	if d.aliases == 0 {
		return false
	}
	before := d.expanded
	d.expanded += 1 + children
	if before <= maxExpanded && d.expanded > maxExpanded {
		d.Report(path, "aliases more than "+strconv.Itoa(maxExpanded)+" values", "write fewer aliases of aliases")
	}
	return d.expanded > maxExpanded
}

func (d *decoder) mapping(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	fields := FieldsOf(v.Type())
	if n.Kind != yaml.MappingNode || n.ShortTag() != "!!map" {
		hint := cmp.Or(tag.Get("null"), "its keys: "+strings.Join(keysOf(fields), ", "))
		if isKey(n, fields) {
			hint = spaceHint
		}
		d.Report(path, "must be a mapping, not "+describe(n), hint)
		return
	}
	if fill := tag.Get("fill"); fill != "" && len(n.Content) == 0 {
		d.Report(path, "is empty", fill)
		return
	}
	if path != "" {
		d.defaults(v)
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if d.usable(key, path, seen) {
			d.entry(key, n.Content[i+1], path, v, fields)
		}
	}
	for _, f := range fields {
		if hint := f.Tag.Get("need"); hint != "" && d.Whole(path) && !d.Given(Join(path, f.Key)) {
			d.Report(Join(path, f.Key), "is missing", hint)
		}
	}
}

// spaceHint is the remedy for key:value.
const spaceHint = "write a space after the colon of the key"

// isKey reports whether a text is one of the keys, a colon, and a value.
func isKey(n *yaml.Node, fields []Field) bool {
	key, _, found := strings.Cut(n.Value, ":")
	return found && n.Kind == yaml.ScalarNode && slices.Contains(keysOf(fields), key)
}

func (d *decoder) defaults(v reflect.Value) {
	if with, ok := v.Addr().Interface().(Defaulter); ok {
		with.Defaults()
	}
}

// shorthand is the field of a mapping that can be written alone, if there is one.
func shorthand(v reflect.Value) (reflect.Value, reflect.StructTag, bool) {
	short, ok := v.Addr().Interface().(Shortener)
	if !ok {
		return v, "", false
	}
	fields := FieldsOf(v.Type())
	f := fields[slices.IndexFunc(fields, func(f Field) bool { return f.Key == short.Shorthand() })]
	return v.Field(f.Index), f.Tag, true
}

// usable reports whether a key can be looked up: plain text, not a merge key, not a
// duplicate.
func (d *decoder) usable(key *yaml.Node, path string, seen map[string]int) bool {
	if key.Kind != yaml.ScalarNode {
		d.reportAt(placeOf(key), path, "has a key that is not a plain word", "write keys out, without brackets and aliases")
		return false
	}
	if key.ShortTag() == "!!merge" {
		d.reportAt(placeOf(key), path, "has a merge key, <<, which is not supported", "alias the whole value, or write the keys out")
		return false
	}
	if line, ok := seen[key.Value]; ok {
		d.reportAt(placeOf(key), Join(path, Clip(key.Value)), fmt.Sprintf("is a duplicate key, first given on line %d", line), "remove one of the two")
		return false
	}
	seen[key.Value] = key.Line
	return true
}

// entry decodes one key of a mapping.
func (d *decoder) entry(key, value *yaml.Node, path string, v reflect.Value, fields []Field) {
	at := Join(path, Clip(key.Value))
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Key == key.Value })
	if i < 0 {
		if hint := cmp.Or(d.format.Forbidden[pattern(at)], d.format.Forbidden["*."+key.Value]); hint != "" {
			d.places[at] = placeOf(key)
			d.Report(at, "is not allowed here", hint)
			return
		}
		if isKey(key, fields) {
			d.reportAt(placeOf(key), at, "is an unknown key", spaceHint)
			return
		}
		d.unknown(key, path, at, keysOf(fields))
		return
	}
	d.places[at] = placeOf(key)
	if value.Kind == yaml.ScalarNode && !isNull(value) {
		d.places[at] = placeOf(value)
	}
	if with, ok := v.Addr().Interface().(Alternator); ok && isMapping(value) {
		if form := with.Alternative(key.Value); form != nil {
			d.value(value, at, reflect.ValueOf(form.Into).Elem(), reflect.StructTag(fmt.Sprintf("fill:%q", form.Empty)))
			form.Apply()
			return
		}
	}
	d.value(value, at, v.Field(fields[i].Index), fields[i].Tag)
}

// unknown reports a key that the mapping does not have. The key that was probably
// meant counts as given, so that it is not reported as missing too.
func (d *decoder) unknown(key *yaml.Node, path, at string, keys []string) {
	hint := "allowed here: " + strings.Join(keys, ", ")
	if meant := text.Nearest(key.Value, keys); meant != "" {
		hint = fmt.Sprintf("did you mean %q? %s", meant, hint)
		if !d.Given(Join(path, meant)) {
			d.places[Join(path, meant)] = placeOf(key)
			d.wrong[Join(path, meant)] = false
		}
	} else if where := elsewhere(d.root, path, key.Value); where != "" {
		hint = "it belongs in " + where + "; " + hint
	}
	d.reportAt(placeOf(key), at, "is an unknown key", hint)
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	if n.Kind != yaml.SequenceNode || n.ShortTag() != "!!seq" {
		hint := "write a list"
		if n.Kind == yaml.ScalarNode {
			hint = fmt.Sprintf("write [%s]", Quote(n.Value))
		} else if Nested(v.Type()) != nil {
			hint = "begin each entry with a dash"
		}
		d.Report(path, "must be a list, not "+describe(n), hint)
		return
	}
	if len(n.Content) == 0 && !d.blank(tag) {
		d.Report(path, "is an empty list", "name at least one entry, or remove the key")
		return
	}
	v.SetZero()
	seen := map[string]int{}
	for i, entry := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.places[at] = placeOf(entry)
		to := reflect.New(v.Type().Elem()).Elem()
		d.value(entry, at, to, withoutBlank(tag))
		v.Set(reflect.Append(v, to))
		if to.Kind() == reflect.Struct {
			to, _, _ = shorthand(to)
		}
		if to.Kind() != reflect.String || to.Len() == 0 {
			continue
		}
		if first, ok := seen[to.String()]; ok {
			d.Report(at, fmt.Sprintf("repeats %s of line %d", Quote(to.String()), first), "remove one of the two")
		}
		seen[to.String()] = entry.Line
	}
}

// withoutBlank is the tag for the entries of a list: blank allows an empty list, not
// an empty entry.
func withoutBlank(tag reflect.StructTag) reflect.StructTag {
	return reflect.StructTag(strings.Replace(string(tag), `blank:"ok"`, "", 1))
}
