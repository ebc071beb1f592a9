package policy

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed schema/*.json
var schemas embed.FS

// Schema is the JSON Schema of the input that policies of a subject, "image" or
// "namespace", see.
func Schema(subject string) ([]byte, error) {
	if subject != string(imageSubject) && subject != string(namespaceSubject) {
		return nil, fmt.Errorf("there is no input schema %q: want image or namespace", subject)
	}
	return schemas.ReadFile("schema/" + subject + ".json")
}

// userSchema is what the operator's policies may read.
func userSchema(s subject) any { return mustSchema(string(s)) }

// factSchema is what the built-in policies may read besides: the facts.
func factSchema(s subject) any {
	schema := mustSchema(string(s))
	facts := mustSchema("facts")[string(s)]
	schema["properties"].(map[string]any)["facts"] = facts
	return schema
}

// mustSchema reads an embedded schema; a test reads them all.
func mustSchema(name string) map[string]any {
	raw, err := schemas.ReadFile("schema/" + name + ".json")
	if err != nil {
		panic(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		panic(err)
	}
	return schema
}
