package probe

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	plane "github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

const secret = "11111111-1111-1111-1111-111111111111"

// site is an emulator, and a prober of it.
type site struct {
	prober *Prober
	api    *scaleway.Prober
	server *emulator.Server
}

func newSite(t *testing.T, world worlds.World) *site {
	t.Helper()
	handler, err := emulator.New(emulator.Options{World: world, DataPlane: oci.New})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	credentials := &scaleway.Credentials{APIURL: server.URL, AccessKey: "SCWXXXXXXXXXXXXXXXXX", SecretKey: secret}
	api, err := scaleway.NewProber(scaleway.Options{Credentials: credentials})
	if err != nil {
		t.Fatal(err)
	}
	return &site{
		prober: &Prober{
			API: api, Connect: plane.NewWriter(plane.Options{URL: server.URL, Password: secret}).Connect,
			Region: "fr-par", Wait: 200 * time.Millisecond, Tick: 10 * time.Millisecond, Now: clock.Now, Log: slog.New(slog.DiscardHandler),
		},
		api: api, server: handler,
	}
}

// names are the names of the namespaces.
func (s *site) names(t *testing.T) []string {
	t.Helper()
	all, err := s.api.ListNamespaces(t.Context(), registry.Query{Region: "fr-par"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range all {
		names = append(names, all[i].Name)
	}
	slices.Sort(names)
	return names
}

func parse(t *testing.T, text string) worlds.World {
	t.Helper()
	world, err := worlds.Parse("world.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return world
}

const company = `{name: prod, region: fr-par, age: 400d, images: [{name: api, tags: [{name: v1, age: 40d}]}]}`

// Each setting of the emulator is found out as what it is, and nothing is left behind.
func TestEverySettingIsFoundOut(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]func(*Findings){
		`{}`: func(*Findings) {},
		`{shared_digest: untag, empty_images: remove}`: func(f *Findings) {
			f.SharedDigest, f.ImageRowAfterLastTag = "untag", "vanishes"
		},
		`{shared_digest: cascade, oversize_page: clamp}`:              func(f *Findings) { f.SharedDigest, f.PageSizeOver100 = "cascade", "clamped" },
		`{inline_tags: 100, delete_delay: 50ms}`:                      func(f *Findings) { f.InlineTags = "truncated" },
		`{shared_digest: untag, delete_delay: 50ms, blobs: redirect}`: func(f *Findings) { f.SharedDigest = "untag" },
	} {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, parse(t, `{settings: `+settings+`, namespaces: [`+company+`]}`))
			before := s.names(t)
			report, err := s.prober.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			expected := Findings{
				SharedDigest: "reject", ImageRowAfterLastTag: "stays", ManifestAfterLastTag: "gone",
				PartsAfterIndex: "stay", IndexAfterPartTag: "works", MoveBumpsTag: Known(true), MoveBumpsImage: Known(true),
				RepushBumpsTag: Known(true), PullBumpsTag: Known(false), PageSizeOver100: "refused", InlineTags: "complete",
			}
			want(&expected)
			if diff := cmp.Diff(asJSON(t, expected), asJSON(t, report.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			for _, line := range report.lines() {
				if line.value == Unknown || report.Evidence[line.name] == "" {
					t.Errorf("%s is %s, because of %q", line.name, line.value, report.Evidence[line.name])
				}
			}
			if got := report.Evidence["deletions"]; !strings.HasPrefix(got, "of ") {
				t.Errorf("deletions: %q", got)
			}
			if diff := cmp.Diff(before, s.names(t)); diff != "" {
				t.Errorf("namespaces after the probe (-before +after):\n%s", diff)
			}
		})
	}
}

func asJSON(t *testing.T, f Findings) map[string]any {
	t.Helper()
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The JSON of a report comes back as it was, unknown facts included.
func TestAReportComesBack(t *testing.T) {
	want := Report{Region: "fr-par", TakenAt: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Findings: unknown(), Evidence: map[string]string{"a": "b"}}
	want.Findings.MoveBumpsTag = Known(true)
	raw, err := json.Marshal(want)
	if err != nil || !strings.Contains(string(raw), `"move_bumps_tag":true,"move_bumps_image":"unknown"`) {
		t.Fatalf("%s, %v", raw, err)
	}
	var got Report
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil || string(again) != string(raw) {
		t.Errorf("got %s, want %s (%v)", again, raw, err)
	}
	if err := json.Unmarshal([]byte(`"yes"`), new(Fact)); err == nil {
		t.Error("a fact that is neither true, false nor unknown was read")
	}
}

// The rate of requests is looked for only on request.
func TestTheRateIsFoundOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, parse(t, `{settings: {rate_limit: 60}, namespaces: [`+company+`]}`))
	scratch := &scratch{Prober: s.prober, report: &Report{Evidence: map[string]string{}}}
	if err := scratch.rate(t.Context()); err != nil || len(scratch.report.Evidence) > 0 {
		t.Errorf("without being asked for: %v, %v", scratch.report.Evidence, err)
	}
	s.prober.Rate = true
	if err := scratch.rate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := scratch.report.Evidence["rate"]; !strings.HasPrefix(got, "429 begins at about ") {
		t.Errorf("rate: %s", got)
	}
}

// Leftovers are the namespaces of probes that are older than an hour, and nothing else.
func TestLeftoversAreRemoved(t *testing.T) {
	t.Parallel()
	s := newSite(t, parse(t, `{namespaces: [`+company+`,
		{name: janitor-probe-0123456789ab, region: fr-par, age: 2h, images: [{name: shared, tags: [{name: one, age: 2h}]}]},
		{name: janitor-probe-ba9876543210, region: fr-par, age: 30m, images: []},
		{name: janitor-probe-mine, region: fr-par, age: 2d, images: []}]}`))
	if _, err := s.prober.removeLeftovers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"janitor-probe-ba9876543210", "janitor-probe-mine", "prod"}; !slices.Equal(s.names(t), want) {
		t.Errorf("namespaces are %v, want %v", s.names(t), want)
	}
}

// The namespace is removed when the probe is stopped, and when a push fails.
func TestTheNamespaceIsRemovedInAnyCase(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		faults string
		stop   bool
		want   string
	}{
		"stopped":     {"", true, "the probe was stopped"},
		"push denied": {`faults: [{method: PUT, path: "/v2/**", status: 403}], `, false, "push rg.fr-par.scw.cloud/janitor-probe-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, parse(t, `{`+row.faults+`namespaces: [`+company+`]}`))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if row.stop {
				s.prober.API = stopping{s.api, stop}
			}
			report, err := s.prober.Run(ctx)
			if err == nil || !strings.Contains(err.Error(), row.want) || row.stop && !errors.Is(err, context.Canceled) {
				t.Errorf("got the error %v, want %s", err, row.want)
			}
			if report.Findings.SharedDigest != Unknown {
				t.Errorf("found out %+v", report.Findings)
			}
			if got := s.names(t); !slices.Equal(got, []string{"prod"}) {
				t.Errorf("namespaces are %v", got)
			}
		})
	}
}

// stopping stops the probe at the first deletion of a tag.
type stopping struct {
	*scaleway.Prober
	stop context.CancelFunc
}

func (s stopping) DeleteTag(ctx context.Context, _ registry.Region, _ string, _ time.Time) (registry.Tag, error) {
	s.stop()
	return registry.Tag{}, ctx.Err()
}

// A probe sends nothing that changes anything outside of its namespace.
func TestNothingElseIsTouched(t *testing.T) {
	t.Parallel()
	s := newSite(t, parse(t, `{namespaces: [`+company+`]}`))
	if _, err := s.prober.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.server.Requests() {
		if r.Method == "PATCH" && !strings.HasPrefix(r.Path, "/v2/") || strings.Contains(r.Path, "/prod/") {
			t.Errorf("sent %s %s", r.Method, r.Path)
		}
	}
}
