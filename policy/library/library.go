// Package library has the built-in policies: one Rego file for each key of the
// configuration, with its tests beside it.
//
// They decide by the facts that package policy computes. They must never compute
// a fact themselves.
package library

import "embed"

// Files are the policies and their tests.
//
//go:embed *.rego
var Files embed.FS
