package oci_test

import (
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator"
)

func TestFaultsOfTheDataPlane(t *testing.T) {
	for fault, want := range map[string]string{
		`{method: GET, path: "/v2/**/manifests/*", status: 500, times: 1}`:          "500, then 200",
		`{method: GET, path: "/v2/**/manifests/*", ref: "prod/web:*", status: 500}`: "200, then 200",
		`{ref: "prod/api:v2", status: 403}`:                                         "403, then 403",
		`{region: nl-ams, path: "/v2/**", status: 500}`:                             "200, then 200",
		`{path: "/v2/**", kind: html, times: 1}`:                                    "200, then 200",
		`{path: "/images/*/tags", status: 500}`:                                     "200, then 200",
		`{path: "/v2/**", location: "https://registry.example", times: 1}`:          "302, then 200",
	} {
		b := serve(t, "faults: ["+fault+"]"+world)
		token := b.bearer("repository:prod/api:pull")
		first, _ := b.send("GET", "/v2/prod/api/manifests/v2", token...)
		second, _ := b.send("GET", "/v2/prod/api/manifests/v2", token...)
		if got := first.Status[:3] + ", then " + second.Status[:3]; got != want {
			t.Errorf("%s: %s, want %s", fault, got, want)
		}
	}
}

func TestAFaultOfTheTokens(t *testing.T) {
	b := serve(t, `faults: [{path: "/registry-internal/**", status: 503}]`+world)
	if got := b.head("prod/api:v2"); got != "503" {
		t.Errorf("without tokens: %s", got)
	}
}

func TestAnAnswerEndsInTheMiddle(t *testing.T) {
	b := serve(t, `faults: [{path: "/v2/**/manifests/*", kind: truncated_json, times: 1}, {path: "/v2/**/manifests/*", kind: cut_body, times: 1}]`+world)
	token := b.bearer("repository:prod/api:pull")
	_, half := b.send("GET", "/v2/prod/api/manifests/v2", token...)
	if _, _, err := try(b.request("GET", "/v2/prod/api/manifests/v2", token...)); err == nil {
		t.Error("the second answer is whole")
	}
	_, whole := b.send("GET", "/v2/prod/api/manifests/v2", token...)
	if half != whole[:len(whole)/2] || len(half) == 0 {
		t.Errorf("%d of %d bytes", len(half), len(whole))
	}
}

func TestAFaultHidesAPush(t *testing.T) {
	b := serve(t, `faults: [{method: PUT, path: "/v2/**/manifests/*", status: 504, when: after, times: 1}]`+world)
	img := b.push("prod/api:new", 1) // the client tries again
	if got := b.head("prod/api:new"); got != digestOf(t, img) {
		t.Errorf("the tag is %s", got)
	}
	var statuses []int
	for _, r := range b.Requests() {
		if r.Method == "PUT" && r.Path == "/v2/prod/api/manifests/new" {
			statuses = append(statuses, r.Status)
		}
	}
	if len(statuses) != 2 || statuses[0] != 504 || statuses[1] != 201 {
		t.Errorf("%v", statuses)
	}
}

func TestRequestsAreInTheLog(t *testing.T) {
	b := serve(t, world)
	b.head("prod/api:v2")
	var got []emulator.Request
	for _, r := range b.Requests() {
		r.Time = start
		got = append(got, r)
	}
	want := []emulator.Request{
		{Order: 1, Time: start, Method: "GET", Host: b.host, Path: "/v2/", Status: 401},
		{Order: 2, Time: start, Method: "GET", Host: b.host, Path: "/registry-internal/v1/regions/fr-par/tokens", Query: "scope=repository%3Aprod%2Fapi%3Apull&service=registry", Status: 200},
		{Order: 3, Time: start, Method: "HEAD", Host: b.host, Path: "/v2/prod/api/manifests/v2", Status: 200},
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}
