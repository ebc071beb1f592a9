package strictyaml

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// read returns the root of the one YAML document in data, and nil if there is
// nothing to decode: an empty file, or one that is not YAML.
func (d *Document) read(data []byte) *yaml.Node {
	if !utf8.Valid(data) {
		valid := 0
		for r, n := utf8.DecodeRune(data); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(data[valid:]) {
			valid += n
		}
		d.reportAt(placeAt(data, valid), "", "is not UTF-8", "save the file as UTF-8 text")
		return nil
	}
	in := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := in.Decode(&first); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		d.syntax(data, err)
		return nil
	}
	switch err := in.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(data, err)
	default:
		d.reportAt(placeOf(&second), "", "begins a second YAML document", "put everything into one document, without ---")
	}
	root := first.Content[0]
	if isNull(root) {
		return nil
	}
	return root
}

// isNull reports whether the node is a key without a value, or an explicit null.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// isMapping reports whether the node is a mapping, or an alias of one.
func isMapping(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n.Kind == yaml.MappingNode
}

// isText reports whether the node is a string. A date is one too, as in the core
// schema of YAML 1.2: 2026-11-22 can be the name of a tag.
func isText(n *yaml.Node) bool {
	tag := n.ShortTag()
	return n.Kind == yaml.ScalarNode && (tag == "!!str" || tag == "!!timestamp" || tag == "!!merge")
}

// describe is what a node is, for messages.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!merge":
		return "the string " + Quote(n.Value)
	case "!!int", "!!float":
		return "the number " + Clip(n.Value)
	case "!!bool":
		return Clip(n.Value)
	case "!!null":
		return "null"
	default:
		return "a value tagged " + Clip(tag)
	}
}

// Quote is a value of the document for a message: clipped, and in quotes.
func Quote(s string) string { return strconv.Quote(Clip(s)) }

// Clip is a value of the document for a message: short, without line breaks, and only
// the scheme of a URL, because the rest may be a secret.
func Clip(s string) string {
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		s = scheme + "://..."
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:57]) + "..."
}
