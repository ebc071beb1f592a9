// Package scaleway reads and edits a Scaleway Container Registry through the
// official SDK. It takes credentials as every Scaleway tool does, pages by
// itself, proves every listing complete or fails it, and translates what the API
// answers into the nouns and errors of package registry.
//
// It is the only package that imports the SDK. A Reader must never send
// anything but GET, and an Editor nothing but GET and the five changes it has
// methods for, each of them once, none of them by force. Both must never send the
// secret key anywhere but to the API host, never show it in an error or a log,
// never write to standard output, and never turn a listing that failed or came
// back short into a shorter list.
//
// Every request of a Reader goes through a chain of small RoundTrippers,
// outermost first:
//
//	readOnly   GET to the API host only
//	retrier    repeats what may be a passing fault
//	pacer      requests in flight and adaptive rate, per host
//	attempt    one request and its whole answer, within the request timeout
//	(observer) the middleware of Options, such as metrics
//	Base       the connection
//
// The reads of an Editor do so too. Its changes go through writeOnly instead of
// readOnly, and past the retrier.
package scaleway
