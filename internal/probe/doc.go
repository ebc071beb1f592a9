// Package probe finds out how the API of an account behaves where its documentation says
// nothing, by trying it in a scratch namespace. Its nouns:
//
//   - a Prober: the API and the data plane of one region
//   - a scratch: the namespace of one probe, which is removed in any case
//   - an experiment: pushes a few tiny images, changes something, and looks
//   - Findings: what the experiments showed, each with its evidence
//
// It must never touch an object outside a namespace that a probe created, and never say
// more than it has seen: what could not be found out is unknown.
package probe
