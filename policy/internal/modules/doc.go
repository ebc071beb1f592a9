// Package modules reads the Rego modules of a policy set and checks them against
// the contract that docs/policies.md describes: their packages, the form of their
// decisions, their fields and types. It holds what package policy, which runs
// them, and package author, which helps to write them, both need.
//
// Its nouns: a Set has Modules and data; a Module judges a Subject by Decisions;
// what is wrong with it is a Finding.
//
// It must never evaluate a policy, and never compile one without strict mode, its
// schema and the restricted capabilities.
package modules
