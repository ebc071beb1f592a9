package janitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/archive/target"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// OpenArchive is the archive of a configuration. It sends no request.
func OpenArchive(c *config.Config, connection scaleway.Options) (*archive.Archive, error) {
	if c.Archive == nil {
		return nil, errors.New("the configuration has no archive: set archive: {to: …} to copy tags before they are deleted")
	}
	t, err := c.ArchiveTarget()
	if err != nil {
		return nil, fmt.Errorf("archive.to %w", err)
	}
	var s store.Store
	switch t.Kind {
	case target.Bucket:
		s, err = store.NewBucket(t, os.Getenv)
	case target.Registry:
		var to oci.Connection
		if to, err = oci.Repository(t.Repository, passwordOf(connection), connection.UserAgent); err == nil {
			s = store.NewRepository(to.Repository, to.Puller, to.Pusher)
		}
	default:
		s = store.NewFolder(t.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the archive %s: %w", c.Archive.To, err)
	}
	return archive.New(c.Archive.To, s), nil
}

// passwordOf finds the secret key, with which clients log in to the registries.
func passwordOf(connection scaleway.Options) func() (string, error) {
	return func() (string, error) {
		reader, err := scaleway.NewReader(connection)
		if err != nil {
			return "", err
		}
		return reader.Login().SecretKey, nil
	}
}

// dataPlane is that of the registry, as newPlane makes it.
func dataPlane(c *config.Config, connection scaleway.Options, newPlane func(oci.Options) *oci.Plane) (*oci.Plane, error) {
	reader, err := scaleway.NewReader(connection)
	if err != nil {
		return nil, err
	}
	login := reader.Login()
	if c.Scaleway.RegistryURL == "" && login.APIURL != scaleway.APIURL {
		return nil, errors.New("the API is not that of the provider, so its registry is not known: set scaleway.registry_url")
	}
	return newPlane(oci.Options{URL: c.RegistryURL(), Password: login.SecretKey, UserAgent: connection.UserAgent, Base: login.Base}), nil
}

// readRestored reads what was restored from the archive, which rules leave alone.
func (p *Planner) readRestored(ctx context.Context) error {
	p.restored = nil
	if p.Config.Archive == nil || p.Config.Archive.RestoredStay.Duration() == 0 {
		return nil
	}
	a, err := OpenArchive(p.Config, p.connection)
	if err != nil {
		return err
	}
	records, err := a.Records(ctx)
	if err != nil {
		return err
	}
	p.restored = registry.NewRestorations(restorations(records, p.Config.Archive.RestoredStay.Duration()))
	return nil
}

func restorations(records []archive.Record, stay time.Duration) []registry.Restoration {
	var all []registry.Restoration
	for i := range records {
		r := &records[i]
		for _, as := range r.RestoredAs {
			if ref, err := registry.ParseRef(as); err == nil {
				all = append(all, registry.Restoration{Ref: ref, Digest: r.Digest, At: r.RestoredAt, Until: r.RestoredAt.Add(stay)})
			}
		}
	}
	return all
}

// restoredGap is the gap of an archive that cannot be read: any tag may be one that was
// restored. It is nil if it can be.
func (p *Planner) restoredGap(ctx context.Context) *registry.Gap {
	if err := p.readRestored(ctx); err != nil {
		return &registry.Gap{Subject: "archive", Error: err.Error() + ": what was restored is not known", Holds: registry.HoldsAll}
	}
	return nil
}

// newCopier is what copies tags before they are deleted in a run; nil without an archive.
func (a *ApplyRun) newCopier(visibilities *visibilities) (*archive.Copier, error) {
	c, connection := a.Session.Config, a.Session.o.Connection
	if c.Archive == nil {
		return nil, nil //nolint:nilnil // as documented
	}
	to, err := OpenArchive(c, connection)
	if err != nil {
		return nil, err
	}
	from, err := dataPlane(c, connection, oci.NewReader)
	if err != nil {
		return nil, err
	}
	selects, err := c.Archive.Selector()
	if err != nil {
		return nil, err
	}
	return archive.NewCopier(to, from.Connect, archive.CopierOptions{
		Run: a.recorder.id(), Who: a.Recorder.Who, Keep: c.Archive.Keep.Duration(), Optional: !c.Archive.Required,
		Selects: func(s *actions.Step) bool {
			return selects(registry.Ref{Region: s.Region, Namespace: s.Namespace, Image: s.Image, Tag: s.Tag}, a.Session.o.Now().Sub(s.UpdatedAt))
		},
		Visibility: visibilities.of, Bandwidth: c.Archive.BytesPerSecond(),
		Now: a.Session.o.Now, Logger: a.Log, Traffic: &a.Session.Progress.Archived,
	}), nil
}

// visibilities are those of the images that were judged last, for the records.
type visibilities struct {
	mu     sync.Mutex
	images map[registry.Ref]registry.Visibility
}

func (v *visibilities) note(img *registry.Image) {
	if v == nil || img == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.images == nil {
		v.images = map[registry.Ref]registry.Visibility{}
	}
	v.images[img.Ref()] = img.Visibility
}

func (v *visibilities) of(s *actions.Step) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return string(v.images[registry.Ref{Region: s.Region, Namespace: s.Namespace, Image: s.Image}])
}
