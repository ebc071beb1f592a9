// Package actions holds the documents between the verdicts and the registry: the
// Plan with its Steps, what a guard Held, the Decision about one object while a plan is
// applied, and the Outcome; their order and their JSON.
//
// Sub-packages do the work: plan makes a Plan of verdicts, apply makes an Outcome
// of a Plan, and diff compares two Plans. This package must never decide
// anything, and it accepts no plan that contradicts itself.
package actions
