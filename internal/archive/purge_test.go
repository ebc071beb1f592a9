package archive_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/registry"
)

func parse(ref string) (registry.Ref, error) { return registry.ParseRef(ref) }

func blobs(folder string) int {
	return len(must(filepath.Glob(filepath.Join(folder, "blobs", "sha256", "*"))))
}

func TestAPurgeRemovesWhatNoRecordNeeds(t *testing.T) {
	p := newPlane(t)
	base := image(4)
	p.push(api, base)
	p.push(other, must(mutate.AppendLayers(base, must(image(1).Layers())...)))
	a, folder := newFolder(t)
	copied(t, a, p, api)
	o := options()
	o.Keep = time.Hour
	copiedWith(t, a, p, o, other)
	if done := must(a.Purge(t.Context(), now.Add(59*time.Minute))); len(done.Records) != 0 || blobs(folder) != 6+3 {
		t.Errorf("%+v, %d blobs", done, blobs(folder))
	}
	if done := must(a.Purge(t.Context(), now.Add(time.Hour))); len(done.Records) != 1 || done.Records[0].Ref != other || done.Blobs != 3 || blobs(folder) != 6 {
		t.Errorf("%+v, %d blobs", done, blobs(folder))
	}
	p.wipe()
	if _, err := restore(t.Context(), a, restorer(a, p), api); err != nil {
		t.Error(err)
	}
}

func TestAPurgeLeavesYoungBlobsWithoutARecord(t *testing.T) {
	a, folder := newFolder(t)
	p := newPlane(t)
	p.push(api, image(1))
	p.push(other, image(1))
	copied(t, a, p, api)
	index := must(os.ReadFile(filepath.Join(folder, "index.json")))
	copied(t, a, p, other)
	check(t, os.WriteFile(filepath.Join(folder, "index.json"), index, 0o600)) // as a run that was killed leaves it
	a = archive.New(folder, store.NewFolder(folder))
	young := time.Now()
	if done := must(a.Purge(t.Context(), young.Add(23*time.Hour))); done.Blobs != 0 || blobs(folder) != 6 {
		t.Errorf("%+v", done)
	}
	if done := must(a.Purge(t.Context(), young.Add(25*time.Hour))); done.Blobs != 3 || blobs(folder) != 3 {
		t.Errorf("%+v", done)
	}
}

// Where the records are lost, every blob may be needed.
func TestAPurgeRemovesNothingWithoutAnIndex(t *testing.T) {
	for name, content := range map[string]string{
		"an empty file":          "",
		"a list that is missing": `{"schemaVersion":2}`,
		"nothing":                "null",
		"half of it":             `{"schemaVersion":2,"manifests":[{"med`,
		"no records":             `{"schemaVersion":2,"manifests":[]}`,
		"no file":                "-",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlane(t)
			p.push(api, image(1))
			a, folder := newFolder(t)
			copied(t, a, p, api)
			index := filepath.Join(folder, "index.json")
			check(t, os.WriteFile(index, []byte(content), 0o600))
			if content == "-" {
				check(t, os.Remove(index))
			}
			_, err := archive.New(folder, store.NewFolder(folder)).Purge(t.Context(), time.Now().Add(25*time.Hour))
			if isError := name != "no records"; (err != nil) != isError || blobs(folder) != 3 {
				t.Errorf("%d blobs are left: %v", blobs(folder), err)
			}
			o := options()
			c := archive.NewCopier(archive.New(folder, store.NewFolder(folder)), p.connect, o)
			if _, err := c.Copy(t.Context(), step(api, p.digest(api))); (err != nil) != (name != "no records") {
				t.Errorf("a copy is recorded over it: %v", err)
			}
			check(t, c.Close(t.Context()))
		})
	}
}

// A purge of everything, killed before its blobs were removed, is finished by the next one.
func TestAPurgeOfEverythingIsFinishedLater(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, folder := newFolder(t)
	copied(t, a, p, api)
	left := must(filepath.Glob(filepath.Join(folder, "blobs", "sha256", "*")))[0]
	content := must(os.ReadFile(left))
	if done := must(a.Purge(t.Context(), now.Add(31*24*time.Hour))); done.Blobs != 3 {
		t.Errorf("%+v", done)
	}
	check(t, os.WriteFile(left, content, 0o600))
	if done := must(a.Purge(t.Context(), time.Now().Add(25*time.Hour))); done.Blobs != 1 || blobs(folder) != 0 {
		t.Errorf("%+v", done)
	}
}

// What one process has found in the archive, another one must not remove before it is recorded.
func TestNothingIsPurgedWhileAnotherProcessCopies(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, folder := newFolder(t)
	copied(t, a, p, api)
	theirs := archive.New(folder, store.NewFolder(folder))
	c := archive.NewCopier(theirs, p.connect, options())
	_, err := c.Copy(t.Context(), step(api, p.digest(api)))
	check(t, err)
	if _, err := a.Purge(t.Context(), now.Add(31*24*time.Hour)); !errors.Is(err, store.ErrBusy) || blobs(folder) != 3 {
		t.Errorf("%d blobs are left: %v", blobs(folder), err)
	}
	check(t, c.Close(t.Context()))
	if done := must(a.Purge(t.Context(), now.Add(31*24*time.Hour))); done.Blobs != 3 {
		t.Errorf("%+v", done)
	}
}

func TestAPurgeStopsAtARecordThatCannotBeRead(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	p.push(other, image(1))
	a, folder := newFolder(t)
	copied(t, a, p, api)
	o := options()
	o.Keep = time.Hour
	copiedWith(t, a, p, o, other)
	check(t, os.Remove(filepath.Join(folder, "blobs", "sha256", p.digest(api)[len("sha256:"):])))
	if _, err := a.Purge(t.Context(), now.Add(2*time.Hour)); err == nil || blobs(folder) != 5 {
		t.Errorf("%d blobs: %v", blobs(folder), err)
	}
}
