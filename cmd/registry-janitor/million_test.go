package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const millionWorld = `
settings: {latency: 20ms}
namespaces:
  - {name: prod, region: fr-par, age: 900d, images: [
      {name: "svc-{n}", count: 20000, tags: [
        {name: "pr-{n}", count: 5, age: 20d, step: 1h},
        {name: "fresh-{n}", count: 25, age: 1d, step: 1h},
        {name: "main-{n}", count: 15, age: 2d, step: 1d},
        {name: "v1.{n}.0", count: 5, age: 30d, step: 30d}]}]}
`

const millionConfig = `
retention:
  - {name: pull request builds, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}
  - {name: branch builds, match: {tags: ["main-*"]}, keep: {last: 20, within: 30d}, delete: {older_than: 24h}}
  - {name: releases, match: {semver: "*"}, keep: {all: true}}
limits: {max_deletions: 1000000}
`

// BenchmarkMillionTags plans 20,000 images of 50 tags over HTTP: the planner and
// the emulator are separate processes, as in production. One in ten tags is marked
// for deletion.
func BenchmarkMillionTags(b *testing.B) {
	dir := b.TempDir()
	binary := filepath.Join(dir, "registry-janitor")
	must(b, exec.Command("go", "build", "-o", binary, "."))
	write(b, filepath.Join(dir, "world.yaml"), millionWorld)
	write(b, filepath.Join(dir, "janitor.yaml"), millionConfig)
	for b.Loop() {
		server, url := startProcess(b, exec.Command(binary, "emulator", "--listen", "127.0.0.1:0", "--world", filepath.Join(dir, "world.yaml")))
		plan := exec.Command(binary, "plan", "-c", filepath.Join(dir, "janitor.yaml"), "--format", "json")
		plan.Env = append(os.Environ(), "HOME="+dir, "SCW_API_URL="+url,
			"SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111")
		began := time.Now()
		must(b, plan)
		wall := time.Since(began).Seconds()
		_ = server.Process.Kill()
		_ = server.Wait()
		figures(b, wall, plan, server)
	}
}

// figures reports the figures and two lower bounds: that of the latency, and that of
// the processors.
func figures(b *testing.B, wall float64, plan, server *exec.Cmd) {
	const calls, latency, concurrency = 20_000 + 200 + 3 + 2, 0.020, 16
	planner, emulator := cpu(plan), cpu(server)
	bound := max(calls*latency/concurrency, (planner+emulator)/2)
	b.ReportMetric(wall, "wall-s")
	b.ReportMetric(planner, "planner-cpu-s")
	b.ReportMetric(emulator, "emulator-cpu-s")
	b.ReportMetric(wall/bound, "wall/bound")
	b.ReportMetric(float64(rss(plan))/1e6, "planner-MB")
	b.ReportMetric(float64(rss(server))/1e6, "emulator-MB")
}

func cpu(c *exec.Cmd) float64 {
	return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
}

// rss is the peak resident size of a finished process, in bytes.
func rss(c *exec.Cmd) int64 { return c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024 }

func must(b *testing.B, c *exec.Cmd) {
	b.Helper()
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		b.Fatalf("%s: %v", strings.Join(c.Args, " "), err)
	}
}

func write(b *testing.B, path, content string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
}

// startProcess starts an emulator and waits until it prints its address.
func startProcess(b *testing.B, c *exec.Cmd) (*exec.Cmd, string) {
	b.Helper()
	stderr, err := c.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	_, url, _ := strings.Cut(strings.TrimSpace(line), "at ")
	return c, url
}
