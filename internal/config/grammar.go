package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// field is one key of a mapping, as the tags of its struct field describe it.
type field struct {
	key      string
	index    int
	typ      reflect.Type
	tag      reflect.StructTag
	optional bool // left out of the document where it is zero
}

// fieldsOf lists the keys of the mapping that t describes.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		key, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key != "-" {
			fields = append(fields, field{key, i, f.Type, f.Tag, option == "omitempty"})
		}
	}
	return fields
}

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

var durationType = reflect.TypeFor[Duration]()

// nested is the mapping inside a field, through pointers and lists; nil where
// there is none.
func nested(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == durationType {
		return nil
	}
	return t
}

// places lists the mappings below t that have the key, by their paths.
func places(t reflect.Type, path, key string) []string {
	var found []string
	for _, f := range fieldsOf(t) {
		if f.key == key && path != "" {
			found = append(found, path)
		}
		if inner := nested(f.typ); inner != nil {
			found = append(found, places(inner, join(path, f.key), key)...)
		}
	}
	return found
}

var position = regexp.MustCompile(`\[\d+\]`)

// pattern is a path without the positions in lists.
func pattern(path string) string { return position.ReplaceAllString(path, "") }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// elsewhere names the mappings where a misplaced key belongs, those in the same
// section of the file only.
func elsewhere(path, key string) string {
	section, _, _ := strings.Cut(pattern(path), ".")
	found := slices.DeleteFunc(places(reflect.TypeFor[Config](), "", key), func(p string) bool {
		top, _, _ := strings.Cut(p, ".")
		return section != "" && top != section
	})
	return strings.Join(found[:min(3, len(found))], " or ")
}

// nearest is the option that word most likely meant, and "" where none is near.
func nearest(word string, options []string) string {
	best, least := "", (len(word)+2)/3+1
	for _, o := range options {
		if n := distance(plain(word), plain(o)); n < least {
			best, least = o, n
		}
	}
	return best
}

// plain makes olderThan, older-than and older_than the same.
func plain(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// distance is the number of bytes to insert, delete or replace between a and b.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
