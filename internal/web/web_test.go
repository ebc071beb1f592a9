package web_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
	"github.com/registry-janitor/registry-janitor/registry"
)

// daemon does what the test sets.
type daemon struct {
	latest           *runs.Run
	started          []runs.Kind
	busy, bad, ready error
	status           runs.Daemon
}

func (d *daemon) Status(context.Context) runs.Daemon { return d.status }
func (d *daemon) InMemory() runs.Daemon              { return d.status }
func (d *daemon) Ready() error                       { return d.ready }
func (d *daemon) Latest(context.Context) (*runs.Run, error) {
	return d.latest, nil
}

func (d *daemon) Runs(_ context.Context, limit int) ([]runs.Summary, error) {
	list := []runs.Summary{{ID: "2", Kind: "apply", Done: 3}, {ID: "1", Kind: "plan"}}
	return list[:min(limit, len(list))], nil
}

func (d *daemon) Run(_ context.Context, id string) (*runs.Run, error) {
	if id == "2" {
		return d.latest, nil
	}
	return nil, fmt.Errorf("%w: %q", web.ErrUnknownRun, id)
}

func (d *daemon) Start(kind runs.Kind) error {
	if d.busy == nil {
		d.started = append(d.started, kind)
	}
	return d.busy
}

func (d *daemon) SignedBytes(_ context.Context, id string) ([]byte, error) {
	if id != "sha256:known" {
		return nil, fmt.Errorf("%w: %q", web.ErrUnknownPlan, id)
	}
	return []byte("{\n}\n"), nil
}

func (d *daemon) Approve(_ context.Context, id string, signature []byte) (*runs.Approvals, error) {
	switch {
	case id != "sha256:known":
		return nil, fmt.Errorf("%w: %q", web.ErrUnknownPlan, id)
	case len(signature) == 0:
		return nil, fmt.Errorf("%w: it is empty", web.ErrSignature)
	}
	return &runs.Approvals{Required: 1}, nil
}

func (d *daemon) Reload(context.Context) error { return d.bad }

func (d *daemon) Explain(_ context.Context, named string) (runs.Answer, error) {
	ref, err := registry.ParseRef(named)
	switch {
	case err != nil:
		return runs.Answer{}, fmt.Errorf("%w: %w", web.ErrReference, err)
	case ref.Tag == "absent":
		return runs.Answer{}, fmt.Errorf("%s: %w", ref, registry.ErrNotFound)
	}
	return runs.Answer{Explanations: []runs.Explanation{{Ref: ref, Note: "it is <out> of scope"}}}, nil
}

// views are those of the program.
func views() web.Views {
	v := web.Views{Page: page.Daemon, Updates: page.Updates, Assets: page.Assets(), Explain: func(w io.Writer, e runs.Explanation) error {
		return report.Explain(w, e, report.TextOptions{})
	}}
	for _, f := range report.Formats() {
		v.Formats = append(v.Formats, web.Format{Name: string(f), ContentType: f.ContentType(), Write: func(w io.Writer, run runs.Run) error {
			return report.Write(w, f, run, report.TextOptions{})
		}})
	}
	return v
}

func newDaemon() *daemon {
	b := plan.NewBuilder(plan.Options{TakenAt: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)})
	b.AddGap(registry.Gap{Subject: "<script>alert(1)</script>", Error: "denied", Holds: registry.HoldsAll})
	return &daemon{latest: &runs.Run{ID: "2", Kind: "plan", Trigger: "nightly", Plan: b.Plan()}}
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, method, path string
		with               func(d *daemon)
		headers            map[string]string
		status             int
		want               string // a regular expression
	}{
		{"a living process is healthy", "GET", "/-/healthy", nil, nil, 200, "^healthy\n$"},
		{"a daemon that can work is ready", "GET", "/-/ready", nil, nil, 200, "^ready\n$"},
		{"a daemon that cannot work gives the reason", "GET", "/-/ready", func(d *daemon) { d.ready = errors.New("no configuration") }, nil, 503, "no configuration"},
		{"the page shows the latest run", "GET", "/", nil, nil, 200, "(?s)<!doctype html>.*&lt;script&gt;alert"},
		{"the page without a run", "GET", "/", func(d *daemon) { d.latest = nil }, nil, 200, "<!doctype html>"},
		{"a plan is answered as it is signed", "GET", "/api/v1/plans/sha256:known", nil, nil, 200, "^{\n}\n$"},
		{"a plan that is not known", "GET", "/api/v1/plans/sha256:x", nil, nil, 404, "no such plan"},
		{"a signature of a plan that is not known", "POST", "/api/v1/plans/sha256:x/signatures", nil, nil, 404, "no such plan"},
		{"a signature that does not count", "POST", "/api/v1/plans/sha256:known/signatures", nil, nil, 400, "it is empty"},
		{"no other path is a page", "GET", "/admin", nil, nil, 404, ""},
		{"the style of the page", "GET", "/assets/report.css", nil, nil, 200, "{"},
		{"the script of the page", "GET", "/assets/report.js", nil, nil, 200, "addEventListener"},
		{"the state of the daemon", "GET", "/api/v1/status", nil, nil, 200, `"schedules":\[\]`},
		{"the history", "GET", "/api/v1/runs", nil, nil, 200, `^{"runs":\[{"id":"2".*{"id":"1"`},
		{"a part of it", "GET", "/api/v1/runs?limit=1", nil, nil, 200, `^{"runs":\[{"id":"2"[^}]*}\]}`},
		{"a limit that is not a number", "GET", "/api/v1/runs?limit=all", nil, nil, 400, "want a number from 1 to 1000"},
		{"a run with its plan", "GET", "/api/v1/runs/latest", nil, nil, 200, `"trigger":"nightly".*"plan":{"version":1`},
		{"the same by its ID", "GET", "/api/v1/runs/2", nil, nil, 200, `"plan":{"version":1`},
		{"in another format", "GET", "/api/v1/runs/latest?format=markdown", nil, nil, 200, "#"},
		{"as a page of its own", "GET", "/api/v1/runs/latest?format=html", nil, nil, 200, "<!doctype html>"},
		{"in an unknown format", "GET", "/api/v1/runs/latest?format=pdf", nil, nil, 400, "want one of"},
		{"no run yet", "GET", "/api/v1/runs/latest", func(d *daemon) { d.latest = nil }, nil, 404, "no such run: no run has finished yet"},
		{"a run without a plan", "GET", "/api/v1/runs/latest?format=text", func(d *daemon) { d.latest = &runs.Run{Error: "denied"} }, nil, 404, "the run has no plan: denied"},
		{"an unknown run", "GET", "/api/v1/runs/7", nil, nil, 404, "no such run"},
		{"an explanation", "POST", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/api:v1", nil, nil, 200, `"ref":"rg.fr-par.scw.cloud/prod/api:v1","judged":false.*Not judged`},
		{"an explanation by a link, which any page may hold", "GET", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/api:v1", nil, nil, 405, "use POST"},
		{"an explanation for another site", "POST", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/api:v1", nil, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, "another site"},
		{"of an object that does not exist", "POST", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/api:absent", nil, nil, 404, "not found"},
		{"of something that is not a reference", "POST", "/api/v1/explain?ref=latest", nil, nil, 400, "ref: "},
		{"a plan is started", "POST", "/api/v1/plan", nil, nil, 202, `{"started":"plan"}`},
		{"a plan is started by the page, which is shown again", "POST", "/api/v1/plan", nil, map[string]string{
			"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin",
		}, 303, ""},
		{"no plan is started during a run", "POST", "/api/v1/plan", func(d *daemon) { d.busy = web.ErrBusy }, nil, 409, "a run is in progress"},
		{"no plan is started on standby", "POST", "/api/v1/plan", func(d *daemon) { d.busy = web.ErrStandby }, nil, 409, "on standby"},
		{"GET does not start a plan", "GET", "/api/v1/plan", nil, nil, 405, ""},
		{"nothing is applied over HTTP", "POST", "/api/v1/apply", nil, nil, 403, "without --web.enable-apply"},
		{"the configuration is read again", "POST", "/-/reload", nil, nil, 200, "is loaded"},
		{"a bad configuration is an error", "POST", "/-/reload", func(d *daemon) { d.bad = errors.New("janitor.yaml:3: nonsense") }, nil, 500, "janitor.yaml:3: nonsense"},
		{"another site posts", "POST", "/api/v1/plan", nil, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, "another site"},
		{"another site posts from an old browser", "POST", "/-/reload", nil, map[string]string{"Origin": "https://evil.example"}, 403, "another site"},
		{"metrics that are not served", "GET", "/metrics", nil, nil, 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon()
			if tt.with != nil {
				tt.with(d)
			}
			w := httptest.NewRecorder()
			r := httptest.NewRequest(tt.method, tt.path, nil)
			for k, v := range tt.headers {
				r.Header.Set(k, v)
			}
			web.Handler(d, views(), web.HandlerOptions{}).ServeHTTP(w, r)
			if w.Code != tt.status || !regexp.MustCompile(tt.want).MatchString(w.Body.String()) {
				t.Errorf("%d, want %d: %.600s", w.Code, tt.status, w.Body)
			}
			if (tt.status >= 400 || tt.method == "GET") && len(d.started) > 0 {
				t.Errorf("it started %q", d.started)
			}
			if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") ||
				strings.Contains(policy, "unsafe-inline") && !strings.Contains(policy, "sandbox") {
				t.Errorf("the page may do too much: %q", policy)
			}
			if kind := w.Header().Get("Content-Type"); kind == "application/json" && !json.Valid(w.Body.Bytes()) {
				t.Errorf("not JSON: %s", w.Body)
			}
		})
	}
}

func TestApplyIsStartedIfEnabled(t *testing.T) {
	d := newDaemon()
	w := httptest.NewRecorder()
	web.Handler(d, views(), web.HandlerOptions{EnableApply: true}).ServeHTTP(w, httptest.NewRequest("POST", "/api/v1/apply", nil))
	if w.Code != http.StatusAccepted || fmt.Sprint(d.started) != "[apply]" {
		t.Errorf("%d, started %q: %s", w.Code, d.started, w.Body)
	}
}

func TestHostNameOfAnotherSiteIsRefused(t *testing.T) {
	for _, tt := range []struct {
		host   string
		hosts  []string
		status int
	}{
		{"evil.example:9095", []string{}, 421},
		{"192.0.2.1:9095", []string{}, 421},
		{"localhost:9095", []string{}, 200},
		{"127.0.0.1:9095", []string{}, 200},
		{"[::1]:9095", []string{}, 200},
		{"janitor.example", []string{"janitor.example"}, 200},
		{"evil.example", nil, 200}, // other machines reach it anyway
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/-/healthy", nil)
		r.Host = tt.host
		web.Handler(newDaemon(), views(), web.HandlerOptions{Hosts: tt.hosts}).ServeHTTP(w, r)
		if w.Code != tt.status {
			t.Errorf("%s, allowed %q: %d, want %d", tt.host, tt.hosts, w.Code, tt.status)
		}
	}
}

func TestFormMustConfirmAnApply(t *testing.T) {
	for _, tt := range []struct {
		body           string
		status, starts int
	}{{"", 400, 0}, {"confirm=yes", 400, 0}, {"confirm=apply", 303, 1}} {
		d := newDaemon()
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/api/v1/apply", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		web.Handler(d, views(), web.HandlerOptions{EnableApply: true}).ServeHTTP(w, r)
		if w.Code != tt.status || len(d.started) != tt.starts {
			t.Errorf("%q: %d, want %d; started %q", tt.body, w.Code, tt.status, d.started)
		}
	}
}

func TestAReferenceToExplainMayBeInAForm(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/v1/explain", strings.NewReader("ref=rg.fr-par.scw.cloud%2Fprod%2Fapi%3Av1"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	web.Handler(newDaemon(), views(), web.HandlerOptions{}).ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"ref":"rg.fr-par.scw.cloud/prod/api:v1"`) {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

// The page must work under the policy that it is served with: nothing inline, and
// nothing from another host.
func TestPageNeedsNothingThatItsPolicyForbids(t *testing.T) {
	w := httptest.NewRecorder()
	web.Handler(newDaemon(), views(), web.HandlerOptions{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	for _, forbidden := range []string{`<style`, ` style="`, `<script>`, ` onclick=`, `javascript:`, `src="http`, `href="http`} {
		if strings.Contains(w.Body.String(), forbidden) {
			t.Errorf("it holds %s", forbidden)
		}
	}
}

// password is a web configuration with the password "secret", at the least cost.
const password = "basic_auth_users: {operator: $2a$04$43LcSr8DZJ9yzNyFElD9NetBB/iSk6ly47GsBtPlzviKzoi7G8JWS}\n"

func TestServeRequiresAPasswordIfConfigured(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "open.yaml")
	closed := filepath.Join(dir, "closed.yaml")
	write(t, plain, "http_server_config: {http2: false}\n")
	write(t, closed, password)
	for _, tt := range []struct {
		name, file, address string
		warns               bool
	}{
		{"on this machine, without a password", plain, "127.0.0.1:0", false},
		{"on every interface, without a password", plain, ":0", true},
		{"on every interface, without a file", "", ":0", true},
		{"on every interface, with a password", closed, ":0", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			o := web.ServeOptions{Addresses: []string{tt.address}, ConfigFile: tt.file, Log: slog.New(slog.NewTextHandler(&log, nil))}
			server, err := web.Listen(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- server.Serve(ctx, web.Handler(newDaemon(), views(), web.HandlerOptions{})) }()
			_, port, _ := strings.Cut(strings.ReplaceAll(server.Addresses()[0].String(), "[::]", "127.0.0.1"), ":")
			want := http.StatusOK
			if tt.file == closed {
				want = http.StatusUnauthorized
			}
			if got := statusOf(t, "http://127.0.0.1:"+port+"/-/healthy"); got != want {
				t.Errorf("%d, want %d", got, want)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got := strings.Contains(log.String(), "anyone who can reach this address"); got != tt.warns {
				t.Errorf("warned %v, want %v: %s", got, tt.warns, log.String())
			}
		})
	}
}

// Whoever can reach the daemon must not be able to delete, and no page of another site
// must act in the name of its reader.
func TestHostNamesAndTheRightToApply(t *testing.T) {
	dir := t.TempDir()
	closed, open := filepath.Join(dir, "closed.yaml"), filepath.Join(dir, "open.yaml")
	write(t, closed, password)
	write(t, open, "http_server_config: {http2: false}\n")
	for _, tt := range []struct {
		name, address, file string
		hosts               []string
		apply               bool
		want                []string // nil is any
		refused             bool
	}{
		{"on this machine", "127.0.0.1:0", "", nil, true, []string{}, false},
		{"on this machine behind a proxy", "127.0.0.1:0", "", []string{"Janitor.example:443"}, true, []string{"janitor.example"}, false},
		{"on every interface", ":0", "", nil, false, nil, false},
		{"on every interface under a name", ":0", "", []string{"janitor.example"}, false, []string{"janitor.example"}, false},
		{"on every interface with a password", ":0", closed, nil, true, nil, false},
		{"on every interface with a password under a name", ":0", closed, []string{"janitor.example"}, true, []string{"janitor.example"}, false},
		{"on this machine with a password under a name", "127.0.0.1:0", closed, []string{"janitor.example"}, true, []string{"janitor.example"}, false},
		{"on every interface under a name, with apply", ":0", "", []string{"janitor.example"}, true, []string{"janitor.example"}, false},
		{"on every interface, with apply", ":0", "", nil, true, nil, true},
		{"on every IPv4 interface, with apply", "0.0.0.0:0", "", nil, true, nil, true},
		{"on every interface with a configuration that has no password, with apply", ":0", open, nil, true, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, err := web.Listen(t.Context(), web.ServeOptions{Addresses: []string{tt.address}, ConfigFile: tt.file, Hosts: tt.hosts, EnableApply: tt.apply})
			if tt.refused {
				if err == nil || !strings.Contains(err.Error(), "--web.allowed-host") {
					t.Errorf("it starts, or gives no remedy: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			if diff := cmp.Diff(tt.want, server.Hosts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestADaemonStaysClosed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yaml")
	write(t, file, password)
	server, err := web.Listen(t.Context(), web.ServeOptions{Addresses: []string{"127.0.0.1:0"}, ConfigFile: file, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, web.Handler(newDaemon(), views(), web.HandlerOptions{})) }()
	address := server.Addresses()[0].String() + "/-/healthy"
	for _, tt := range []struct {
		name, file, login string
		want              int
	}{
		{"with the password", password, "operator:secret@", 200},
		{"without it", password, "", 401},
		{"once the last user is removed", "basic_auth_users: {}\n", "", 503},
		{"once the file is empty", "", "", 503},
		{"once the file is broken", "basic_auth_users: [", "", 500},
		{"once the user is back, without the password", password, "", 401},
		{"once the user is back, with the password", password, "operator:secret@", 200},
	} {
		write(t, file, tt.file)
		if got := statusOf(t, "http://"+tt.login+address); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestBadWebConfigurationIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yaml")
	write(t, file, "tls_server_config: {cert: x}\n")
	if _, err := web.Listen(t.Context(), web.ServeOptions{ConfigFile: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("it gives %v", err)
	}
	if _, err := web.Listen(t.Context(), web.ServeOptions{SystemdSocket: true}); err == nil || !strings.Contains(err.Error(), "systemd") {
		t.Errorf("no socket gives %v", err)
	}
}

func statusOf(t *testing.T, url string) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{}, DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
