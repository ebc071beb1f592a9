package outline

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Clean makes every text in a document safe to print, as text.Clean does for one:
// names and reasons come from a registry, from policies and from clusters. The
// document is not changed. What is plain is not copied, and what its parts share,
// such as the reasons of steps, they share in the copy too.
func Clean[T any](document T) T {
	c := cleaner{seen: map[part]cleaned{}}
	v, changed := c.clean(reflect.ValueOf(&document).Elem())
	if !changed {
		return document
	}
	return v.Interface().(T)
}

type cleaner struct{ seen map[part]cleaned }

// part is something that a document may refer to more than once.
type part struct {
	kind    reflect.Type
	address uintptr
	length  int
}

type cleaned struct {
	value   reflect.Value
	changed bool
}

// clean returns v itself if nothing in it has to change.
func (c *cleaner) clean(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.String:
		return cleanString(v)
	case reflect.Struct:
		return c.cleanStruct(v)
	case reflect.Map:
		return c.cleanMap(v)
	case reflect.Interface:
		return cleanError(v)
	case reflect.Pointer, reflect.Slice:
		if v.IsNil() {
			return v, false
		}
	default:
		return v, false
	}
	key := part{kind: v.Type(), address: v.Pointer()}
	if v.Kind() == reflect.Slice {
		key.length = v.Len()
	}
	out, found := c.seen[key]
	if !found {
		if v.Kind() == reflect.Slice {
			out.value, out.changed = c.cleanSlice(v)
		} else if out.value, out.changed = c.clean(v.Elem()); out.changed {
			copied := reflect.New(v.Type().Elem())
			copied.Elem().Set(out.value)
			out.value = copied
		} else {
			out.value = v
		}
		c.seen[key] = out
	}
	return out.value, out.changed
}

func cleanString(v reflect.Value) (reflect.Value, bool) {
	s := text.Clean(v.String())
	if s == v.String() {
		return v, false
	}
	return reflect.ValueOf(s).Convert(v.Type()), true
}

// cleanError replaces an error; nothing else behind an interface is printed.
func cleanError(v reflect.Value) (reflect.Value, bool) {
	err, ok := v.Interface().(error)
	if !ok || text.Clean(err.Error()) == err.Error() {
		return v, false
	}
	return reflect.ValueOf(errors.New(text.Clean(err.Error()))), true
}

func (c *cleaner) cleanStruct(v reflect.Value) (reflect.Value, bool) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return v, false
	}
	out, copied := v, false
	for i := range v.NumField() {
		if !v.Field(i).CanInterface() { // unexported
			continue
		}
		if field, changed := c.clean(v.Field(i)); changed {
			if !copied {
				out, copied = reflect.New(v.Type()).Elem(), true
				out.Set(v)
			}
			out.Field(i).Set(field)
		}
	}
	return out, copied
}

func (c *cleaner) cleanSlice(v reflect.Value) (reflect.Value, bool) {
	out, copied := v, false
	for i := range v.Len() {
		if element, changed := c.clean(v.Index(i)); changed {
			if !copied {
				out, copied = reflect.MakeSlice(v.Type(), v.Len(), v.Len()), true
				reflect.Copy(out, v)
			}
			out.Index(i).Set(element)
		}
	}
	return out, copied
}

// cleanMap takes the keys in order, so that the result does not depend on chance if
// two keys become the same.
func (c *cleaner) cleanMap(v reflect.Value) (reflect.Value, bool) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	out, changed := reflect.MakeMapWithSize(v.Type(), len(keys)), false
	for _, k := range keys {
		key, a := c.clean(k)
		value, b := c.clean(v.MapIndex(k))
		out.SetMapIndex(key, value)
		changed = changed || a || b
	}
	if !changed {
		return v, false
	}
	return out, true
}
