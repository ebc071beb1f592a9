package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

// Document is the configuration as policies see it under data.config: the keys
// of the file with the defaults filled in, made of plain maps, slices, strings,
// booleans, int64 and float64 only. Beside each duration K, as written, stands
// its length in seconds as K_seconds. What is optional and not given is absent.
// The ledger is left out, which is no business of a policy and may hold a
// password, and so are how policies are loaded and run, what storage costs, and
// who is told.
func (c *Config) Document() map[string]any {
	document := mappingOf(reflect.ValueOf(*c))
	c.Protect.document(document["protect"].(map[string]any))
	delete(document, "ledger")
	delete(document, "policy")
	delete(document, "cost")
	delete(document, "notifications")
	return document
}

// Digest is "sha256:<hex>" of what the configuration makes a pass plan and
// apply. Comments, formatting, and the order of keys, of rules and of the entries
// of lists do not change it; neither do schedules, the profile, the ledger, the
// cost and who is told.
func (c *Config) Digest() string {
	document := c.Document()
	delete(document, "schedules")
	delete(document["scaleway"].(map[string]any), "profile")
	sum := sha256.Sum256(canonical(document))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func mappingOf(v reflect.Value) map[string]any {
	m := map[string]any{}
	for _, f := range strictyaml.FieldsOf(v.Type()) {
		value := v.Field(f.Index)
		if f.Optional && value.IsZero() {
			continue
		}
		m[f.Key] = plainOf(value)
		if d, ok := value.Interface().(Duration); ok {
			m[f.Key+"_seconds"] = seconds(d)
		}
	}
	return m
}

func plainOf(v reflect.Value) any {
	if d, ok := v.Interface().(Duration); ok {
		return d.String()
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return map[string]any{}
		}
		return plainOf(v.Elem())
	case reflect.Struct:
		return mappingOf(v)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plainOf(v.Index(i))
		}
		return list
	case reflect.Bool:
		return v.Bool()
	case reflect.Int:
		return v.Int()
	case reflect.Float64:
		return v.Float()
	default:
		return v.String()
	}
}

// seconds are whole wherever they can be, so that they print well.
func seconds(d Duration) any {
	if s := d.Seconds(); s != math.Trunc(s) {
		return s
	}
	return int64(d.Duration().Seconds())
}

// canonical is the JSON of a document, with the entries of every list sorted: no
// list of a configuration means anything by its order.
func canonical(value any) []byte {
	switch value := value.(type) {
	case map[string]any:
		sorted := map[string]json.RawMessage{}
		for k, v := range value {
			sorted[k] = canonical(v)
		}
		return encode(sorted)
	case []any:
		sorted := make([]json.RawMessage, len(value))
		for i, v := range value {
			sorted[i] = canonical(v)
		}
		slices.SortFunc(sorted, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
		return encode(sorted)
	default:
		return encode(value)
	}
}

// encode cannot fail: documents hold nothing that JSON lacks.
func encode(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}
