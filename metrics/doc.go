// Package metrics exposes to Prometheus what finished runs found and did, the state
// of the daemon, and how the API answers.
//
// The values of a run are set together when it has finished, so that no scrape sees
// part of them. Nothing is global: each Metrics has its own registry. No label
// contains a tag or a digest. A label with values from users has a limited number of
// them; the others share the value "other".
//
// It must never judge anything, delay a request, or expose credentials. It uses the
// network only to push to a Pushgateway. It is the only importer of client_golang.
package metrics
