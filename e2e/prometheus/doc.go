// Package prometheus has the tests of the metrics with what they are for: a real
// Prometheus that scrapes the real daemon, a real Alertmanager, a real Pushgateway,
// promtool and amtool, and the expressions of the example rules and the example
// dashboard, which are parsed and held against the metrics that are documented.
package prometheus
