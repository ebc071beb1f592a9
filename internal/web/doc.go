// Package web shows over HTTP how a daemon stands: pages for people, an API for
// programs, metrics for Prometheus, and the little that may be started from
// outside. TLS, basic authentication and sockets are exporter-toolkit's business.
//
// It must never start what changes the registry unless it was told at its start
// that it may, answer a request that another site sent, or let a page load
// anything from anywhere else.
package web
