package strictyaml

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Field is one key of a mapping, as the tags of its struct field describe it.
type Field struct {
	Key      string
	Index    int
	Type     reflect.Type
	Tag      reflect.StructTag
	Optional bool // omitempty
}

// FieldsOf lists the keys of the mapping that a struct describes.
func FieldsOf(t reflect.Type) []Field {
	var fields []Field
	for i := range t.NumField() {
		f := t.Field(i)
		key, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key != "-" {
			fields = append(fields, Field{key, i, f.Type, f.Tag, option == "omitempty"})
		}
	}
	return fields
}

// Nested is the mapping inside a field, through pointers and lists, and nil if
// there is none.
func Nested(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == durationType {
		return nil
	}
	return t
}

// Join is the path of a key in the mapping at path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

var (
	durationType = reflect.TypeFor[Duration]()
	plainType    = reflect.TypeFor[time.Duration]()
)

func keysOf(fields []Field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.Key
	}
	return keys
}

// elsewhere names the mappings below root where a misplaced key belongs, those in
// the same section of the document only.
func elsewhere(root reflect.Type, path, key string) string {
	section, _, _ := strings.Cut(pattern(path), ".")
	found := slices.DeleteFunc(places(root, "", key), func(p string) bool {
		top, _, _ := strings.Cut(p, ".")
		return section != "" && top != section
	})
	return strings.Join(found[:min(3, len(found))], " or ")
}

// places lists the mappings below t that have the key, by their paths.
func places(t reflect.Type, path, key string) []string {
	var found []string
	for _, f := range FieldsOf(t) {
		if f.Key == key && path != "" {
			found = append(found, path)
		}
		if inner := Nested(f.Type); inner != nil {
			found = append(found, places(inner, Join(path, f.Key), key)...)
		}
	}
	return found
}

var position = regexp.MustCompile(`\[\d+\]`)

// pattern is a path without the positions in lists.
func pattern(path string) string { return position.ReplaceAllString(path, "") }
