// Package schema has the JSON Schemas of what policies see as input, and of the
// facts that the built-in policies see beside it.
//
// It must never describe a field that package policy does not fill in.
package schema

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed *.json
var files embed.FS

// Text is the JSON Schema of the input of a subject, "image" or "namespace".
func Text(subject string) ([]byte, error) {
	if subject != "image" && subject != "namespace" {
		return nil, fmt.Errorf("the input schema %q does not exist: want image or namespace", subject)
	}
	return files.ReadFile(subject + ".json")
}

// Input is the schema of what the operator's policies may read.
func Input(subject string) map[string]any { return read(subject) }

// WithFacts is the schema of what the built-in policies may read: the input, and
// the facts as input.facts.
func WithFacts(subject string) map[string]any {
	schema := read(subject)
	schema["properties"].(map[string]any)["facts"] = read("facts")[subject]
	return schema
}

// read parses an embedded schema, which cannot fail: tests read them all.
func read(name string) map[string]any {
	raw, err := files.ReadFile(name + ".json")
	if err != nil {
		panic(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		panic(err)
	}
	return schema
}

// ConfigKeys are the keys that data.config can have, at any depth, sorted.
func ConfigKeys() []string {
	var keys []string
	for _, key := range read("config")["keys"].([]any) {
		keys = append(keys, key.(string))
	}
	return keys
}
