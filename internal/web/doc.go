// Package web serves the state of a daemon over HTTP: a page for people, an API for
// programs, metrics for Prometheus, and requests that start a run. TLS, basic
// authentication and sockets are left to exporter-toolkit.
//
// The nouns are Daemon, which it serves, and Views, which render what people see. It
// must never start a run that changes the registry unless EnableApply allows it,
// answer a request that another site sent, or let a page load anything from another
// host.
package web
