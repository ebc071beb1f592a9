package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// faulty is a world of three tags, of a release and two pull requests, with faults.
func faulty(faults string) string {
	return prod("", `{name: "pr-{n}", count: 2, age: 1h}, {name: v1, age: 1d}`) + "\nfaults: [" + faults + "]"
}

var tagsPath = "/images/" + emulator.ImageID("fr-par", "prod", "api") + "/tags"

func TestWhichRequestsAFaultHappensTo(t *testing.T) {
	tag := "/tags/" + tagID("api", "v1")
	tests := []struct {
		why, fault string
		requests   string // method path, a line each
		want       string
	}{
		{"the second page, once", `{method: GET, path: "/images/*/tags", page: 2, status: 500, times: 1}`,
			"GET " + tagsPath + "?page=1\nGET " + tagsPath + "?page=2\nGET " + tagsPath + "?page=2", "200 500 200"},
		{"every second deletion", `{method: DELETE, status: 429, every: 2}`,
			"DELETE /tags/" + unknownID + "\nGET /images\nDELETE /tags/" + unknownID + "\nDELETE /tags/" + unknownID + "\nDELETE /tags/" + unknownID, "404 200 429 404 429"},
		{"every second one, two times", `{status: 503, every: 2, times: 2}`,
			strings.Repeat("GET /images\n", 7) + "GET /images", "200 503 200 503 200 200 200 200"},
		{"a request that names no page asks for page 1", `{page: 1, status: 500}`, "GET /images\nGET /images?page=1\nGET /images?page=2", "500 500 200"},
		{"a path with the whole prefix", `{path: "/registry/v1/regions/*/images", status: 500}`, "GET /images\nGET /namespaces", "500 200"},
		{"a path with the prefix of another region", `{path: "/registry/v1/regions/nl-ams/images", status: 500}`,
			"GET /images\nGET /registry/v1/regions/nl-ams/images", "200 500"},
		{"another region", `{region: nl-ams, status: 500}`, "GET /images\nGET /registry/v1/regions/nl-ams/images", "200 500"},
		{"any segments", `{path: "/images/**", status: 500}`, "GET /images\nGET " + tagsPath + "\nGET /namespaces", "500 500 200"},
		{"a glob within a segment", `{path: "/name*", status: 500}`, "GET /namespaces\nGET /images", "500 200"},
		{"what is about an image", `{ref: prod/api, status: 500}`, "GET /images\nGET " + tagsPath + "\nGET " + tag, "200 500 200"},
		{"what is about a tag", `{ref: "prod/*:v*", status: 500}`, "GET " + tagsPath + "\nGET " + tag + "\nGET /tags/" + tagID("api", "pr-1") + "\nGET /tags/" + unknownID, "200 500 200 404"},
		{"what is about a namespace", `{ref: "pro?", status: 500}`, "GET /namespaces/" + emulator.NamespaceID("fr-par", "prod") + "\nGET /images", "500 200"},
		{"the first of two that are due, and both count", `{status: 500, times: 1}, {status: 502, every: 2}`, "GET /images\nGET /images\nGET /images\nGET /images", "500 502 200 502"},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			b := serve(t, faulty(test.fault))
			var got []string
			for line := range strings.Lines(test.requests) {
				method, path, _ := strings.Cut(strings.TrimSpace(line), " ")
				got = append(got, strings.TrimSpace(http.StatusText(b.send(method, path, "").status)))
			}
			var want []string
			for _, code := range strings.Fields(test.want) {
				want = append(want, map[string]string{"200": "OK", "404": "Not Found", "429": "Too Many Requests", "500": "Internal Server Error", "502": "Bad Gateway", "503": "Service Unavailable"}[code])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAnswersOfFaults(t *testing.T) {
	good := serve(t, faulty("")).send("GET", tagsPath, "").body
	tests := []struct {
		why, fault string
		status     int
		kind, body string
		header     string // name: value
	}{
		{"a 500", `{status: 500}`, 500, "application/json", `{"message":"internal error"}`, ""},
		{"a 500 with words", `{status: 500, message: "on fire"}`, 500, "application/json", `{"message":"on fire"}`, ""},
		{"a 503 in text", `{status: 503, body: text}`, 503, "text/plain; charset=utf-8", "service unavailable", ""},
		{"a timeout of the gateway", `{status: 504, body: text}`, 504, "text/plain; charset=utf-8", "upstream request timeout", ""},
		{"a 502 as a web page", `{status: 502, body: html}`, 502, "text/html; charset=utf-8", webPage("bad gateway"), ""},
		{"a 500 without a body", `{status: 500, body: empty}`, 500, "", "", ""},
		{"a 401", `{status: 401}`, 401, "application/json", `{"message":"authentication is denied", "method":"api_key", "reason":"not_found", "type":"denied_authentication"}`, ""},
		{"a 403", `{status: 403}`, 403, "application/json", `{"details":[{"action":"read", "resource":"registry"}], "message":"insufficient permissions", "type":"permissions_denied"}`, ""},
		{"a 429", `{status: 429}`, 429, "", "", "X-Envoy-Ratelimited: true"},
		{"a 429 that says when to come back", `{status: 429, retry_after: 2m}`, 429, "", "", "Retry-After: 120"},
		{"an empty 200", `{kind: empty_body}`, 200, "application/json", "", ""},
		{"a web page", `{kind: html}`, 200, "text/html; charset=utf-8", webPage("Welcome"), ""},
		{"broken JSON", `{kind: truncated_json}`, 200, "application/json", good[:len(good)/2], ""},
		{"a redirect to a host", `{location: "https://elsewhere.example"}`, 302, "", "", "Location: https://elsewhere.example/registry/v1/regions/fr-par" + tagsPath},
		{"a redirect to a page", `{kind: redirect, status: 307, location: "https://elsewhere.example/login"}`, 307, "", "", "Location: https://elsewhere.example/login"},
		{"a date that is off", `{date_offset: -2h}`, 200, "application/json", good, "Date: Sun, 22 Nov 2026 10:00:00 GMT"},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			got := serve(t, faulty(test.fault)).send("GET", tagsPath, "")
			if got.status != test.status || got.header.Get("Content-Type") != test.kind || got.body != test.body {
				t.Errorf("got %d, %q, %s\nwant %d, %q, %s", got.status, got.header.Get("Content-Type"), got.body, test.status, test.kind, test.body)
			}
			name, value, ok := strings.Cut(test.header, ": ")
			if ok && got.header.Get(name) != value {
				t.Errorf("%s: %q, want %q", name, got.header.Get(name), value)
			}
		})
	}
}

func webPage(title string) string {
	return "<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n"
}

func TestTheSDKUnderstandsEveryErrorStatus(t *testing.T) {
	for status := 400; status <= 599; status++ {
		if status >= 430 && status < 500 {
			continue
		}
		t.Run(http.StatusText(status), func(t *testing.T) {
			w := worlds.World{Faults: []worlds.Fault{{Status: status}}}
			_, err := serveWorld(t, w).api.ListImages(&sdk.ListImagesRequest{})
			var any scw.SdkError
			if !errors.As(err, &any) {
				t.Errorf("%d gives %v, which is not an error of the SDK", status, err)
			}
		})
	}
}

func TestSpoiledPages(t *testing.T) {
	tests := []struct {
		why, fault, query, rows string
		total                   int
	}{
		{"no fault", `{kind: short_page, path: /namespaces}`, "", "v1 pr-1 pr-2", 3},
		{"a short page", `{kind: short_page}`, "", "v1 pr-1", 3},
		{"a page without its rows", `{kind: short_page, rows: 9}`, "", "", 3},
		{"a total that changes", `{kind: changed_total}`, "?page=2&page_size=2", "pr-2", 5},
		{"a row that comes twice", `{kind: duplicate_row}`, "", "v1 pr-1 v1", 3},
		{"the only row twice", `{kind: duplicate_row}`, "?page_size=1", "v1 v1", 3},
		{"nothing twice", `{kind: duplicate_row}`, "?page=9", "", 3},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			b := serve(t, faulty(test.fault))
			got := b.send("GET", tagsPath+test.query, "")
			var page struct {
				Total int `json:"total_count"`
			}
			if err := json.Unmarshal([]byte(got.body), &page); err != nil {
				t.Fatal(err)
			}
			if rows := strings.Join(rowNames(got.body), " "); rows != test.rows || page.Total != test.total {
				t.Errorf("got %s of %d, want %s of %d", rows, page.Total, test.rows, test.total)
			}
			if one := b.send("GET", "/tags/"+tagID("api", "v1"), ""); one.status != 200 {
				t.Errorf("a fault of listings must not touch single objects: %d", one.status)
			}
		})
	}
	t.Run("the rows themselves stay whole", func(t *testing.T) {
		b := serve(t, faulty(`{kind: duplicate_row, times: 1}`))
		b.send("GET", tagsPath, "")
		if rows := strings.Join(rowNames(b.send("GET", tagsPath, "").body), " "); rows != "v1 pr-1 pr-2" {
			t.Errorf("after the fault: %s", rows)
		}
	})
}

func TestBrokenConnections(t *testing.T) {
	tests := []struct {
		why, fault string
		want       error
	}{
		{"a reset", `{kind: reset}`, syscall.ECONNRESET},
		{"a body that is cut", `{kind: cut_body}`, io.ErrUnexpectedEOF},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			_, err := serve(t, faulty(test.fault)).try("POST", "/namespaces", `{"name":"x","project_id":"`+project+`"}`)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	t.Run("a hang", func(t *testing.T) {
		b := serve(t, faulty(`{kind: hang}`))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := b.api.ListImages(&sdk.ListImagesRequest{}, scw.WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		if r := b.Requests(); len(r) != 1 || r[0].Status != 0 || r[0].Fault != "hang" {
			t.Errorf("the log: %+v", r)
		}
	})
}

func TestFaultsBeforeAndAfterTheAPIActs(t *testing.T) {
	for _, kind := range []string{"kind: reset", "status: 504, body: text", "kind: empty_body", "kind: html", "location: https://elsewhere.example"} {
		for _, test := range []struct {
			when string
			left bool
		}{{"", true}, {", when: before", true}, {", when: after", false}} {
			t.Run(kind+test.when, func(t *testing.T) {
				b := serve(t, faulty("{method: DELETE, "+kind+test.when+"}"))
				_, _ = b.try("DELETE", "/tags/"+tagID("api", "v1"), "") // whether it answers is not the question
				if _, left := b.tags("api")["v1"]; left != test.left {
					t.Errorf("the tag is left: %t, want %t", left, test.left)
				}
			})
		}
	}
}

func TestTheRateLimit(t *testing.T) {
	b := serve(t, `settings: {rate_limit: 3}`)
	for second := range 3 {
		for i := range 5 {
			got := b.send("GET", "/images", "")
			limited := got.status == 429 && got.body == "" && got.header.Get("X-Envoy-Ratelimited") == "true" && got.header.Get("Retry-After") == ""
			if limited != (i >= 3) || !limited && got.status != 200 {
				t.Errorf("second %d, request %d: %d %q %v", second, i, got.status, got.body, got.header)
			}
		}
		b.clock.pass(time.Second)
	}
}

func TestRequestsWaitForTheLatencyUnlessTheClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := emulator.New(emulator.Options{World: worlds.World{
			Settings: worlds.Settings{Latency: 20 * time.Millisecond},
			Faults:   []worlds.Fault{{Path: "/namespaces", Delay: time.Second}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(path string, patience time.Duration) (status int, took time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			began := time.Now()
			w := recorder{header: http.Header{}}
			defer func() {
				if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
					panic(p)
				}
				status, took = w.status, time.Since(began)
			}()
			req, _ := http.NewRequestWithContext(ctx, "GET", "/registry/v1/regions/fr-par"+path, http.NoBody)
			req.Header.Set("X-Auth-Token", "k")
			s.ServeHTTP(&w, req)
			return
		}
		for _, test := range []struct {
			path     string
			patience time.Duration
			status   int
			took     time.Duration
		}{
			{"/images", time.Hour, 200, 20 * time.Millisecond},
			{"/images", 5 * time.Millisecond, 0, 5 * time.Millisecond},
			{"/namespaces", time.Hour, 200, 1020 * time.Millisecond},
		} {
			if status, took := ask(test.path, test.patience); status != test.status || took != test.took {
				t.Errorf("%s: %d after %v, want %d after %v", test.path, status, took, test.status, test.took)
			}
		}
	})
}
