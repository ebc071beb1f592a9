package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// noAnswer is the code of a request that was not answered.
const noAnswer = "error"

// Transport counts the requests that go through it to the API, by what they ask for
// and how they are answered, and how long that takes. It changes nothing.
func (m *Metrics) Transport(next http.RoundTripper) http.RoundTripper {
	return &transport{next: next, counters: &m.counters}
}

type transport struct {
	next     http.RoundTripper
	counters *counters
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	operation := operationOf(req.Method, req.URL.Path)
	timer := prometheus.NewTimer(t.counters.latency.WithLabelValues(operation))
	resp, err := t.next.RoundTrip(req)
	timer.ObserveDuration()
	code := noAnswer
	if err == nil {
		code = codeOf(resp.StatusCode)
	}
	t.counters.requests.WithLabelValues(operation, code).Inc()
	return resp, err
}

// Waited counts a request that was held back for so long by the rate limit of the
// API.
func (m *Metrics) Waited(d time.Duration) {
	m.counters.waits.Inc()
	m.counters.waited.Add(max(0, d.Seconds()))
}

// Retried counts a GET of the path that is tried again. status is that of the answer
// to the try before, 0 where there was none.
func (m *Metrics) Retried(path string, status int) {
	code := noAnswer
	if status != 0 {
		code = codeOf(status)
	}
	m.counters.retries.WithLabelValues(operationOf(http.MethodGet, path), code).Inc()
}

// codeOf is a status as the label has it.
func codeOf(status int) string {
	if status < 100 || status > 599 {
		return other
	}
	return strconv.Itoa(status)
}

// operationOf names what a request asks for, as the API's own description does:
// ListTags, GetImage. What it does not know is "other".
func operationOf(method, path string) string {
	if rest, ok := strings.CutPrefix(path, "/registry/v1/regions/"); ok {
		return registryOperation(method, strings.Split(rest, "/"))
	}
	listings := []struct{ product, kind, name string }{
		{"/containers/v1/regions/", "containers", "ListContainers"},
		{"/containers/v1beta1/regions/", "containers", "ListContainers"},
		{"/containers/v1/regions/", "namespaces", "ListContainerNamespaces"},
		{"/containers/v1beta1/regions/", "namespaces", "ListContainerNamespaces"},
		{"/serverless-jobs/v1alpha2/regions/", "job-definitions", "ListJobDefinitions"},
	}
	for _, l := range listings {
		rest, ok := strings.CutPrefix(path, l.product)
		if _, kind, _ := strings.Cut(rest, "/"); ok && kind == l.kind && method == http.MethodGet {
			return l.name
		}
	}
	return other
}

// registryOperation names an operation of the registry by what follows the region.
func registryOperation(method string, parts []string) string {
	one := map[string]string{"namespaces": "Namespace", "images": "Image", "tags": "Tag"}
	verbs := map[string]string{http.MethodGet: "Get", http.MethodPatch: "Update", http.MethodDelete: "Delete"}
	switch {
	case len(parts) == 4 && parts[1] == "images" && parts[3] == "tags" && method == http.MethodGet:
		return "ListTags"
	case len(parts) == 3 && one[parts[1]] != "" && verbs[method] != "" && (method != http.MethodPatch || parts[1] != "tags"):
		return verbs[method] + one[parts[1]]
	case len(parts) == 2 && method == http.MethodGet && (parts[1] == "namespaces" || parts[1] == "images"):
		return "List" + one[parts[1]] + "s"
	}
	return other
}
