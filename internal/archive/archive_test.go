package archive_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	api   = "rg.fr-par.scw.cloud/prod/api:pr-12"
	other = "rg.fr-par.scw.cloud/prod/api:pr-13"
)

func TestATagComesBackByteForByte(t *testing.T) {
	for what, content := range map[string]remote.Taggable{"an image": image(3), "an index": index()} {
		t.Run(what, func(t *testing.T) {
			p := newPlane(t)
			digest := p.push(api, content)
			a, _ := newFolder(t)
			copied(t, a, p, api)
			p.wipe()
			done, err := restore(t.Context(), a, restorer(a, p), api)
			check(t, err)
			if got := p.digest(api); got != digest || len(done) != 1 || done[0].As != api || done[0].Bytes == 0 {
				t.Errorf("restored %q, want %q: %+v", got, digest, done)
			}
		})
	}
}

func TestTheArchiveIsALayoutThatOtherToolsRead(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, index())
	a, folder := newFolder(t)
	copied(t, a, p, api)
	read, err := layout.ImageIndexFromPath(folder)
	check(t, err)
	check(t, validate.Index(read))
	manifest, err := read.IndexManifest()
	check(t, err)
	want := []v1.Descriptor{{
		MediaType: "application/vnd.oci.image.index.v1+json", Digest: must(v1.NewHash(digest)), Size: manifest.Manifests[0].Size,
		Annotations: map[string]string{
			"org.opencontainers.image.ref.name": api, "io.registry-janitor.deleted-at": "2026-11-29T12:00:00Z", "io.registry-janitor.until": "2026-12-29T12:00:00Z",
			"io.registry-janitor.run": "42", "io.registry-janitor.rule": "retention/pull requests", "io.registry-janitor.reason": "older than 14 days", "io.registry-janitor.by": "ana@host",
		},
	}}
	if diff := cmp.Diff(want, manifest.Manifests); diff != "" {
		t.Error(diff)
	}
}

func TestALayerOfSeveralTagsTravelsOnce(t *testing.T) {
	p := newPlane(t)
	base := image(4)
	p.push(api, base)
	p.push(other, must(mutate.AppendLayers(base, must(image(1).Layers())...)))
	a, _ := newFolder(t)
	p.forget()
	copied(t, a, p, api, other)
	if n := p.count("GET /v2/prod/api/blobs/"); n != 4+1+2 { // layers and configs
		t.Errorf("%d blobs were read", n)
	}
	p.forget()
	copied(t, a, p, api, other) // another run
	if n := p.count("GET /v2/prod/api/blobs/"); n != 0 {
		t.Errorf("%d blobs were read again", n)
	}
	if records := must(a.Records(t.Context())); len(records) != 2 {
		t.Errorf("%d records", len(records))
	}
}

func TestADamagedCopyIsMadeAgain(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, folder := newFolder(t)
	copied(t, a, p, api)
	damage(t, folder, 600)
	copied(t, a, p, api)
	p.wipe()
	if _, err := restore(t.Context(), a, restorer(a, p), api); err != nil {
		t.Error(err)
	}
}

// damage changes a byte in every blob that is larger.
func damage(t *testing.T, folder string, larger int64) {
	t.Helper()
	for _, path := range must(filepath.Glob(filepath.Join(folder, "blobs", "sha256", "*"))) {
		content := must(os.ReadFile(path))
		if int64(len(content)) > larger {
			content[len(content)/2] ^= 1
			check(t, os.WriteFile(path, content, 0o600))
		}
	}
}

func TestADamagedBlobIsNotRestored(t *testing.T) {
	for what, larger := range map[string]int64{"a layer": 600, "a manifest": 0} {
		t.Run(what, func(t *testing.T) {
			p := newPlane(t)
			p.push(api, image(1))
			a, folder := newFolder(t)
			copied(t, a, p, api)
			damage(t, folder, larger)
			p.wipe()
			_, err := restore(t.Context(), a, restorer(a, p), api)
			if !errors.Is(err, store.ErrDamaged) || p.digest(api) != "" {
				t.Errorf("restored %q: %v", p.digest(api), err)
			}
		})
	}
}

func TestAnExistingTagIsNotMoved(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	moved := p.push(api, image(1))
	r := restorer(a, p)
	if _, err := restore(t.Context(), a, r, api); err == nil || !errors.Is(err, archive.ErrOther) || p.digest(api) != moved {
		t.Errorf("moved to %s: %v", p.digest(api), err)
	}
	failed := errors.New("the disk is full")
	r = archive.NewRestorer(a, p.connect, archive.RestorerOptions{Overwriting: func(context.Context, registry.Ref, string) error { return failed }, Now: func() time.Time { return now }})
	if _, err := restore(t.Context(), a, r, api); !errors.Is(err, failed) || p.digest(api) != moved {
		t.Errorf("moved to %s: %v", p.digest(api), err)
	}
	failed = nil
	if _, err := restore(t.Context(), a, r, api); err != nil || p.digest(api) != digest {
		t.Errorf("%s: %v", p.digest(api), err)
	}
}

func TestAttachmentsComeBackWithTheirSubject(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(1))
	signature := signed(digest)
	want := p.push(signature, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api, signature)
	p.wipe()
	done, err := restore(t.Context(), a, restorer(a, p), api)
	check(t, err)
	if len(done) != 2 || p.digest(signature) != want {
		t.Errorf("%+v", done)
	}
}

func TestARestorationIsNoted(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	p.wipe()
	r := archive.NewRestorer(a, p.connect, archive.RestorerOptions{Stay: 90 * 24 * time.Hour, Now: func() time.Time { return now.Add(time.Hour) }})
	_, err := restore(t.Context(), a, r, api)
	check(t, err)
	record := must(a.Records(t.Context()))[0]
	if diff := cmp.Diff([]string{api}, record.RestoredAs); diff != "" || !record.RestoredAt.Equal(now.Add(time.Hour)) || !record.Until.Equal(now.Add(90*24*time.Hour+time.Hour)) {
		t.Errorf("%+v", record)
	}
}

func TestARestorationTakesFewCalls(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(5))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	p.wipe()
	fresh := newPlane(t)
	_, err := restore(t.Context(), a, restorer(a, fresh), api)
	check(t, err)
	if n := fresh.count(""); n > 4*6+4 {
		t.Errorf("%d calls for 6 blobs: %q", n, fresh.requests)
	}
}

func TestAnIndexThatCannotBeWrittenIsAnError(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(1))
	file := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(file, nil, 0o600))
	_, err := archive.NewCopier(archive.New(file, store.NewFolder(file)), p.connect, options()).Copy(t.Context(), step(api, digest))
	if !errors.Is(err, store.ErrRefused) {
		t.Error(err)
	}
}

func TestADamagedIndexIsAnErrorInItsOwnWords(t *testing.T) {
	for text, want := range map[string]string{"hello": "it is damaged: invalid character 'h'", "{}": "it is damaged: it has no list of manifests: put back", "": "it is damaged"} {
		folder := t.TempDir()
		check(t, os.WriteFile(filepath.Join(folder, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600))
		check(t, os.WriteFile(filepath.Join(folder, "index.json"), []byte(text), 0o600))
		_, err := archive.New(folder, store.NewFolder(folder)).Records(t.Context())
		if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "reading the index of the archive "+folder+": "+want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestATagThatCannotBeReadIsNotArchived(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(2))
	p.refuse = func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/")
	}
	a, _ := newFolder(t)
	archived, err := archive.NewCopier(a, p.connect, options()).Copy(t.Context(), step(api, digest))
	if err == nil || archived != nil || len(must(a.Records(t.Context()))) != 0 {
		t.Errorf("%v, %v", archived, err)
	}
	o := options()
	o.Optional = true
	if archived, err := archive.NewCopier(a, p.connect, o).Copy(t.Context(), step(api, digest)); !errors.As(err, new(*actions.UncopiedError)) || archived != nil {
		t.Errorf("%v, %v", archived, err)
	}
}

func inRepository(p *plane, to oci.Connection) (*archive.Archive, name.Repository) {
	repository := must(name.NewRepository(p.host+"/archive/janitor", name.Insecure))
	return archive.New("oci://"+repository.Name(), store.NewRepository(repository, to.Puller, to.Pusher)), repository
}

// A registry cannot compare and replace its index at once. Who overwrote the record of
// another process is found out at the next record, or at the end.
func TestARecordThatAnotherProcessOverwroteIsWrittenAgain(t *testing.T) {
	p := newPlane(t)
	to := must(p.connect(must(parse("rg.fr-par.scw.cloud/archive/janitor"))))
	p.push(api, image(1))
	p.push(other, image(1))
	ours, _ := inRepository(p, to)
	copied(t, ours, p, other)
	c := archive.NewCopier(ours, p.connect, options())
	before := must(to.Puller.Get(t.Context(), to.Repository.Tag("registry-janitor-index")))
	_, err := c.Copy(t.Context(), step(api, p.digest(api)))
	check(t, err)
	check(t, to.Pusher.Put(t.Context(), to.Repository.Tag("registry-janitor-index"), before))
	theirs, _ := inRepository(p, to)
	if records := must(theirs.Records(t.Context())); len(records) != 1 {
		t.Fatalf("%+v", records)
	}
	check(t, c.Close(t.Context()))
	if records := must(theirs.Records(t.Context())); len(records) != 2 {
		t.Errorf("%+v", records)
	}
}

func TestARepositoryIsAnArchive(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, index())
	to := must(p.connect(must(parse("rg.fr-par.scw.cloud/archive/janitor"))))
	a, repository := inRepository(p, to)
	copied(t, a, p, api, api)
	if head, err := to.Puller.Head(t.Context(), repository.Tag("registry-janitor-index")); err != nil || head.MediaType != "application/vnd.oci.image.index.v1+json" {
		t.Errorf("%+v, %v", head, err)
	}
	const as = "rg.fr-par.scw.cloud/prod/again:v1"
	records := must(a.Records(t.Context()))
	_, err := restorer(a, p).Restore(t.Context(), records, records[0], must(parse(as)))
	check(t, err)
	if got := p.digest(as); got != digest || len(records) != 1 {
		t.Errorf("restored %q, want %q: %+v", got, digest, records)
	}
	if _, err := a.Purge(t.Context(), now.Add(31*24*time.Hour)); err != nil {
		t.Error(err)
	}
}

// Two processes record into one archive, as fast as they can.
func TestNoRecordIsLostWhereTwoProcessesWrite(t *testing.T) {
	folder := t.TempDir()
	var group errgroup.Group
	for i := range 2 {
		p := newPlane(t)
		p.push(api, image(1))
		digest := p.digest(api)
		c := archive.NewCopier(archive.New(folder, store.NewFolder(folder)), p.connect, options())
		for j := range 100 {
			group.Go(func() error {
				_, err := c.Copy(t.Context(), &actions.Step{Ref: fmt.Sprintf("rg.fr-par.scw.cloud/prod/api:%d-%d", i, j), Digest: digest, Reasons: []registry.Reason{{Rule: "a"}}})
				return err
			})
		}
	}
	check(t, group.Wait())
	if records := must(archive.New(folder, store.NewFolder(folder)).Records(t.Context())); len(records) != 200 {
		t.Errorf("%d records of 200", len(records))
	}
}

func TestWhatAnotherProcessRecordedStays(t *testing.T) {
	p := newPlane(t)
	ours, folder := newFolder(t)
	theirs := archive.New(folder, store.NewFolder(folder))
	p.push(api, image(1))
	p.push(other, image(1))
	copied(t, ours, p, api)
	copied(t, theirs, p, other)
	copied(t, ours, p, api)
	if records := must(ours.Records(t.Context())); len(records) != 2 {
		t.Errorf("%+v", records)
	}
}
