// Package browser opens the pages of the program in a real Chromium, for tests and
// for the pictures of the documentation. It must never let a page reach another
// host.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// ErrMissing reports that no Chromium is installed.
var ErrMissing = errors.New("chromium is not installed")

// Start starts a Chromium with an empty profile in the given folder. Call the
// returned function to end it.
func Start(ctx context.Context, profile string) (context.Context, context.CancelFunc, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-extensions", true), chromedp.Flag("hide-scrollbars", true),
		// Every other host is not found.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("lang", "en-US"),
	}
	allocator, stop := chromedp.NewExecAllocator(ctx, options...)
	browser, cancel := chromedp.NewContext(allocator)
	end := func() {
		cancel()
		stop()
	}
	if err := chromedp.Do(browser); err != nil {
		end()
		return nil, nil, fmt.Errorf("starting chromium: %w", err)
	}
	return browser, end, nil
}

// Tab is one tab, with its console and its requests.
type Tab struct {
	context.Context
	close func()

	mu         sync.Mutex
	complaints []string
	requests   []string
}

// Open opens a tab of a browser that Start started.
func Open(browser context.Context) (*Tab, error) {
	ctx, cancel := chromedp.NewContext(browser)
	tab := &Tab{Context: ctx, close: cancel}
	err := chromedp.Listen(ctx, tab.hear)
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); return err },
		func() error { _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); return err },
		func() error { _, err := chromedp.Call(ctx, runtime.Enable, cdp.Empty{}); return err },
	} {
		if err == nil {
			err = enable()
		}
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("opening a tab: %w", err)
	}
	return tab, nil
}

// Close closes the tab.
func (t *Tab) Close() { t.close() }

// Do runs actions in the tab.
func (t *Tab) Do(actions ...chromedp.Action[chromedp.Void]) error {
	return chromedp.Do(t.Context, actions...)
}

// Complaints are the errors and warnings on the console, and exceptions.
func (t *Tab) Complaints() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.complaints)
}

// Requests are the addresses that the page requested, except data URLs.
func (t *Tab) Requests() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.requests)
}

// Eval evaluates an expression in the page of a tab.
func Eval[T any](t *Tab, expression string) (T, error) {
	v, err := chromedp.Run(t.Context, chromedp.Evaluate[T](expression))
	if err != nil {
		return v, fmt.Errorf("evaluating %.80q: %w", expression, err)
	}
	return v, nil
}

// Look sets the color scheme that the reader's system prefers, and the window size.
func (t *Tab) Look(scheme string, width, height int64) error {
	_, err := chromedp.Call(t.Context, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		return fmt.Errorf("preferring %s: %w", scheme, err)
	}
	return t.Do(chromedp.EmulateViewport(width, height))
}

// Picture writes a picture of the upper part of the page to a file. It is at most
// as high as given.
func (t *Tab) Picture(file string, height int64, scale float64) error {
	size, err := Eval[[]float64](t, `[document.documentElement.clientWidth, document.documentElement.scrollHeight]`)
	if err != nil {
		return err
	}
	beyond := true
	shot, err := chromedp.Call(t.Context, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond,
		Clip:                  &page.Viewport{Width: size[0], Height: min(size[1], float64(height)), Scale: scale},
	})
	if err != nil {
		return fmt.Errorf("taking a picture: %w", err)
	}
	return os.WriteFile(file, shot.Data, 0o644)
}

func (t *Tab) hear(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			t.complaints = append(t.complaints, fmt.Sprintf("console %s: %v", e.Type, words(e.Args)))
		}
	case *runtime.EventExceptionThrown:
		t.complaints = append(t.complaints, fmt.Sprintf("exception: %s %v", e.ExceptionDetails.Text, words([]*runtime.RemoteObject{e.ExceptionDetails.Exception})))
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			t.complaints = append(t.complaints, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			t.requests = append(t.requests, e.Request.URL)
		}
	}
}

func words(args []*runtime.RemoteObject) []string {
	var out []string
	for _, a := range args {
		if a != nil {
			out = append(out, string(a.Value)+a.Description)
		}
	}
	return out
}

// Artifacts returns the folder for the pictures of the tests: the value of
// ARTIFACTS, or the given folder.
func Artifacts(otherwise string) (string, error) {
	dir := os.Getenv("ARTIFACTS")
	if dir == "" {
		return otherwise, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the folder for artifacts: %w", err)
	}
	return dir, nil
}
