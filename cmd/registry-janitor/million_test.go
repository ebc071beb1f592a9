package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// worldOf is a registry of images with 50 tags, some of which are old builds of pull
// requests.
func worldOf(images, old int, latency time.Duration) string {
	return fmt.Sprintf(`
settings: {latency: %s}
namespaces:
  - {name: prod, region: fr-par, age: 900d, images: [
      {name: "svc-{n}", count: %d, tags: [
        {name: "pr-{n}", count: %d, age: 20d, step: 1h},
        {name: "fresh-{n}", count: %d, age: 1d, step: 1h},
        {name: "main-{n}", count: 15, age: 2d, step: 1d},
        {name: "v1.{n}.0", count: 5, age: 30d, step: 30d}]}]}
`, latency, images, old, 30-old)
}

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
	const images, latency = 20_000, 20 * time.Millisecond
	measurePlan(b, newMillion(b, worldOf(images, 5, latency), millionConfig), images, latency)
}

// BenchmarkFiveMillionTags plans as many images as the provider allows, of 50 tags each.
// One tag in fifty is marked, so that the plan has as many steps as that of
// BenchmarkMillionTags.
func BenchmarkFiveMillionTags(b *testing.B) {
	const images, latency = 100_000, 5 * time.Millisecond
	measurePlan(b, newMillion(b, worldOf(images, 1, latency), millionConfig), images, latency)
}

// measurePlan plans a registry whose images have one page of tags each, and compares the
// calls and the time with what is needed at least.
func measurePlan(b *testing.B, m million, images int, latency time.Duration) {
	b.Helper()
	for b.Loop() {
		server, url := m.emulator(b)
		plan := m.plan(url)
		began := time.Now()
		must(b, plan)
		wall := time.Since(began).Seconds()
		calls := m.calls(b, url)
		end(server)
		least := images + images/100 + 3 // pages of tags, of images, and of namespaces in each region
		b.ReportMetric(float64(calls)/float64(least), "calls/least")
		b.ReportMetric(1e6*cpu(plan)/float64(50*images), "planner-µs/tag")
		figures(b, wall, float64(calls)*latency.Seconds()/16, plan, server)
	}
}

// BenchmarkSecondRun plans the same registry twice with a ledger and with nothing to
// delete, and compares the second run with the first.
func BenchmarkSecondRun(b *testing.B) {
	m := newMillion(b, worldOf(20_000, 5, 20*time.Millisecond), strings.Replace(millionConfig, "older_than: 14d", "older_than: 90d", 1)+"ledger: {dsn: ledger.db}\n")
	for b.Loop() {
		server, url := m.emulator(b)
		first, second := m.plan(url), m.plan(url)
		must(b, first)
		calls := m.calls(b, url)
		info, err := os.Stat(filepath.Join(m.dir, "ledger.db"))
		if err != nil {
			b.Fatal(err)
		}
		must(b, second)
		again := m.calls(b, url) - calls
		end(server)
		_ = os.Remove(filepath.Join(m.dir, "ledger.db"))
		b.ReportMetric(float64(calls), "first-calls")
		b.ReportMetric(100*float64(again)/float64(calls), "second-calls-%")
		b.ReportMetric(cpu(first), "first-cpu-s")
		b.ReportMetric(100*cpu(second)/cpu(first), "second-cpu-%")
		b.ReportMetric(float64(rss(second))/1e6, "second-MB")
		b.ReportMetric(float64(info.Size())/1e6, "ledger-bytes/tag")
	}
}

// million is the program, its files, and a registry of a million tags or more.
type million struct{ dir, binary string }

func newMillion(b *testing.B, world, configuration string) million {
	b.Helper()
	dir := b.TempDir()
	m := million{dir, filepath.Join(dir, "registry-janitor")}
	must(b, exec.Command("go", "build", "-o", m.binary, "."))
	write(b, filepath.Join(dir, "world.yaml"), world)
	write(b, filepath.Join(dir, "janitor.yaml"), configuration)
	return m
}

func (m million) emulator(b *testing.B) (server *exec.Cmd, url string) {
	b.Helper()
	return startProcess(b, exec.Command(m.binary, "emulator", "--listen", "127.0.0.1:0", "--world", filepath.Join(m.dir, "world.yaml")))
}

func (m million) plan(url string) *exec.Cmd {
	plan := exec.Command(m.binary, "plan", "-c", filepath.Join(m.dir, "janitor.yaml"), "--format", "json")
	plan.Env = append(os.Environ(), "HOME="+m.dir, "SCW_API_URL="+url,
		"SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111")
	return plan
}

// calls is how many requests the emulator has received.
func (m million) calls(b *testing.B, url string) int {
	b.Helper()
	response, err := http.Get(url + "/_emulator/requests")
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	log, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Count(log, []byte(`"path"`))
}

func end(server *exec.Cmd) {
	_ = server.Process.Kill()
	_ = server.Wait()
}

// figures reports the figures, and the time against two lower bounds: that of the
// latency, and that of the processors.
func figures(b *testing.B, wall, waiting float64, plan, server *exec.Cmd) {
	b.Helper()
	planner, emulator := cpu(plan), cpu(server)
	bound := max(waiting, (planner+emulator)/2)
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
