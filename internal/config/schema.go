package config

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of janitor.yaml, for editors and
// other checks outside of this program. It accepts every configuration that Parse
// accepts; Parse finds more problems.
func Schema() []byte { return slices.Clone(schema) }
