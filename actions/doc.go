// Package actions holds the documents between the verdicts and the registry: the
// Plan with its Steps, what a guard Held, and the Outcome of a plan that was
// applied; their order and their JSON.
//
// Sub-packages do the work: plan makes a Plan of verdicts, apply makes an Outcome
// of a Plan, and diff compares two Plans. This package must never decide
// anything, and it accepts no plan that contradicts itself.
package actions
