package metrics

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	id = "11111111-2222-4333-8444-555555555555"
	v1 = "/registry/v1/regions/fr-par"
)

func TestOperationsAreNamedByMethodAndPath(t *testing.T) {
	for request, want := range map[string]string{
		"GET " + v1 + "/namespaces":                                    "ListNamespaces",
		"GET " + v1 + "/namespaces/" + id:                              "GetNamespace",
		"PATCH " + v1 + "/namespaces/" + id:                            "UpdateNamespace",
		"DELETE " + v1 + "/namespaces/" + id:                           "DeleteNamespace",
		"GET " + v1 + "/images":                                        "ListImages",
		"GET " + v1 + "/images/" + id:                                  "GetImage",
		"PATCH " + v1 + "/images/" + id:                                "UpdateImage",
		"DELETE " + v1 + "/images/" + id:                               "DeleteImage",
		"GET " + v1 + "/images/" + id + "/tags":                        "ListTags",
		"GET " + v1 + "/tags/" + id:                                    "GetTag",
		"DELETE " + v1 + "/tags/" + id:                                 "DeleteTag",
		"GET /containers/v1/regions/it-mil/containers":                 "ListContainers",
		"GET /containers/v1beta1/regions/fr-par/containers":            "ListContainers",
		"GET /containers/v1/regions/it-mil/namespaces":                 "ListContainerNamespaces",
		"GET /serverless-jobs/v1alpha2/regions/pl-waw/job-definitions": "ListJobDefinitions",

		"PATCH " + v1 + "/tags/" + id:                     "other",
		"POST " + v1 + "/namespaces":                      "other",
		"PUT " + v1 + "/images/" + id:                     "other",
		"DELETE " + v1 + "/images/" + id + "/tags":        "other",
		"GET " + v1 + "/images/" + id + "/tags/x":         "other",
		"GET " + v1 + "/images/" + id + "/layers":         "other",
		"GET " + v1 + "/secrets":                          "other",
		"GET " + v1 + "/tags":                             "other",
		"GET " + v1:                                       "other",
		"GET /registry/v1/regions/":                       "other",
		"GET /registry/v2/regions/fr-par/namespaces":      "other",
		"DELETE /containers/v1/regions/fr-par/containers": "other",
		"GET /containers/v1/regions/fr-par/containers/x":  "other",
		"GET /": "other",
		"GET ":  "other",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := operationOf(method, path); got != want {
			t.Errorf("%s is %s, want %s", request, got, want)
		}
	}
}

func TestRequestsAreCountedByOperationAndCode(t *testing.T) {
	m := New("v1")
	request(t, m, "GET", v1+"/images/"+id+"/tags", 200)
	request(t, m, "GET", v1+"/images/"+id+"/tags", 200)
	request(t, m, "GET", v1+"/images/"+id+"/tags", 429)
	request(t, m, "DELETE", v1+"/tags/"+id, 404)
	request(t, m, "GET", "/who/knows", 999)
	broken := errors.New("broken pipe")
	if _, err := m.Transport(roundTrip(func(*http.Request) (*http.Response, error) { return nil, broken })).
		RoundTrip(httptest.NewRequest("GET", "https://api.example.com"+v1+"/namespaces", nil)); !errors.Is(err, broken) {
		t.Errorf("the error became %v", err)
	}
	m.Retried(v1+"/namespaces", 0)
	m.Retried("/x", 200)
	expect(t, m, `
		api_requests_total{code="200",operation="ListTags"} 2
		api_requests_total{code="429",operation="ListTags"} 1
		api_requests_total{code="404",operation="DeleteTag"} 1
		api_requests_total{code="other",operation="other"} 1
		api_requests_total{code="error",operation="ListNamespaces"} 1
		api_retries_total{code="error",operation="ListNamespaces"} 1
		api_retries_total{code="200",operation="other"} 1
	`)
	for series, want := range map[string]float64{
		`api_request_duration_seconds_count{operation="ListTags"}`:       3,
		`api_request_duration_seconds_count{operation="DeleteTag"}`:      1,
		`api_request_duration_seconds_count{operation="ListNamespaces"}`: 1,
	} {
		if got, _ := valueOf(t, m, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}

// The series stay few, whatever the requests and the answers.
func TestTheSeriesOfTheAPIAreBounded(t *testing.T) {
	operations, codes := map[string]bool{}, map[string]bool{}
	for _, method := range []string{"GET", "PATCH", "DELETE", "POST", "PUT", "BREW"} {
		for _, base := range []string{v1, "/containers/v1/regions/x", "/containers/v1beta1/regions/x", "/serverless-jobs/v1alpha2/regions/x", "", "/x"} {
			for _, rest := range []string{"", "/", "/namespaces", "/images", "/tags", "/containers", "/job-definitions", "/images/a", "/tags/a", "/namespaces/a", "/images/a/tags", "/a/b/c/d", "//"} {
				operations[operationOf(method, base+rest)] = true
			}
		}
	}
	for status := -1000; status < 2000; status++ {
		codes[codeOf(status)] = true
	}
	if len(operations) != 15 || len(codes) != 501 {
		t.Errorf("%d operations and %d codes: %v", len(operations), len(codes), operations)
	}
}
