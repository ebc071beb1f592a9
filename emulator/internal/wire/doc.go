// Package wire writes as the API does: its identifiers (a [UUID]), its objects with their
// order of fields and their digits (a [Writer]), and its answers with their errors (an
// [Answer], which an [API] makes).
//
// It must never know what a registry holds, or send anything.
package wire
