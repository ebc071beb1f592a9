// Package prometheus tests the metrics with real programs: a Prometheus that scrapes
// the daemon, an Alertmanager, a Pushgateway, promtool and amtool. It also parses the
// expressions of the example rules and the example dashboard, and compares them with
// the documented metrics.
package prometheus
