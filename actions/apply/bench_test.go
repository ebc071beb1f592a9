package apply

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
)

// hundreds is a registry of so many images, of each of which 100 tags go and 10
// stay.
func hundreds(t testing.TB, images int) worlds.World {
	w, err := worlds.Parse("world.yaml", fmt.Appendf(nil, `{settings: {latency: 20ms}, namespaces: [{name: prod, age: 400d, images: [{name: "api-{n}", count: %d, tags: [
		{name: "pr-{n}", count: 100, age: 20d}, {name: "v{n}", count: 10, age: 20d}]}]}]}`, images))
	must(t, err)
	return w
}

// ideal is the least that the deletions of so many tags can take at this latency
// and a concurrency of 16: one call each.
func ideal(tags int) time.Duration { return time.Duration(tags) * 20 * time.Millisecond / 16 }

// BenchmarkApply deletes 10,000 tags over HTTP, as a real run does; only the
// journal is in memory.
func BenchmarkApply(b *testing.B) {
	w := hundreds(b, 100)
	for b.Loop() {
		b.StopTimer()
		s := siteOf(b, w)
		p := s.markTags(plan.Options{})
		server := httptest.NewServer(s.server)
		credentials := *testCredentials
		credentials.APIURL = server.URL
		editor, err := scaleway.NewEditor(scaleway.Options{Credentials: &credentials, Concurrency: 16})
		must(b, err)
		s.editor = editor
		j := newMemoryJournal(b)
		before := len(s.server.Requests())
		b.StartTimer()
		start := time.Now()
		o, err := Apply(b.Context(), p, s.environment(j), Options{})
		took := time.Since(start)
		b.StopTimer()
		if err != nil || o.Done != 10_000 {
			b.Fatal(err, o.Done, o.Failed)
		}
		b.ReportMetric(took.Seconds()/ideal(10_000).Seconds(), "×ideal")
		b.ReportMetric(float64(len(s.server.Requests())-before)/10_000, "calls/tag")
		server.Close()
		b.StartTimer()
	}
}

// What is deleted slowly is watched, not waited for: with a delay of 15 s, 600
// deletions would take ten minutes if each of 16 workers waited for its own.
func TestSlowDeletionsDoNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, `{settings: {latency: 20ms, delete_delay: 15s}, namespaces: [{name: prod, age: 400d, images: [{name: "api-{n}", count: 6, tags: [
			{name: "pr-{n}", count: 100, age: 20d}, {name: latest, age: 20d}]}]}]}`)
		p := s.markTags(plan.Options{})
		start := time.Now()
		o, err := Apply(t.Context(), p, s.environment(newMemoryJournal(t)), Options{Canary: -1})
		if err != nil || o.Done != 600 {
			t.Fatal(err, o.Done)
		}
		if took := time.Since(start); took > 40*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
