package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A waiver is reported from the fourteenth day before its end on, which is counted in the
// days of its time zone.
func TestTheTermsOfAWaiver(t *testing.T) {
	c, err := Parse("janitor.yaml", []byte("timezone: Europe/Paris\nwaivers: [{match: {tags: [x]}, owner: a, reason: b, until: 2027-03-31}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		time string
		want [3]int // in force, expiring, ended
	}{
		{"2027-03-17T22:59:59Z", [3]int{1, 0, 0}},
		{"2027-03-17T23:00:00Z", [3]int{0, 1, 0}},
		{"2027-03-31T21:59:59Z", [3]int{0, 1, 0}},
		{"2027-03-31T22:00:00Z", [3]int{0, 0, 1}},
	} {
		now, err := time.Parse(time.RFC3339, at.time)
		if err != nil {
			t.Fatal(err)
		}
		w := c.WaiversAt(now)
		if got := [3]int{len(w.InForce), len(w.Expiring), len(w.Ended)}; got != at.want {
			t.Errorf("%s: in force, expiring, ended: %v, want %v", at.time, got, at.want)
		}
	}
}

// Waivers of a file count like those of the configuration, and so does their digest.
func TestWaiversOfAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const entry = "{match: {tags: [x]}, owner: a, reason: b, until: 2027-03-31}"
	write("list.yaml", "- "+entry+"\n")
	apart, err := Load(write("apart.yaml", "waivers_file: list.yaml\n"))
	if err != nil {
		t.Fatal(err)
	}
	together, err := Load(write("together.yaml", "waivers: ["+entry+"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(apart.Waivers) != 1 || apart.Digest() != together.Digest() {
		t.Errorf("the waivers are %+v, and the digests are equal: %t", apart.Waivers, apart.Digest() == together.Digest())
	}
	write("list.yaml", "- "+entry+"\n- {owner: b}\n")
	if _, err := Load(filepath.Join(dir, "apart.yaml")); err == nil {
		t.Error("a waiver without match, reason and date is accepted")
	}
}
