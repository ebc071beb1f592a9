package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

const archiveWorld = `
settings: {latency: 1ms, delete_delay: 20ms, shared_digest: untag}
namespaces:
  - {name: prod, age: 400d, images: [
      {name: "svc-{n}", count: 2, tags: [{name: latest, age: 1h, size: 50kB}, {name: moving, digest: A, age: 30d, size: 40kB}, {name: pr-0, digest: A, age: 40d}, {name: "pr-{n}", count: 6, age: 40d, size: 30kB}]}]}
`

// archiveConfig deletes all pull requests, and what has the digest of one of them.
const archiveConfig = `
scaleway: {registry_url: "%s"}
retention: [{name: prs, match: {tags: ["pr-*", moving]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 100, canary: 1}
archive: {to: archive}
ledger: {dsn: runs.db}
`

// requestsOfRun is about how many requests a run makes that nothing interrupts.
const requestsOfRun = 100

// Whenever the process is killed, every tag that is gone from the registry is in the
// archive, and comes back with its digest. JANITOR_KILLS sets how many kills there are.
func TestWhatAKilledRunDeletedComesBack(t *testing.T) {
	kills := 2
	if n, err := strconv.Atoi(os.Getenv("JANITOR_KILLS")); err == nil {
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for done := 0; done < kills; {
		t.Run("story", func(t *testing.T) { done += archiveStory(t, rng, kills-done) }) // whose files go with it
		if t.Failed() {
			return
		}
	}
}

// archiveStory applies to one registry until a run completes, kills at most so many
// runs, and restores everything. It returns how many it killed.
func archiveStory(t *testing.T, rng *rand.Rand, most int) (killed int) {
	world, err := worlds.Parse("world.yaml", []byte(archiveWorld))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: world, DataPlane: oci.New})
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	dying := make(chan struct{})
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(-1) == 0 {
			select {
			case dying <- struct{}{}:
			case <-time.After(time.Second): // the run has ended
			}
		}
		server.ServeHTTP(w, r)
	}))
	defer listener.Close()
	file := filepath.Join(t.TempDir(), "janitor.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, archiveConfig, listener.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	before := digestsIn(t, server)
	for complete := false; !complete; {
		cmd := applyCommand(file, listener.URL)
		var output strings.Builder
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if killed < most {
			requests.Store(rng.Int64N(requestsOfRun))
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-dying:
			time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
			_ = cmd.Process.Kill()
			err = <-ended
		case err = <-ended:
		}
		requests.Store(0) // the other commands are not killed
		switch code := cmd.ProcessState.ExitCode(); {
		case code == -1:
			killed++
		case code != 0:
			t.Fatalf("%v: %s", err, output.String())
		default:
			complete = true
		}
		checkArchived(t, file, listener.URL, before, digestsIn(t, server))
	}
	for _, run := range slices.Sorted(maps.Values(archivedRuns(t, file, listener.URL))) {
		mustRun(t, file, listener.URL, "restore", run)
	}
	if after := digestsIn(t, server); !maps.Equal(before, after) {
		t.Errorf("after everything was restored: %v\nbefore it was deleted: %v", after, before)
	}
	return max(killed, 1) // a story without a kill is one that came too late
}

// checkArchived fails if a tag is gone of which the archive has no copy.
func checkArchived(t *testing.T, file, url string, before, now map[string]string) {
	t.Helper()
	records := archived(t, file, url)
	for ref, digest := range before {
		if _, there := now[ref]; !there && records[ref].Digest != digest {
			t.Errorf("%s is gone with the digest %s, and the archive has %q", ref, digest, records[ref].Digest)
		}
	}
	t.Logf("%d of %d tags are gone, and %d archived", len(before)-len(now), len(before), len(records))
}

type archivedTag struct {
	Ref    string `json:"ref"`
	Digest string `json:"digest"`
	Run    string `json:"run"`
}

func archived(t *testing.T, file, url string) map[string]archivedTag {
	t.Helper()
	var list struct {
		Records []archivedTag `json:"records"`
	}
	output := mustRun(t, file, url, "archive", "list", "--format", "json")
	if err := json.Unmarshal(output, &list); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	records := map[string]archivedTag{}
	for _, r := range list.Records {
		records[r.Ref] = r
	}
	return records
}

// archivedRuns are the runs that have archived anything.
func archivedRuns(t *testing.T, file, url string) map[string]string {
	t.Helper()
	runs := map[string]string{}
	for _, r := range archived(t, file, url) {
		runs[r.Run] = r.Run
	}
	return runs
}

// mustRun runs a command of the program, and returns its standard output.
func mustRun(t *testing.T, file, url string, args ...string) []byte {
	t.Helper()
	cmd := applyCommand(file, url)
	cmd.Args = append([]string{cmd.Args[0]}, append(args, "-c", file)...)
	output, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if failed, ok := err.(*exec.ExitError); ok { //nolint:errorlint // of Output itself
			stderr = failed.Stderr
		}
		t.Fatalf("%v: %v: %s%s", args, err, output, stderr)
	}
	return output
}

// digestsIn are the digests of all tags that are not being deleted, by reference.
func digestsIn(t *testing.T, server *emulator.Server) map[string]string {
	t.Helper()
	time.Sleep(50 * time.Millisecond) // until what is being deleted is gone
	all := map[string]string{}
	for _, image := range rowsOf(t, server, "/images?page_size=100", "images") {
		for _, tag := range rowsOf(t, server, "/images/"+image["id"]+"/tags?page_size=100", "tags") {
			all["rg.fr-par.scw.cloud/prod/"+image["name"]+":"+tag["name"]] = tag["digest"]
		}
	}
	return all
}

func rowsOf(t *testing.T, server *emulator.Server, path, what string) []map[string]string {
	t.Helper()
	recorder := httptest.NewRecorder()
	server.Plain().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/registry/v1/regions/fr-par"+path, nil))
	var page map[string]json.RawMessage
	var rows []map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(page[what], &rows); err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows {
		text := map[string]string{}
		for key, value := range row {
			text[key] = fmt.Sprint(value)
		}
		out = append(out, text)
	}
	return out
}
