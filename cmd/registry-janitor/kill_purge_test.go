package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// Whenever a purge is killed, what has not expired comes back, and the next purge removes
// the records that have. JANITOR_KILLS sets how many kills there are: one for five, because
// each restores what is left.
func TestAKilledPurgeLosesNothing(t *testing.T) {
	kills := 2
	if n, err := strconv.Atoi(os.Getenv("JANITOR_KILLS")); err == nil {
		kills = max(1, n/5)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for done := 0; done < kills; done++ {
		t.Run("story", func(t *testing.T) { purgeStory(t, rng) })
		if t.Failed() {
			return
		}
	}
}

// purgeStory deletes tags, lets the copies of half of them expire, and kills a purge.
func purgeStory(t *testing.T, rng *rand.Rand) {
	server, url, file := startArchiveWorld(t)
	before := digestsIn(t, server)
	mustRun(t, file, url, "apply", "--yes")
	gone := digestsIn(t, server)
	live := expireSome(t, filepath.Join(filepath.Dir(file), "archive"), rng)
	killPurge(t, file, url, rng)
	mustRun(t, file, url, "archive", "purge")
	if got := archived(t, file, url); len(got) != len(live) {
		t.Errorf("%d records are left of %d that have not expired", len(got), len(live))
	}
	for ref := range live {
		mustRun(t, file, url, "restore", ref)
		gone[ref] = before[ref]
	}
	if after := digestsIn(t, server); !maps.Equal(gone, after) {
		t.Errorf("after what is live was restored: %v\nwant: %v", after, gone)
	}
}

// startArchiveWorld serves archiveWorld, and writes a configuration for it.
func startArchiveWorld(t *testing.T) (server *emulator.Server, url, file string) {
	t.Helper()
	world, err := worlds.Parse("world.yaml", []byte(archiveWorld))
	if err != nil {
		t.Fatal(err)
	}
	server, err = emulator.New(emulator.Options{World: world, DataPlane: oci.New})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	file = filepath.Join(t.TempDir(), "janitor.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, archiveConfig, listener.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	return server, listener.URL, file
}

// layoutIndex has what this test reads of an index.json, and changes in it.
type layoutIndex struct {
	SchemaVersion int              `json:"schemaVersion"`
	MediaType     string           `json:"mediaType"`
	Manifests     []map[string]any `json:"manifests"`
}

func readLayout(t *testing.T, folder string) (index layoutIndex) {
	t.Helper()
	encoded, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err == nil {
		err = json.Unmarshal(encoded, &index)
	}
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func writeLayout(t *testing.T, folder string, index layoutIndex) {
	t.Helper()
	encoded, err := json.Marshal(index)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "index.json"), encoded, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// expireSome lets about half of the records expire, and returns the references of the
// others.
func expireSome(t *testing.T, folder string, rng *rand.Rand) map[string]bool {
	t.Helper()
	index := readLayout(t, folder)
	live := map[string]bool{}
	for _, d := range index.Manifests {
		annotations := d["annotations"].(map[string]any)
		if rng.IntN(2) == 0 {
			annotations["io.registry-janitor.until"] = "2020-01-01T00:00:00Z"
		} else {
			live[annotations["org.opencontainers.image.ref.name"].(string)] = true
		}
	}
	writeLayout(t, folder, index)
	return live
}

// killPurge starts a purge, and kills it once it has removed some blobs, or a moment
// after its start.
func killPurge(t *testing.T, file, url string, rng *rand.Rand) {
	t.Helper()
	blobs := filepath.Join(filepath.Dir(file), "archive", "blobs", "sha256")
	all, most := blobsIn(t, blobs), rng.IntN(20)
	cmd := applyCommand(file, url)
	cmd.Args = []string{cmd.Args[0], "archive", "purge", "-c", file}
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for waiting := true; waiting; {
		select {
		case err := <-ended:
			ended <- err
			waiting = false
		default:
			waiting = all-blobsIn(t, blobs) < most
		}
	}
	_ = cmd.Process.Kill()
	if err := <-ended; err != nil {
		t.Log(err)
	}
	if code := cmd.ProcessState.ExitCode(); code > 0 {
		t.Fatalf("%d: %s", code, output.String())
	}
	t.Logf("exit code %d after %d of %d blobs were removed", cmd.ProcessState.ExitCode(), all-blobsIn(t, blobs), all)
}

func blobsIn(t *testing.T, folder string) int {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
