// Package outline prepares documents for people: it makes their text safe to
// print, and orders a plan by namespace and image, with what is alike side by
// side. The text, Markdown, HTML and JUnit reports share it.
//
// The nouns are Namespace, Object and Alike. It must never leave out a step, a
// held entry, a violation or a gap.
package outline
