package strictyaml

import (
	"fmt"
	"reflect"

	"gopkg.in/yaml.v3"
)

// texts decodes a map[string]string, whose keys are free. Its tag is for the values.
func (d *decoder) texts(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	if n.Kind != yaml.MappingNode || n.ShortTag() != "!!map" {
		d.Report(path, "must be a mapping, not "+describe(n), "write {name: value}")
		return
	}
	if len(n.Content) == 0 && !d.blank(tag) {
		d.Report(path, "is an empty mapping", "name at least one entry, or remove the key")
		return
	}
	texts := map[string]string{}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !d.usable(key, path, seen) {
			continue
		}
		at := Join(path, Clip(key.Value))
		d.places[at] = placeOf(key)
		if value.Kind == yaml.ScalarNode && !isNull(value) {
			d.places[at] = placeOf(value)
		}
		if key.Value == "" {
			d.Report(at, "has an empty name", fmt.Sprintf("name each entry of %s", path))
		}
		text := reflect.New(reflect.TypeFor[string]()).Elem()
		d.value(value, at, text, withoutBlank(tag))
		texts[key.Value] = text.String()
	}
	v.Set(reflect.ValueOf(texts).Convert(v.Type()))
}
