// Package report renders a finished run for people and for programs.
//
// It only words what the plan says. It must never decide, count anew, hide a
// deletion, a held entry, a violation or a gap, read the clock, or let text from
// the registry reach a terminal unescaped.
package report
