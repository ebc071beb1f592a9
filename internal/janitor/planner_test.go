package janitor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/scanner"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func atNow() time.Time { return now }

// setting is an emulator and a planner for it.
type setting struct {
	server  *emulator.Server
	base    http.RoundTripper
	reader  *scaleway.Reader
	planner *Planner
}

// newSetting puts what wraps the emulator, if anything, between it and the planner.
func newSetting(t testing.TB, world worlds.World, configuration string, concurrency int, wraps ...func(http.Handler) http.Handler) *setting {
	t.Helper()
	server, err := emulator.New(emulator.Options{World: world, Now: atNow})
	check(t, err)
	c, err := config.Parse("janitor.yaml", []byte(configuration))
	check(t, err)
	policies, err := Policies(context.Background(), c, policy.Options{})
	check(t, err)
	handler := http.Handler(server)
	for _, wrap := range wraps {
		handler = wrap(handler)
	}
	base := inProcess{handler}
	reader, err := scaleway.NewReader(scaleway.Options{
		Credentials: &scaleway.Credentials{
			APIURL:    "http://localhost",
			AccessKey: "SCWXXXXXXXXXXXXXXXXX",
			SecretKey: "11111111-1111-1111-1111-111111111111",
		},
		Base:           base,
		Concurrency:    concurrency,
		Now:            atNow,
		RequestTimeout: 2 * time.Second,
	})
	check(t, err)
	return &setting{server, base, reader, &Planner{Config: c, Policies: policies, TakenAt: now, Clock: reader}}
}

// inProcess hands requests to a handler without a network between, so that a
// test can run in a bubble of its own time.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		if cut := recover(); cut != nil {
			response, err = nil, fmt.Errorf("the connection is cut: %w", io.ErrUnexpectedEOF)
		}
	}()
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, r)
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	response = recorder.Result()
	response.Request = r
	return response, nil
}

func (s *setting) scan(t testing.TB, concurrency int) intake.Feed {
	t.Helper()
	return scanner.Scan(t.Context(), s.reader, scanner.Options{Scope: Scope(s.planner.Config), Concurrency: concurrency})
}

// plan scans and plans a world.
func planOf(t testing.TB, world worlds.World, configuration string, concurrency int) *actions.Plan {
	t.Helper()
	s := newSetting(t, world, configuration, concurrency)
	p, err := s.planner.Plan(t.Context(), s.scan(t, concurrency))
	check(t, err)
	for _, r := range s.server.Requests() {
		if r.Method != "GET" {
			t.Errorf("%s %s was sent", r.Method, r.Path)
		}
	}
	return p
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func parse(t testing.TB, world string) worlds.World {
	t.Helper()
	w, err := worlds.Parse("world.yaml", []byte(world))
	check(t, err)
	return w
}

func encode(t testing.TB, p *actions.Plan) string {
	t.Helper()
	var b bytes.Buffer
	check(t, p.Encode(&b))
	return b.String()
}

const rules = `
retention:
  - {name: pull request builds, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}
  - {name: branch builds, match: {tags: ["main-*"]}, keep: {last: 3, within: 30d}, delete: {older_than: 24h}}
  - {name: releases, match: {semver: "*"}, keep: {all: true}}
empty: {images: {older_than: 7d}, namespaces: {older_than: 30d}}
visibility:
  - {name: private, subject: image, match: {namespaces: ["*"]}, except: {namespaces: ["oss"]}, require: private, fix: true}
naming:
  - {name: kebab case, subject: image, pattern: '[a-z0-9]+(-[a-z0-9]+)*', severity: deny}
protect: {tags: ["latest"]}
`

// withoutFaults is the demo's registry with nothing that needs retries.
func withoutFaults() worlds.World {
	w := worlds.Demo(7)
	w.Faults = nil
	return w
}

func TestPlanDoesNotDependOnConcurrencyOrOrder(t *testing.T) {
	want := encode(t, planOf(t, withoutFaults(), rules, 16))
	for _, concurrency := range []int{1, 3} {
		if got := encode(t, planOf(t, withoutFaults(), rules, concurrency)); got != want {
			t.Errorf("with concurrency %d the plan differs: %s", concurrency, cmp.Diff(want, got))
		}
	}
	w := withoutFaults()
	for i, j := 0, len(w.Namespaces)-1; i < j; i, j = i+1, j-1 {
		w.Namespaces[i], w.Namespaces[j] = w.Namespaces[j], w.Namespaces[i]
	}
	swapped := strings.Replace(rules, "retention:", `retention:
  - {name: releases, match: {semver: "*"}, keep: {all: true}}`, 1)
	at := strings.LastIndex(swapped, "  - {name: releases")
	swapped = swapped[:at] + swapped[at+strings.Index(swapped[at:], "\n")+1:]
	if got := encode(t, planOf(t, w, swapped, 16)); got != want {
		t.Errorf("with rules and namespaces swapped the plan differs: %s", cmp.Diff(want, got))
	}
}

func TestInventoryGivesTheSamePlan(t *testing.T) { synctest.Test(t, inventoryGivesTheSamePlan) }

func inventoryGivesTheSamePlan(t *testing.T) {
	s := newSetting(t, worlds.Demo(7), rules, 16)
	session, err := s.planner.Plan(t.Context(), s.scan(t, 16))
	check(t, err)
	var file bytes.Buffer
	_, err = s.planner.Record(t.Context(), s.scan(t, 16), &file)
	check(t, err)
	inventory, err := scanner.ReadInventory(&file)
	check(t, err)
	check(t, inventory.Narrow(Scope(s.planner.Config)))
	s.planner.TakenAt, s.planner.Clock = inventory.Header.TakenAt, nil
	recorded, err := s.planner.Plan(t.Context(), inventory.Stream(t.Context()))
	check(t, err)
	if diff := cmp.Diff(encode(t, session), encode(t, recorded)); diff != "" {
		t.Error(diff)
	}
	if session.Summary.Gaps == 0 || session.Summary.DeleteTags == 0 {
		t.Errorf("nothing to compare: %+v", session.Summary)
	}
}

func TestPagesOfTags(t *testing.T) {
	const world = `{namespaces: [{name: prod, age: 400d, images: [{name: api, tags: [{name: "pr-{n}", count: %d, age: 20d, step: 1m}, {name: latest, age: 1h}]}]}]}`
	for _, n := range []int{98, 99, 100, 101, 249, 9999} {
		t.Run(fmt.Sprint(n+1, " tags"), func(t *testing.T) {
			p := planOf(t, parse(t, fmt.Sprintf(world, n)), rules+"limits: {max_deletions: 100000, max_deletion_percent: 100}", 16)
			if p.Summary.Tags != n+1 || p.Summary.DeleteTags != n || p.Summary.Gaps != 0 || p.Refused() {
				t.Errorf("got %+v", p.Summary)
			}
		})
	}
}

func TestImagesOfTheSameNameAreNotConfused(t *testing.T) {
	p := planOf(t, parse(t, `{namespaces: [
		{name: one, age: 400d, images: [{name: api, tags: [{name: pr-1, age: 20d, digest: A}, {name: latest, age: 1d}]}]},
		{name: two, age: 400d, images: [{name: api, tags: [{name: pr-1, age: 2d}, {name: v1.0.0, age: 20d, digest: A}]}]},
		{name: one, region: nl-ams, age: 400d, images: [{name: api, tags: [{name: pr-1, age: 1d}]}]}]}`), rules, 16)
	if p.Summary.Images != 3 || len(p.Steps) != 1 || p.Steps[0].Ref != "rg.fr-par.scw.cloud/one/api:pr-1" {
		t.Errorf("got %+v", p.Steps)
	}
}

// Whatever fails in the listing of one image, either the plan is that of a registry
// where nothing fails, or that image is a gap and nothing of
// it is deleted.
func TestFaultsNeverDelete(t *testing.T) {
	const world = `{namespaces: [{name: prod, age: 400d, images: [
		{name: api, tags: [{name: "pr-{n}", count: 150, age: 20d}, {name: "v1.0.{n}", count: 150, age: 20d}]},
		{name: web, tags: [{name: pr-1, age: 20d}, {name: v1.0.0, age: 20d}, {name: latest, age: 20d}]}]}],
		faults: [%s]}`
	whole := planOf(t, parse(t, fmt.Sprintf(world, "")), rules, 16)
	if whole.Summary.DeleteTags != 151 {
		t.Fatalf("got %+v", whole.Summary)
	}
	ref := "rg.fr-par.scw.cloud/prod/api"
	for name, row := range map[string]struct {
		fault string
		gap   bool
	}{
		"a server error once":              {`{method: GET, ref: prod/api, path: "/images/*/tags", status: 500, times: 1}`, false},
		"a server error forever":           {`{method: GET, ref: prod/api, path: "/images/*/tags", status: 503}`, true},
		"a server error on one page":       {`{method: GET, ref: prod/api, path: "/images/*/tags", page: 2, status: 500}`, true},
		"too many requests twice":          {`{method: GET, ref: prod/api, path: "/images/*/tags", status: 429, times: 2}`, false},
		"an empty body once":               {`{method: GET, ref: prod/api, path: "/images/*/tags", kind: empty_body, times: 1}`, false},
		"an empty body forever":            {`{method: GET, ref: prod/api, path: "/images/*/tags", kind: empty_body}`, true},
		"truncated JSON forever":           {`{method: GET, ref: prod/api, path: "/images/*/tags", page: 3, kind: truncated_json}`, true},
		"a short page once":                {`{method: GET, ref: prod/api, path: "/images/*/tags", page: 2, kind: short_page, times: 1}`, false},
		"a short page forever":             {`{method: GET, ref: prod/api, path: "/images/*/tags", page: 2, kind: short_page}`, true},
		"a total that changes forever":     {`{method: GET, ref: prod/api, path: "/images/*/tags", kind: changed_total}`, true},
		"a duplicate row forever":          {`{method: GET, ref: prod/api, path: "/images/*/tags", page: 2, kind: duplicate_row}`, true},
		"a redirect to another host":       {`{method: GET, ref: prod/api, path: "/images/*/tags", kind: redirect, location: "http://127.0.0.1:1/"}`, true},
		"a connection that is cut once":    {`{method: GET, ref: prod/api, path: "/images/*/tags", kind: reset, times: 1}`, false},
		"a connection that is cut forever": {`{method: GET, ref: prod/api, path: "/images/*/tags", kind: reset}`, true},
		"a page of HTML":                   {`{method: GET, ref: prod/api, path: "/images/*/tags", kind: html}`, true},
		"an answer that hangs once":        {`{method: GET, ref: prod/api, path: "/images/*/tags", page: 1, kind: hang, times: 1}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := planOf(t, parse(t, fmt.Sprintf(world, row.fault)), rules, 16)
				if !row.gap {
					if diff := cmp.Diff(encode(t, whole), encode(t, p)); diff != "" {
						t.Error(diff)
					}
					return
				}
				if len(p.Gaps) != 1 || p.Gaps[0].Subject != ref || !p.Incomplete() {
					t.Errorf("gaps: %+v", p.Gaps)
				}
				if len(p.Steps) != 1 || p.Steps[0].Ref != "rg.fr-par.scw.cloud/prod/web:pr-1" {
					t.Errorf("steps: %+v", p.Steps)
				}
			})
		})
	}
}

func TestWrongClockHoldsEverything(t *testing.T) {
	for skew, held := range map[string]bool{"4m": false, "6m": true, "-6m": true} {
		p := planOf(t, parse(t, `{settings: {clock_skew: `+skew+`}, namespaces: [
			{name: prod, age: 400d, images: [{name: api, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}]},
			{name: old, age: 400d}]}`), rules, 16)
		if held != (len(p.Steps) == 0) || held != (len(p.Gaps) == 1 && p.Gaps[0].Subject == "clock") {
			t.Errorf("a skew of %s: steps %+v, gaps %+v", skew, p.Steps, p.Gaps)
		}
		if held && (len(p.Held) != 2 || p.Held[0].Guard != actions.GuardGap) {
			t.Errorf("a skew of %s: held %+v", skew, p.Held)
		}
	}
}

func TestFailedRegionLeavesTheOthersComplete(t *testing.T) {
	p := planOf(t, parse(t, `{namespaces: [
		{name: prod, region: fr-par, age: 400d, images: [{name: api, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}]},
		{name: prod, region: nl-ams, age: 400d, images: [{name: api, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}]}],
		faults: [{method: GET, region: fr-par, path: "/namespaces", status: 403}]}`), rules, 16)
	if len(p.Gaps) != 1 || p.Gaps[0].Subject != "rg.fr-par.scw.cloud" || len(p.Steps) != 1 || p.Steps[0].Region != "nl-ams" {
		t.Errorf("gaps %+v, steps %+v", p.Gaps, p.Steps)
	}
}

func TestEmptyIsProven(t *testing.T) {
	const world = `{namespaces: [
		{name: old, age: 400d},
		{name: young, age: 2d},
		{name: hidden, age: 400d, images: [{name: secret, tags: [{name: latest, age: 300d}]}]},
		{name: prod, age: 400d, images: [{name: bare, age: 30d}, {name: fresh, age: 1d}, {name: odd, age: 30d, size: 1MB}]}],
		faults: [%s]}`
	p := planOf(t, parse(t, fmt.Sprintf(world, "")), rules+"scope: {exclude: [\"hidden/*\"]}", 16)
	var got []string
	for _, s := range p.Steps {
		got = append(got, string(s.Action)+" "+s.Ref)
	}
	want := []string{"delete_namespace rg.fr-par.scw.cloud/old", "delete_image rg.fr-par.scw.cloud/prod/bare"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(p.Gaps) != 1 || p.Gaps[0].Subject != "rg.fr-par.scw.cloud/prod/odd" {
		t.Errorf("gaps %+v", p.Gaps)
	}
	p = planOf(t, parse(t, fmt.Sprintf(world, `{method: GET, path: "/images", status: 403}`)), rules, 16)
	if len(p.Steps) != 0 {
		t.Errorf("images cannot be listed, and yet: %+v", p.Steps)
	}
}

func TestFailingPolicyHoldsItsImage(t *testing.T) {
	dir := t.TempDir()
	own := dir + "/own.rego"
	check(t, writeFile(own, "package janitor.image.own\n\nwarn contains \"x\" if {\n\tinput.image.name == \"api\"\n\tto_number(input.image.name) > 0\n}\n"))
	p := planOf(t, parse(t, `{namespaces: [{name: prod, age: 400d, images: [
		{name: api, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]},
		{name: web, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}]}]}`), rules+"policies: ["+own+"]", 16)
	if len(p.Steps) != 1 || p.Steps[0].Image != "web" || len(p.Held) != 1 || p.Held[0].Guard != actions.GuardPolicyError || !p.Incomplete() {
		t.Errorf("steps %+v, held %+v", p.Steps, p.Held)
	}
}

func writeFile(path, content string) error { return os.WriteFile(path, []byte(content), 0o600) }
