package emulator_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator"
)

func TestTheRequestLogHasEveryRequest(t *testing.T) {
	b := serve(t, faulty(`{method: DELETE, status: 503}`))
	b.send("GET", tagsPath+"?page=2&page_size=1", "")
	b.clock.pass(time.Second)
	b.send("DELETE", "/tags/"+unknownID, "")
	const prefix = "/registry/v1/regions/fr-par"
	want := []emulator.Request{
		{Order: 1, Time: start, Method: "GET", Path: prefix + tagsPath, Query: "page=2&page_size=1", Status: 200},
		{Order: 2, Time: start.Add(time.Second), Method: "DELETE", Path: prefix + "/tags/" + unknownID, Status: 503, Fault: "status"},
	}
	if diff := cmp.Diff(want, b.Requests()); diff != "" {
		t.Errorf("Requests (-want +got):\n%s", diff)
	}

	resp, err := b.http.Get(b.url + "/_emulator/requests") // without a key
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var served []emulator.Request
	if err := json.Unmarshal(body, &served); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if diff := cmp.Diff(want, served); diff != "" {
		t.Errorf("served (-want +got):\n%s", diff)
	}
	if !strings.Contains(string(body), "\n"+`{"order":2,"time":"2026-11-22T12:00:01.123456789Z","method":"DELETE","path":"/registry/v1/regions/fr-par/tags/`+unknownID+`","query":"","status":503,"fault":"status"}`+"\n") {
		t.Errorf("want one request a line: %s", body)
	}
	if len(b.Requests()) != 2 {
		t.Error("reading the log must not be logged")
	}
}

func TestTheEmptyRequestLogIsAnEmptyList(t *testing.T) {
	s, err := emulator.New(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := direct(t, s, "GET", "/_emulator/requests", ""); strings.Join(strings.Fields(got.body), "") != "[]" {
		t.Errorf("got %s", got.body)
	}
	if got := direct(t, s, "DELETE", "/_emulator/requests", ""); got.status != 405 {
		t.Errorf("deleting the log: %d", got.status)
	}
}
