// Command pictures makes the pictures of the documentation: the page and the text
// report of the demo, and the page of a daemon. It must never show anything that
// the program does not print.
//
//	go -C e2e run ./pictures [FOLDER]
package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/registry-janitor/registry-janitor/e2e/browser"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

func main() {
	folder := filepath.Join("..", "docs", "pictures")
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	if err := pictures(context.Background(), folder); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func pictures(ctx context.Context, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "registry-janitor-pictures-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	program := filepath.Join(work, "registry-janitor")
	if output, err := exec.CommandContext(ctx, "go", "build", "-C", "..", "-o", program, "./cmd/registry-janitor").CombinedOutput(); err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, output)
	}
	chromium, stop, err := browser.Start(ctx, filepath.Join(work, "profile"))
	if err != nil {
		return err
	}
	defer stop()
	for _, picture := range []struct {
		name          string
		width, height int64
		page          func(ctx context.Context, program, dir string) (string, error)
	}{{"report.png", 1200, 1480, reportPage}, {"text.png", 1290, 2000, textPage}} {
		page, err := picture.page(ctx, program, work)
		if err != nil {
			return fmt.Errorf("%s: %w", picture.name, err)
		}
		if err := capture(chromium, "file://"+page, filepath.Join(folder, picture.name), picture.width, picture.height); err != nil {
			return fmt.Errorf("%s: %w", picture.name, err)
		}
	}
	return daemonPicture(chromium, filepath.Join(folder, "daemon.png"))
}

// reportPage is the page of the demo.
func reportPage(ctx context.Context, program, dir string) (string, error) {
	page, err := exec.CommandContext(ctx, program, "demo", "--format", "html").Output()
	if err != nil {
		return "", fmt.Errorf("running the demo: %w", err)
	}
	file := filepath.Join(dir, "report.html")
	return file, os.WriteFile(file, page, 0o644)
}

// daemonPicture shows a made-up daemon, because a new one has no history.
func daemonPicture(chromium context.Context, file string) error {
	latest := &runs.Run{
		ID: "run-0", Plan: browser.Company(60), Kind: "plan", Trigger: "plan */30 * * * *", Started: browser.Noon,
		Duration: 23 * time.Second, Calls: 214,
	}
	server := httptest.NewServer(browser.NewDaemon(browser.Leader(latest.Plan), latest).Handler())
	defer func() {
		server.CloseClientConnections()
		server.Close()
	}()
	return capture(chromium, server.URL, file, 1200, 1480)
}

func capture(chromium context.Context, url, file string, width, height int64) error {
	tab, err := browser.Open(chromium)
	if err != nil {
		return err
	}
	defer tab.Close()
	if err := tab.Look("light", width, 900); err != nil {
		return err
	}
	if err := tab.Do(chromedp.Navigate(url)); err != nil {
		return err
	}
	if err := tab.Picture(file, height, 2); err != nil {
		return err
	}
	return shrink(file)
}
