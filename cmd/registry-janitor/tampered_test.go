package main

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// A record that names the content of another one is refused: the blobs are right, and only
// the ledger knows that they are not those of the tag.
func TestARecordWithTheContentOfAnotherIsNotRestored(t *testing.T) {
	server, url, file := startArchiveWorld(t)
	mustRun(t, file, url, "apply", "--yes")
	folder := filepath.Join(filepath.Dir(file), "archive")
	index := readLayout(t, folder)
	first, last := index.Manifests[0], index.Manifests[len(index.Manifests)-1]
	first["digest"], first["size"] = last["digest"], last["size"]
	writeLayout(t, folder, index)
	before := digestsIn(t, server)
	cmd := applyCommand(file, url)
	cmd.Args = []string{cmd.Args[0], "restore", "-c", file, first["annotations"].(map[string]any)["org.opencontainers.image.ref.name"].(string)}
	output, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "the archive was changed") || !maps.Equal(before, digestsIn(t, server)) {
		t.Errorf("%v: %s", err, output)
	}
}
