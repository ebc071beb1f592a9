package emulator

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// problem is one thing wrong with a world, at the path of its key.
type problem struct {
	line             int
	path, text, hint string
}

func (p problem) String() string {
	s := p.text
	if p.path != "" {
		s = p.path + ": " + s
	}
	if p.hint != "" {
		s += " (" + p.hint + ")"
	}
	return s
}

// ParseWorld reads a world file; name is what its errors call it. It is strict:
// unknown and repeated keys, bad durations, sizes, words and regions, and
// repeated names are errors. All of them are reported at once, a line each:
// "file:line: path: problem (hint)".
func ParseWorld(name string, data []byte) (World, error) {
	root, err := parseYAML(data)
	if err != nil {
		return World{}, fmt.Errorf("%s:%w", name, err)
	}
	d := decoder{bad: map[string]bool{}}
	var world World
	d.value(root, reflect.ValueOf(&world).Elem(), "")
	for _, p := range validate(&world) {
		if !d.said(p.path) {
			p.line = lineOf(root, p.path)
			d.problems = append(d.problems, p)
		}
	}
	slices.SortStableFunc(d.problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, p := range d.problems {
		errs = append(errs, fmt.Errorf("%s:%d: %s", name, p.line, p))
	}
	if errs != nil {
		return World{}, errors.Join(errs...)
	}
	return world, nil
}

// yamlLine is how the YAML parser begins an error that it can place.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// parseYAML returns the root node of the only document in data.
func parseYAML(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("1: yaml: the file is empty (write namespaces: [] for an empty registry)")
	}
	if err == nil && !errors.Is(dec.Decode(&next), io.EOF) {
		return nil, errors.New("1: yaml: there is more than one document (remove the --- lines)")
	}
	if err != nil {
		line, text := placed(err)
		return nil, fmt.Errorf("%d: yaml: %s (check the indentation and the quotes)", line, text)
	}
	return doc.Content[0], nil
}

// placed takes the line out of an error of the YAML library, which counts lines
// from zero in the errors of its parser and from one in those of its scanner.
func placed(err error) (line int, text string) {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return 1, strings.TrimPrefix(err.Error(), "yaml: ")
	}
	text = strings.TrimPrefix(err.Error(), m[0])
	line, err = strconv.Atoi(m[1])
	if err != nil {
		return 1, text
	}
	if strings.HasPrefix(text, "did not find expected") {
		line++
	}
	return line, text
}

// decoder fills structs from nodes and collects what does not fit.
type decoder struct {
	problems []problem
	bad      map[string]bool // paths that have a problem already
}

func (d *decoder) add(n *yaml.Node, path, text, hint string) {
	d.problems = append(d.problems, problem{n.Line, path, text, hint})
	d.bad[path] = true
}

// said tells whether a path, or what it is in, has a problem already.
func (d *decoder) said(path string) bool {
	for path != "" {
		if d.bad[path] {
			return true
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return d.bad[""]
}

func (d *decoder) value(n *yaml.Node, to reflect.Value, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch to.Kind() {
	case reflect.Struct:
		d.mapping(n, to, path)
	case reflect.Slice:
		d.sequence(n, to, path)
	default:
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			d.add(n, path, "is "+describe(n), "want "+wanted(to))
			return
		}
		if err := scalar(n, to); err != nil {
			d.add(n, path, err.Error(), wanted(to))
		}
	}
}

func (d *decoder) mapping(n *yaml.Node, to reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.add(n, path, "is "+describe(n), "want a mapping of "+strings.Join(keysOf(to.Type()), ", "))
		return
	}
	keys := keysOf(to.Type())
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.Index(keys, key.Value)
		below := join(path, key.Value)
		switch {
		case at < 0:
			d.add(key, below, "unknown key", suggest(key.Value, keys))
		case seen[key.Value]:
			d.add(key, below, "is given twice", "remove one of them")
		default:
			d.value(value, to.Field(at), below)
		}
		seen[key.Value] = true
	}
}

func (d *decoder) sequence(n *yaml.Node, to reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.add(n, path, "is "+describe(n), "want a list")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, to.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

// scalar sets to from the text of n. A name may look like a number or a truth
// value (1.4, 20261122, on): it is taken as written.
func scalar(n *yaml.Node, to reflect.Value) error {
	switch to.Interface().(type) {
	case time.Duration:
		v, err := parseDuration(n.Value)
		to.SetInt(int64(v))
		return err
	case Size:
		v, err := parseSize(n.Value)
		to.SetInt(int64(v))
		return err
	case int:
		v, err := strconv.Atoi(n.Value)
		to.SetInt(int64(v))
		if err != nil {
			return fmt.Errorf("%q is no whole number", n.Value)
		}
	case bool:
		v, err := strconv.ParseBool(n.Value)
		to.SetBool(v)
		if err != nil || n.Tag != "!!bool" {
			return fmt.Errorf("%q is no truth value", n.Value)
		}
	default:
		to.SetString(n.Value)
	}
	return nil
}

func wanted(to reflect.Value) string {
	switch to.Interface().(type) {
	case time.Duration:
		return durationHint
	case Size:
		return sizeHint
	case int:
		return "a whole number"
	case bool:
		return "true or false"
	}
	return "text"
}

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "empty"
	}
	return "the value " + strconv.Quote(n.Value)
}

func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("yaml")
	}
	return keys
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// lineOf finds the line of a path, or of the nearest thing around it that there
// is. Lines are looked up only for problems, since a large world has few.
func lineOf(n *yaml.Node, path string) int {
	line := n.Line
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		next := child(n, step)
		if next == nil {
			break
		}
		n, line = next, next.Line
	}
	return line
}

func child(n *yaml.Node, step string) *yaml.Node {
	if n.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(step); err == nil && i < len(n.Content) {
			return n.Content[i]
		}
		return nil
	}
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if n.Content[i].Value == step {
			return n.Content[i+1]
		}
	}
	return nil
}
