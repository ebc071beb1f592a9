// Package author has the tools of people who write policies.
//
// Check finds what is wrong or doubtful in policies, Test runs their tests,
// Describe lists the parts of a policy set, and Bench measures its cost.
// TestingLibrary is the Rego with which tests build their inputs.
//
// It must never judge a registry, and never accept what policy.New refuses.
package author

import "github.com/registry-janitor/registry-janitor/policy/testing"

// TestingLibrary is the Rego of data.janitor.testing, the builders of inputs for
// tests, as a file to put beside the tests for OPA's own opa test.
func TestingLibrary() []byte { return []byte(testing.Library) }
