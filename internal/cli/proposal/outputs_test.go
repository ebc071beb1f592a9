package proposal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that appears while the registry is scanned is not overwritten.
func TestInitLeavesAFileThatAppeared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "janitor.yaml")
	f := flags{out: file}
	out, err := f.outputs()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := out.write(t.Context(), nil, "proposed"); err == nil || !strings.Contains(err.Error(), "is left as it is") {
		t.Errorf("got error %v", err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "mine" {
		t.Errorf("the file has %q, %v", got, err)
	}
}

// A schema that appeared while the registry was scanned is not overwritten either, and
// the configuration is not written without it.
func TestInitLeavesASchemaThatAppeared(t *testing.T) {
	dir := t.TempDir()
	f := flags{out: filepath.Join(dir, "janitor.yaml"), schema: true}
	out, err := f.outputs()
	if err != nil {
		t.Fatal(err)
	}
	schema := filepath.Join(dir, "janitor.schema.json")
	if err := os.WriteFile(schema, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := out.write(t.Context(), nil, "proposed"); err == nil {
		t.Error("the schema was overwritten")
	}
	if got, err := os.ReadFile(schema); err != nil || string(got) != "mine" {
		t.Errorf("the schema has %q, %v", got, err)
	}
	if _, err := os.Stat(f.out); !os.IsNotExist(err) {
		t.Errorf("the configuration was written: %v", err)
	}
}
