package archive_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/registry-janitor/registry-janitor/internal/archive"
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
	if _, err := archive.NewCopier(a, p.connect, o).Copy(t.Context(), step(other, p.digest(other))); err != nil {
		t.Fatal(err)
	}
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
	copied(t, a, p, api)
	check(t, os.Remove(filepath.Join(folder, "index.json"))) // as a run that was killed leaves it
	young := time.Now()
	if done := must(a.Purge(t.Context(), young.Add(23*time.Hour))); done.Blobs != 0 || blobs(folder) != 3 {
		t.Errorf("%+v", done)
	}
	if done := must(a.Purge(t.Context(), young.Add(25*time.Hour))); done.Blobs != 3 || blobs(folder) != 0 {
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
	_, err := archive.NewCopier(a, p.connect, o).Copy(t.Context(), step(other, p.digest(other)))
	check(t, err)
	check(t, os.Remove(filepath.Join(folder, "blobs", "sha256", p.digest(api)[len("sha256:"):])))
	if _, err := a.Purge(t.Context(), now.Add(2*time.Hour)); err == nil || blobs(folder) != 5 {
		t.Errorf("%d blobs: %v", blobs(folder), err)
	}
}
