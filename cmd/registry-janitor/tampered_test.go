package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// A record that names the content of another one is refused: the blobs are right, and only
// the ledger knows that they are not those of the tag.
func TestARecordWithTheContentOfAnotherIsNotRestored(t *testing.T) {
	world, err := worlds.Parse("world.yaml", []byte(archiveWorld))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: world, DataPlane: oci.New})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	defer listener.Close()
	file := filepath.Join(t.TempDir(), "janitor.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, archiveConfig, listener.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, file, listener.URL, "apply", "--yes")
	folder := filepath.Join(filepath.Dir(file), "archive")
	index := readLayout(t, folder)
	first, last := index.Manifests[0], index.Manifests[len(index.Manifests)-1]
	first["digest"], first["size"] = last["digest"], last["size"]
	encoded, err := json.Marshal(index)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "index.json"), encoded, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	before := digestsIn(t, server)
	cmd := applyCommand(file, listener.URL)
	cmd.Args = []string{cmd.Args[0], "restore", "-c", file, first["annotations"].(map[string]any)["org.opencontainers.image.ref.name"].(string)}
	output, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "the archive was changed") || !maps.Equal(before, digestsIn(t, server)) {
		t.Errorf("%v: %s", err, output)
	}
}
