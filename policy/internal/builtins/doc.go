// Package builtins is which functions of Rego policies may call, and what a call may
// cost. They reach nothing outside, and each call is bounded before it is made.
//
// Its nouns: a function is offered; its bound is an upper bound of the cost of a call,
// in bytes and steps; Capabilities describes them to a compiler.
//
// It must never offer a function that cannot be bounded, or that reaches outside.
package builtins
