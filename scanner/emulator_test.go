package scanner

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

const secretKey = "5ec4e75e-c4e7-4a11-9a11-0123456789ab"

// rig is the emulated API and a Reader that connects to it in memory, so that all of
// it runs in the time of a synctest bubble.
type rig struct {
	server *emulator.Server
	reader *scaleway.Reader
	log    strings.Builder
}

func credentials(t testing.TB) {
	for name, value := range map[string]string{
		"SCW_ACCESS_KEY": "SCWAAAAAAAAAAAAAAAAA", "SCW_SECRET_KEY": secretKey, "SCW_API_URL": "http://127.0.0.1:1", "SCW_PROFILE": "",
		"SCW_CONFIG_PATH": "", "HOME": t.TempDir(), "XDG_CONFIG_HOME": "", "SCW_INSECURE": "false",
	} {
		t.Setenv(name, value)
	}
}

func newRig(t *testing.T, world string, concurrency int) *rig {
	t.Helper()
	w, err := worlds.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{}
	if r.server, err = emulator.New(emulator.Options{World: w, SecretKey: secretKey}); err != nil {
		t.Fatal(err)
	}
	pipes := pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: r.server, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = server.Serve(pipes) }()
	transport := &http.Transport{DialContext: pipes.dial, MaxIdleConnsPerHost: 64}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	r.reader, err = scaleway.NewReader(scaleway.Options{
		Base: transport, Concurrency: concurrency,
		Logger: slog.New(slog.NewTextHandler(&locked{w: &r.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type locked struct {
	mu sync.Mutex
	w  *strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// pipeListener makes connections that are pipes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error   { close(l.closed); return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// requests counts the requests to the API whose path has this end.
func (r *rig) requests(t *testing.T, part string) (n int) {
	t.Helper()
	for _, request := range r.server.Requests() {
		if request.Method != http.MethodGet {
			t.Errorf("a %s was sent", request.Method)
		}
		if strings.Contains(request.Path+"?"+request.Query, part) {
			n++
		}
	}
	return n
}

const company = `
namespaces:
  - {name: prod, region: fr-par, age: 400d, images: [
      {name: api, tags: [{name: latest, digest: A, age: 2h, created_age: 400d}, {name: v1.4.0, digest: A, age: 2h}, {name: "pr-{n}", count: 248, age: 1d, step: 1h}]},
      {name: team/web, tags: [{name: only, age: 1d}]}]}
  - {name: test, region: fr-par, age: 1d, images: [{name: api, tags: [{name: other, age: 1d}]}]}
  - {name: idle, region: fr-par, age: 1d}
  - {name: prod, region: nl-ams, age: 1d, images: [{name: api, tags: [{name: dutch, age: 1d}]}]}
`

// short replaces long lists of tags with their number.
func short(items []Item) string {
	return regexp.MustCompile(`\[[^\]]{60,}\]`).ReplaceAllStringFunc(story(items), func(s string) string {
		return fmt.Sprintf("%d tags", len(strings.Fields(s)))
	})
}

var wholeCompany = []string{
	"image fr-par/prod/api 250 tags", "image fr-par/prod/team/web [only]", "image fr-par/test/api [other]", "image nl-ams/prod/api [dutch]",
	"listed fr-par/idle empty=true", "listed fr-par/prod empty=false", "listed fr-par/test empty=false", "listed nl-ams/prod empty=false",
	"namespace fr-par/idle", "namespace fr-par/prod", "namespace fr-par/test", "namespace nl-ams/prod",
}

// change removes the lines that begin with a word of it, and adds the others.
func change(minus []string, plus ...string) string {
	l := slices.DeleteFunc(slices.Clone(wholeCompany), func(s string) bool { return slices.Contains(minus, s) })
	l = append(l, plus...)
	slices.Sort(l)
	return lines(l...)
}

func TestFaultsOfTheAPI(t *testing.T) {
	credentials(t)
	api := []string{"image fr-par/prod/api 250 tags"}
	gap := func(text string) string {
		return "gap rg.fr-par.scw.cloud/prod/api holds itself in fr-par: list tags of image ID in fr-par: " + text
	}
	tests := []struct {
		name, fault string
		lasting     string // the error of page 2 of the tags of prod/api, when the fault lasts
	}{
		{"500", "status: 500, message: boom", "page 2: 500 Internal Server Error: boom (after 5 tries)"},
		{"502 with a web page", "status: 502, body: html", "page 2: 502 Bad Gateway (after 5 tries)"},
		{"503 in plain text", "status: 503, body: text, message: upstream connect error", "page 2: 503 Service Unavailable: upstream connect error (after 5 tries)"},
		{"429", "status: 429", "page 2: 429 Too Many Requests (after 5 tries)"},
		{"429 that asks to wait", "status: 429, retry_after: 2s", "page 2: 429 Too Many Requests (after 5 tries)"},
		{"an empty 200", "kind: empty_body", "page 2: 200 OK, but its body is empty (after 5 tries)"},
		{"a web page", "kind: html", `page 2: 200 OK, but it is not JSON (Content-Type "text/html; charset=utf-8") (after 5 tries)`},
		{"truncated JSON", "kind: truncated_json", "page 2: 200 OK, but its body is not a complete JSON object (after 5 tries)"},
		{"a cut answer", "kind: cut_body", "page 2: read the answer: unexpected EOF (after 5 tries)"},
		{"a short page", "kind: short_page", "incomplete listing: listed 3 times, and never consistent: page 2 has 99 rows instead of 100, of 250 in total"},
		{"an empty page", "kind: short_page, rows: 100", "incomplete listing: listed 3 times, and never consistent: page 2 has 0 rows instead of 100, of 250 in total"},
		{"a changed total", "kind: changed_total", "incomplete listing: listed 3 times, and never consistent: page 2 counts 252 rows in total, page 1 counted 250"},
		{"a repeated row", "kind: duplicate_row", "incomplete listing: listed 3 times, and never consistent: page 2 repeats a row of this listing"},
		{"no answer", "kind: hang", "page 2: no complete answer within 30s (after 5 tries)"},
		{"a reset connection", "kind: reset", "page 2: EOF (after 5 tries)"},
		{"a redirect", `kind: redirect, location: "http://evil.example"`, "page 2: 302 Found (redirects are not followed: the secret key must not leave the API host)"},
	}
	for _, tt := range tests {
		fault := "faults: [{method: GET, ref: prod/api, page: 2, region: fr-par, " + tt.fault
		t.Run(tt.name+" once", func(t *testing.T) {
			want := change(nil)
			if tt.name == "a redirect" { // it is never retried
				want = change(api, gap(tt.lasting))
			}
			scanWorld(t, company+fault+", times: 1}]", Options{}, want)
		})
		t.Run(tt.name+" for ever", func(t *testing.T) {
			scanWorld(t, company+fault+"}]", Options{}, change(api, gap(tt.lasting)))
		})
	}
}

// scanWorld scans a world with two concurrencies, and compares the items.
func scanWorld(t *testing.T, world string, o Options, want string) {
	t.Helper()
	for _, o.Concurrency = range []int{1, 16} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, world, o.Concurrency)
			items := collect(t, Scan(t.Context(), r.reader, o))
			mustBeOrdered(t, items)
			got := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(short(items), "ID")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("with concurrency %d:\n%s", o.Concurrency, diff)
			}
			r.requests(t, "")
			if strings.Contains(got+r.log.String(), secretKey) {
				t.Error("the secret key is in an error or a log")
			}
		})
	}
}

func TestFaultsOfListings(t *testing.T) {
	credentials(t)
	dutch := []string{"image nl-ams/prod/api [dutch]", "listed nl-ams/prod empty=false", "namespace nl-ams/prod"}
	tests := []struct{ name, fault, want string }{
		{"the namespaces of a region", `{region: nl-ams, path: /namespaces, status: 500, message: boom}`,
			change(dutch, "gap rg.nl-ams.scw.cloud holds namespaces in nl-ams: list namespaces in nl-ams: page 1: 500 Internal Server Error: boom (after 5 tries)")},
		{"the namespaces come back short", `{region: nl-ams, path: /namespaces, kind: short_page}`,
			change(dutch, "gap rg.nl-ams.scw.cloud holds namespaces in nl-ams: list namespaces in nl-ams: incomplete listing: listed 3 times, and never consistent: page 1 has 0 rows instead of 1, of 1 in total")},
		{"the images of a region", `{region: fr-par, path: /images, status: 503, message: boom}`,
			change([]string{"image fr-par/prod/api 250 tags", "image fr-par/prod/team/web [only]", "image fr-par/test/api [other]", "listed fr-par/idle empty=true"},
				"listed fr-par/idle empty=false",
				"gap rg.fr-par.scw.cloud holds namespaces in fr-par: list images in fr-par: page 1: 503 Service Unavailable: boom (after 5 tries)")},
		{"a refusal in one region", `{region: nl-ams, status: 403, body: text, message: no rights}`,
			change(dutch, "gap rg.nl-ams.scw.cloud holds namespaces in nl-ams: list namespaces in nl-ams: page 1: 403 Forbidden: no rights")},
		{"a refusal of one image", `{region: fr-par, ref: test/api, path: "/images/*/tags", status: 403, body: text, message: no rights}`,
			change([]string{"image fr-par/test/api [other]"},
				"gap rg.fr-par.scw.cloud/test/api holds itself in fr-par: list tags of image ID in fr-par: page 1: 403 Forbidden: no rights")},
		{"a tag that the listing hides and the image names", `{path: "/images/*/tags", hide: only}`,
			change([]string{"image fr-par/prod/team/web [only]"},
				"gap rg.fr-par.scw.cloud/prod/team/web holds itself in fr-par: its tag listing lacks 1 tag that the image names: only")},
		{"many tags that the listing hides", `{hide: "pr-*"}`,
			change([]string{"image fr-par/prod/api 250 tags"},
				"gap rg.fr-par.scw.cloud/prod/api holds itself in fr-par: its tag listing lacks 248 tags that the image names: pr-1, pr-10, pr-100 and 245 more")},
		{"the images of a namespace, all hidden", `{region: nl-ams, hide: "prod/*"}`,
			change([]string{"image nl-ams/prod/api [dutch]"},
				"gap rg.nl-ams.scw.cloud/prod holds itself in nl-ams: its image listing is empty, but the namespace counts 1 image and 25 MB")},
		{"the tags of another image", `{region: fr-par, ref: test/api, path: "/images/*/tags", swap_ids: true}`,
			change([]string{"image fr-par/test/api [other]"},
				`gap rg.fr-par.scw.cloud/test/api holds itself in fr-par: list tags of image ID in fr-par: page 1: tag ID: answer about another object: the request was for image ID, but the row belongs to "ID"`)},
		{"tags that are not found of an image that is still listed", `{region: fr-par, ref: test/api, path: "/images/*/tags", status: 404}`,
			change([]string{"image fr-par/test/api [other]"},
				"gap rg.fr-par.scw.cloud/test/api holds itself in fr-par: list tags of image ID in fr-par: page 1: 404 Not Found: resource was not found, although the image is still listed")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			scanWorld(t, company+"faults: ["+tt.fault+"]", Options{}, tt.want)
		})
	}
}

func TestRefusedKeyCostsOneRequestPerRegion(t *testing.T) {
	credentials(t)
	t.Setenv("SCW_SECRET_KEY", "00000000-0000-4000-8000-000000000000")
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, company, 16)
		items := collect(t, Scan(t.Context(), r.reader, Options{}))
		if len(items) != 3 || r.requests(t, "") != 3 {
			t.Errorf("%d items after %d requests:\n%s", len(items), r.requests(t, ""), story(items))
		}
		for _, item := range items {
			if item.Gap == nil || !strings.Contains(item.Gap.Error, "401 Unauthorized: authentication is denied") {
				t.Errorf("%s", line(item))
			}
		}
	})
}

func TestStatusesThroughTheAPI(t *testing.T) {
	credentials(t)
	scanWorld(t, `
namespaces:
  - {name: prod, images: [
      {name: a, tags: [{name: fine, age: 1d}, {name: stuck, age: 2d, status: locked}, {name: going, age: 3d, status: deleting}]},
      {name: b, status: locked, tags: [{name: x, age: 1d}]},
      {name: c, status: unknown},
      {name: empty}]}
  - {name: dying, status: deleting, images: [{name: a, tags: [{name: x, age: 1d}]}]}
`, Options{}, lines("image fr-par/prod/a [fine stuck going]", "image fr-par/prod/empty []", "listed fr-par/prod empty=false",
		"namespace fr-par/prod", "skipped fr-par/dying deleting", "skipped fr-par/prod/b locked", "skipped fr-par/prod/c unknown"))
}

func TestEveryTagOfEveryImageIsListed(t *testing.T) {
	credentials(t)
	for _, n := range []int{1, 99, 100, 101, 250, 10_000} {
		t.Run(fmt.Sprint(n, " tags"), func(t *testing.T) {
			world := fmt.Sprintf("namespaces: [{name: prod, images: [{name: api, tags: [{name: \"t{n}\", count: %d, age: 1h, step: 1m}]}]}]", n)
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, world, 16)
				for _, item := range collect(t, Scan(t.Context(), r.reader, Options{Scope: only1("fr-par")})) {
					if item.Gap != nil || item.Image != nil && (len(item.Image.Tags) != n || item.Image.Tags[0].Name != "t1") {
						t.Errorf("%.200s", line(item))
					}
				}
				if got, want := r.requests(t, "/tags?"), (n+99)/100; got != want {
					t.Errorf("%d calls, want %d", got, want)
				}
			})
		})
	}
}

func TestTruncatedInlineTagNamesDoNotMatter(t *testing.T) {
	credentials(t)
	scanWorld(t, "settings: {inline_tags: 1}\n"+company, Options{}, change(nil))
}

func TestRateLimitIsRespected(t *testing.T) {
	credentials(t)
	world := `
settings: {rate_limit: 100, latency: 20ms}
namespaces: [{name: prod, images: [{name: "image-{n}", count: 2000, tags: [{name: latest, age: 1d}]}]}]`
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, world, 16)
		start := time.Now()
		images, gaps := 0, 0
		for _, item := range collect(t, Scan(t.Context(), r.reader, Options{})) {
			if item.Image != nil {
				images++
			}
			if item.Gap != nil {
				gaps++
			}
		}
		if took := time.Since(start); images != 2000 || gaps > 0 || took > 35*time.Second {
			t.Errorf("%d images and %d gaps in %s, where 2023 calls at 100 a second take 21 s", images, gaps, took)
		}
	})
}

func TestInventoryOfTheAPIReadsBackTheSame(t *testing.T) {
	credentials(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, company, 16)
		items := collect(t, Scan(t.Context(), r.reader, Options{}))
		got, err := read(t, write(t, items, Scope{}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(items, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestScopeCostsOnlyItsOwnCalls(t *testing.T) {
	credentials(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, company, 16)
		scope := Scope{Regions: []registry.Region{"fr-par"}, Include: []string{"prod/team/**"}}
		want := lines("image fr-par/prod/team/web [only]", "namespace fr-par/prod")
		if diff := cmp.Diff(want, short(collect(t, Scan(t.Context(), r.reader, Options{Scope: scope})))); diff != "" {
			t.Error(diff)
		}
		if n := r.requests(t, ""); n != 3 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestWrongClockIsNoticed(t *testing.T) {
	credentials(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "settings: {clock_skew: 10m}\n"+company, 16)
		collect(t, Scan(t.Context(), r.reader, Options{}))
		if skew, known := r.reader.Skew(); !known || skew.Round(time.Minute) != 10*time.Minute {
			t.Errorf("skew %s, %v", skew, known)
		}
	})
}

// BenchmarkScan is the wall clock of a scan against an API in this process with
// 20 ms of latency; ideal is what the calls alone take.
func BenchmarkScan(b *testing.B) {
	credentials(b)
	const images, tags, concurrency, latency = 2000, 50, 16, 20 * time.Millisecond
	world, err := worlds.Parse("world.yaml", fmt.Appendf(nil, `
settings: {latency: %s, compact_json: true}
namespaces: [{name: prod, images: [{name: "image-{n}", count: %d, tags: [{name: "t{n}", count: %d, age: 1h, step: 1h}]}]}]`, latency, images, tags))
	if err != nil {
		b.Fatal(err)
	}
	handler, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		b.Fatal(err)
	}
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls.Add(1); handler.ServeHTTP(w, r) }))
	defer server.Close()
	b.Setenv("SCW_API_URL", server.URL)
	reader, err := scaleway.NewReader(scaleway.Options{Concurrency: concurrency})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := drain(Scan(b.Context(), reader, Options{Concurrency: concurrency})); err != nil {
			b.Fatal(err)
		}
	}
	ideal := time.Duration(calls.Load()) * latency / concurrency
	b.ReportMetric(b.Elapsed().Seconds()/ideal.Seconds(), "times-ideal")
}
