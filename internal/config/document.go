package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// Document is the configuration as policies see it under data.config: the keys of
// the file with the defaults filled in, made of maps, slices, strings, booleans,
// int64 and float64 only. Each duration K, as written, has its length in seconds
// beside it as K_seconds. An optional key that is not given is absent. Keys that no
// policy needs are left out: the ledger, which may have a password, policy,
// run_timeout, scan, cost, approvals and notifications. Waivers are those of waivers_file too.
func (c *Config) Document() map[string]any {
	document := mappingOf(reflect.ValueOf(*c))
	c.Protect.document(document["protect"].(map[string]any))
	document["policies"] = c.policiesDocument()
	for _, key := range []string{"ledger", "run_timeout", "run_timeout_seconds", "scan", "policy", "cost", "notifications", "waivers_file", "approvals"} {
		delete(document, key)
	}
	return document
}

// Digest is "sha256:<hex>" of everything in the configuration that changes what a
// run plans and applies. Comments, formatting, the order of keys, rules and entries
// do not change it, except that of limits.overrides, and neither do the schedules, the
// profile, the registry_url, the ledger, run_timeout, scan, the cost, the approvals and
// the notifications.
func (c *Config) Digest() string {
	document := c.Document()
	delete(document, "schedules")
	scaleway := document["scaleway"].(map[string]any)
	delete(scaleway, "profile")
	delete(scaleway, "registry_url")
	limits := document["limits"].(map[string]any)
	if overrides, ok := limits["overrides"].([]any); ok {
		limits["overrides"] = inOrder(overrides)
	}
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
		for value.Kind() == reflect.Pointer && !value.IsNil() {
			value = value.Elem()
		}
		m[f.Key] = plainOf(value)
		if d, ok := value.Interface().(strictyaml.Duration); ok {
			m[f.Key+"_seconds"] = seconds(d)
		}
	}
	return m
}

func plainOf(v reflect.Value) any {
	switch v := v.Interface().(type) {
	case strictyaml.Duration:
		return v.String()
	case rules.Prereleases:
		return v.Plain()
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
	case reflect.Map:
		m := map[string]any{}
		for key, value := range v.Seq2() {
			m[key.String()] = plainOf(value)
		}
		return m
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

// seconds are an integer if possible, so that they print well.
func seconds(d strictyaml.Duration) any {
	if s := d.Seconds(); s != math.Trunc(s) {
		return s
	}
	return int64(d.Duration().Seconds())
}

// inOrder is a list whose order matters, as a mapping from each position to its entry.
func inOrder(list []any) map[string]any {
	m := map[string]any{}
	for i, entry := range list {
		m[strconv.Itoa(i)] = entry
	}
	return m
}

// canonical is the JSON of a document with the entries of every list sorted: their
// order does not matter in a configuration.
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

// encode cannot fail: JSON has all types of a document.
func encode(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}
