// Package content tests that the program reads what is inside tags from a registry that the
// project has not written: Debian's docker-registry. The tests must never talk to another
// host.
package content
