// Package facts computes what policies get about an image or namespace: the input
// that the schema describes, and, for the built-in policies, what the rules of the
// configuration match and how old, how new and in which period that is.
//
// Its nouns: Rules are those of a configuration, compiled; a Scan has them and the time;
// the facts of an Image are computed once, for the Query that marks tags and for the
// one that keeps them; a RuleMatch is what one rule is about.
//
// It must never decide anything: what a fact means is for Rego to say.
package facts
