package archivist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/archive/target"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Open is the archive of a configuration. It sends no request.
func Open(c *config.Config, connection scaleway.Options) (*archive.Archive, error) {
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

// plane is the data plane of the registry, as newPlane makes it.
func plane(c *config.Config, connection scaleway.Options, newPlane func(oci.Options) *oci.Plane) (*oci.Plane, error) {
	reader, err := scaleway.NewReader(connection)
	if err != nil {
		return nil, err
	}
	login := reader.Login()
	address, err := login.RegistryURL(c.Scaleway.RegistryURL)
	if err != nil {
		return nil, err
	}
	return newPlane(oci.Options{URL: address, Password: login.SecretKey, UserAgent: connection.UserAgent, Base: login.Base}), nil
}

// NewCopier returns the Copier that a configuration asks for, for the steps of a plan; nil
// without an archive.
func NewCopier(c *config.Config, connection scaleway.Options, steps []actions.Step, o archive.CopierOptions) (*archive.Copier, error) {
	if c.Archive == nil {
		return nil, nil
	}
	to, err := Open(c, connection)
	if err != nil {
		return nil, err
	}
	from, err := plane(c, connection, oci.NewReader)
	if err != nil {
		return nil, err
	}
	selects, err := Selects(c, o.Now())
	if err != nil {
		return nil, err
	}
	o.Selects = selects(steps)
	o.Keep, o.Optional, o.Bandwidth = c.Archive.Keep.Duration(), !c.Archive.Required, c.Archive.BytesPerSecond()
	return archive.NewCopier(to, from.Connect, o), nil
}

// Restorations are what was restored from the archive, which rules leave alone: as its
// records say, and as a ledger recorded it, because the archive may be another one now, or
// not be mounted.
func Restorations(ctx context.Context, c *config.Config, connection scaleway.Options, recorded []ledger.Event) (registry.Restorations, error) {
	if c.Archive == nil || c.Archive.RestoredStay.Duration() == 0 {
		return nil, nil
	}
	records, err := records(ctx, c, connection)
	if err != nil {
		return nil, err
	}
	var all []registry.Restoration
	add := func(as, digest string, at time.Time) {
		if ref, err := registry.ParseRef(as); err == nil {
			all = append(all, registry.Restoration{Ref: ref, Digest: digest, At: at, Until: at.Add(c.Archive.RestoredStay.Duration())})
		}
	}
	for i := range records {
		for _, as := range records[i].RestoredAs {
			add(as, records[i].Digest, records[i].RestoredAt)
		}
	}
	for i := range recorded {
		add(recorded[i].Ref, recorded[i].Digest, recorded[i].At)
	}
	return registry.NewRestorations(all), nil
}

func records(ctx context.Context, c *config.Config, connection scaleway.Options) ([]archive.Record, error) {
	a, err := Open(c, connection)
	if err != nil {
		return nil, err
	}
	return a.Records(ctx)
}

// Events are those of what the archive holds of a reference, or of what is in it.
func Events(ctx context.Context, c *config.Config, connection scaleway.Options, ref string) ([]ledger.Event, error) {
	records, err := records(ctx, c, connection)
	if err != nil {
		return nil, err
	}
	var events []ledger.Event
	for _, r := range archive.Within(records, ref) {
		run, _ := strconv.ParseInt(r.Run, 10, 64)
		events = append(events, ledger.Event{At: r.DeletedAt, Ref: r.Ref, Kind: ledger.EventArchived, Run: run, Who: r.Who, Digest: r.Digest, Until: r.Until})
	}
	return events, nil
}

// State counts what the archive holds.
func State(ctx context.Context, c *config.Config, connection scaleway.Options) (runs.Archive, error) {
	a, err := Open(c, connection)
	if err != nil {
		return runs.Archive{}, err
	}
	return a.State(ctx)
}

// Purge removes what has expired in the archive, under the lock of the runs.
func Purge(ctx context.Context, c *config.Config, connection scaleway.Options, o recorder.Options) (purged archive.Purged, err error) {
	a, err := Open(c, connection)
	if err != nil {
		return archive.Purged{}, err
	}
	err = recorder.UnderLock(ctx, c, o, func(ctx context.Context, _ *ledger.Ledger) error {
		purged, err = a.Purge(ctx, o.Time())
		return err
	})
	return purged, err
}
