package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// The program that is described is this test, of which it is known what it was
// built from.
func TestTheDocumentListsWhatIsInTheProgram(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	first, second := described(t, program), described(t, program)
	if !bytes.Equal(first, second) {
		t.Error("two documents of one program differ")
	}
	var bom cdx.BOM
	if err := json.Unmarshal(first, &bom); err != nil {
		t.Fatal(err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.SpecVersion != cdx.SpecVersion1_6 {
		t.Errorf("it is %s %s", bom.BOMFormat, bom.SpecVersion)
	}
	uuid := regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(bom.SerialNumber) {
		t.Errorf("the serial number is %s", bom.SerialNumber)
	}
	found := map[string]bool{}
	for _, c := range *bom.Components {
		if c.Version == "" || !strings.HasPrefix(c.PackageURL, "pkg:golang/"+c.Name+"@") {
			t.Errorf("the component %s %q has the package URL %s", c.Name, c.Version, c.PackageURL)
		}
		found[c.Name] = true
	}
	for _, want := range []string{"std", "github.com/CycloneDX/cyclonedx-go"} {
		if !found[want] {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestWhatIsNoGoProgramIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := write(filepath.Join(t.TempDir(), "sbom.json"), file); err == nil || !strings.Contains(err.Error(), "script") {
		t.Errorf("the error is %v", err)
	}
}

func described(t *testing.T, program string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sbom.json")
	if err := write(file, program); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
