// Package report renders a finished run as text, JSON, Markdown, JUnit XML, HTML,
// CSV, annotations of GitHub or SARIF, and a comparison, an explanation and the
// findings of lint as text, JSON or Markdown. Each function cleans its document once,
// before it writes anything.
//
// It must never decide anything, leave out a step, a held entry, a violation or a
// gap without counting it and saying where all are, read the clock, or let text from
// elsewhere reach a terminal as it is.
package report
