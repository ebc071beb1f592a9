package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// noAnswer is the code of a request without an answer.
const noAnswer = "error"

// Transport counts the requests to the API by operation and status code, and
// measures their time. It changes nothing.
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

// Waited counts a request that waited this long for the rate limit of the API.
func (m *Metrics) Waited(d time.Duration) {
	m.counters.waits.Inc()
	m.counters.waited.Add(max(0, d.Seconds()))
}

// Retried counts a GET of the path that is sent again. status is the answer to the
// attempt before, 0 if there was none.
func (m *Metrics) Retried(path string, status int) {
	code := noAnswer
	if status != 0 {
		code = codeOf(status)
	}
	m.counters.retries.WithLabelValues(operationOf(http.MethodGet, path), code).Inc()
}

// codeOf is the label of a status.
func codeOf(status int) string {
	if status < 100 || status > 599 {
		return other
	}
	return strconv.Itoa(status)
}

// operationOf is the operation of a request, as the description of the API names it:
// ListTags, GetImage. Unknown ones are other.
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

// registryOperation is an operation of the registry, by the path after the region.
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
