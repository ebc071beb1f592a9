package strictyaml

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Check holds the strings and numbers of the struct that value points to, which
// was made in Go, against the same tags. A zero value counts as not given.
func (f Format) Check(value any) *Document {
	d := decoder{Document: newDocument(""), format: f}
	d.check(reflect.ValueOf(value).Elem(), "", "")
	return d.Document
}

func (d *decoder) check(v reflect.Value, path string, tag reflect.StructTag) {
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range FieldsOf(v.Type()) {
			d.check(v.Field(f.Index), Join(path, f.Key), f.Tag)
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.check(v.Index(i), fmt.Sprintf("%s[%d]", path, i), withoutBlank(tag))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			d.check(v.MapIndex(key), Join(path, key.String()), withoutBlank(tag))
		}
	case reflect.Int, reflect.Int64:
		d.checkNumber(v, path, tag)
	case reflect.String:
		if v.Len() == 0 {
			return
		}
		if message, hint := d.checkText(v.String(), tag); message != "" {
			d.Report(path, message, hint)
		}
	}
}

func (d *decoder) checkNumber(v reflect.Value, path string, tag reflect.StructTag) {
	if v.Int() == 0 || tag.Get("signed") != "" {
		return
	}
	if v.Type() == plainType && v.Int() < 0 {
		d.Report(path, "must not be negative: "+time.Duration(v.Int()).String(), "give it a length, or remove the key")
		return
	}
	if message, hint := outOfBounds(float64(v.Int()), strconv.FormatInt(v.Int(), 10), tag); message != "" {
		d.Report(path, message, hint)
	}
}
