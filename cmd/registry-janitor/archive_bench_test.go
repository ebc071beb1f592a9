package main

import (
	"cmp"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkApplyArchive deletes tags of small images behind 20 ms of latency, without an
// archive and with one in a directory, or where ARCHIVE_TO says, in which {n} becomes
// another text in each round. The program and the emulator are separate processes, as in production.
func BenchmarkApplyArchive(b *testing.B) {
	for _, tt := range []struct{ name, images string }{
		{"60 tags of 1 MB", `{name: "svc-{n}", count: 3, tags: [{name: latest, age: 1h}, {name: "pr-{n}", count: 20, age: 40d, size: 1MB}]}`},
		{"900 tags of 100 kB", `{name: "svc-{n}", count: 10, tags: [{name: latest, age: 1h}, {name: "pr-{n}", count: 90, age: 40d, size: 100kB}]}`},
		{"600 tags of one digest", `{name: svc, tags: [{name: latest, age: 1h}, {name: "pr-{n}", count: 600, digest: A, age: 40d, size: 9kB}]}`},
		{"1,000 tags of 9 kB in one image", `{name: svc, tags: [{name: latest, age: 1h}, {name: "pr-{n}", count: 1000, age: 40d, size: 9kB}]}`},
	} {
		b.Run(tt.name, func(b *testing.B) {
			m := newMillion(b, "settings: {latency: 20ms, shared_digest: untag}\nnamespaces:\n  - {name: prod, age: 400d, images: ["+tt.images+"]}\n", "")
			var without, with time.Duration
			for b.Loop() {
				to := cmp.Or(os.Getenv("ARCHIVE_TO"), filepath.Join(b.TempDir(), "{n}"))
				to = strings.ReplaceAll(to, "{n}", rand.Text())
				without += m.apply(b, "")
				with += m.apply(b, "archive: {to: \""+to+"\"}\n")
			}
			b.ReportMetric(without.Seconds()/float64(b.N), "without-s")
			b.ReportMetric(with.Seconds()/float64(b.N), "with-s")
			b.ReportMetric(with.Seconds()/without.Seconds(), "with/without")
		})
	}
}

// apply deletes the tags of pull requests in a new registry, and returns how long it took.
func (m million) apply(b *testing.B, archive string) time.Duration {
	b.Helper()
	server, url := m.emulator(b)
	defer end(server)
	file := filepath.Join(b.TempDir(), "janitor.yaml")
	write(b, file, "scaleway: {registry_url: \""+url+"\"}\nretention: [{name: prs, match: {tags: [\"pr-*\"]}, delete: {older_than: 14d}}]\n"+
		"shared_digest: untag\nlimits: {max_deletions: 100000, max_deletion_percent: 100}\nledger: {dsn: runs.db}\n"+archive)
	run := applyCommand(file, url)
	run.Path, run.Args[0], run.Err = m.binary, m.binary, nil
	began := time.Now()
	if output, err := run.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, output)
	}
	return time.Since(began)
}
