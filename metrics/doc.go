// Package metrics says in Prometheus' terms what finished runs found and did, how
// the daemon stands, and how the API answers.
//
// What a run found is set at once when it has finished, so that no scrape sees half
// of it. Nothing is global: each Metrics has a registry of its own. A label never
// carries a tag or a digest, and one whose values come from users has a bounded
// number of them: the rest shares the value "other".
//
// It must never judge anything, delay a request, or show what it is given of
// credentials. It reaches the network only to push to a Pushgateway, when asked to.
// It is the only importer of client_golang.
package metrics
