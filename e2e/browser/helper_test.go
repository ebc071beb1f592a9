package browser

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/e2e/program"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// chromium starts a browser for one test.
func chromium(t *testing.T) context.Context {
	t.Helper()
	// The browser writes into its profile until it has ended.
	profile, err := os.MkdirTemp("", "registry-janitor-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	ctx, stop, err := Start(context.Background(), profile)
	if errors.Is(err, ErrMissing) {
		program.Missing(t, "Chromium", "chromium")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return ctx
}

// tab is a tab whose page must not log errors or send requests to other hosts.
type tab struct {
	*Tab
	t       *testing.T
	expects string // a complaint that the test is about
}

func open(t *testing.T, browser context.Context, url string) *tab {
	t.Helper()
	opened, err := Open(browser)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(opened.Context, 2*time.Minute)
	opened.Context = ctx
	tb := &tab{Tab: opened, t: t}
	t.Cleanup(func() {
		for _, complaint := range opened.Complaints() {
			if tb.expects == "" || !strings.Contains(complaint, tb.expects) {
				t.Errorf("the page logs %s", complaint)
			}
		}
		for _, request := range opened.Requests() {
			if !strings.HasPrefix(request, "file://") && !strings.HasPrefix(request, "http://127.0.0.1:") {
				t.Errorf("the page requests %s", request)
			}
		}
		cancel()
		opened.Close()
	})
	if err := opened.Look("light", 1200, 900); err != nil {
		t.Fatal(err)
	}
	tb.do(chromedp.Navigate(url))
	return tb
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := b.Do(actions...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := Eval[T](b.Tab, expression)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// follow does what leads to another page, and waits for that.
func (b *tab) follow(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.Context, action); err != nil {
		b.t.Fatal(err)
	}
}

// until waits until a condition is true.
func (b *tab) until(condition string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.Context, chromedp.Poll[bool](condition, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		b.t.Fatalf("waiting for %s: %v", condition, err)
	}
}

// picture writes a picture of the page to the artifacts.
func (b *tab) picture(name string, height int64) {
	b.t.Helper()
	dir, err := Artifacts(b.t.TempDir())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.Picture(filepath.Join(dir, name+".png"), height, 1); err != nil {
		b.t.Fatal(err)
	}
}

// demo returns the page and the plan of the real program's demo.
func demo(t *testing.T) (page string, plan *actions.Plan) {
	t.Helper()
	demoOnce.Do(func() {
		binary := program.Build(t)
		for format, into := range map[string]*[]byte{"html": &demoHTML, "json": &demoJSON} {
			if *into, errDemo = exec.CommandContext(t.Context(), binary, "demo", "--format", format).Output(); errDemo != nil {
				return
			}
		}
	})
	if errDemo != nil {
		t.Fatalf("running the demo: %v", errDemo)
	}
	plan, err := actions.Decode(bytes.NewReader(demoJSON))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, demoHTML), plan
}

// The demo takes seconds and always gives the same, so the tests share it.
var (
	demoOnce           sync.Once
	demoHTML, demoJSON []byte
	errDemo            = errors.New("the program was not built")
)

// write writes a page to a file, and returns its address.
func write(t *testing.T, page []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	return "file://" + file
}

// reportOf returns the page of a run.
func reportOf(t *testing.T, run runs.Run) string {
	t.Helper()
	var page strings.Builder
	if err := report.Write(&page, report.FormatHTML, run, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return write(t, []byte(page.String()))
}

// serve serves the page of a daemon.
func serve(t *testing.T, d runs.Daemon, latest *runs.Run) string {
	t.Helper()
	return serveDaemon(t, NewDaemon(d, latest))
}

// serveDaemon serves a daemon that the test can change.
func serveDaemon(t *testing.T, d *Daemon) string {
	t.Helper()
	server := httptest.NewServer(d.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections() // also those of pages that are kept up to date
		server.Close()
	})
	return server.URL
}
