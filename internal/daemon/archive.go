package daemon

import (
	"context"

	"github.com/robfig/cron/v3"

	"github.com/registry-janitor/registry-janitor/internal/archivist"
	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
)

// purgeAt is when the archive is purged, in the time zone of the configuration.
const purgeAt = "41 4 * * *"

// startPurging purges the archive of a setup once a day.
func (d *daemon) startPurging(ctx context.Context, s *setup, clock *cron.Cron) error {
	if s.config.Archive == nil {
		return nil
	}
	when, err := newCalendar(purgeAt, s.config.Timezone)
	if err != nil {
		return err
	}
	clock.Schedule(when, cron.FuncJob(func() { d.jobs.Go(func() { d.whenFree(ctx, func(s *setup) { d.purge(ctx, s) }) }) }))
	return nil
}

// purge removes what has expired in the archive, and shows what it holds.
func (d *daemon) purge(ctx context.Context, s *setup) {
	if s.config.Archive == nil { // another configuration was loaded
		return
	}
	connection := d.o.Session.Connection
	connection.Profile = s.config.Scaleway.Profile
	recording := recorder.Options{Who: d.o.Who, Program: d.program(), Wait: lockPatience, State: d.o.State, Now: d.o.Session.Now}
	err := bug.Contain(func() error {
		purged, err := archivist.Purge(ctx, s.config, connection, recording)
		if err == nil {
			d.log.Info("the archive was purged", "records", len(purged.Records), "blobs", purged.Blobs, "bytes", purged.Bytes)
		}
		return err
	})
	if err != nil {
		d.log.Error("the archive could not be purged", "error", err)
	}
	d.metrics.Purged(d.o.Session.Now(), err == nil)
	d.showArchive(ctx, s)
}

// showArchive shows what the archive holds in the metrics.
func (d *daemon) showArchive(ctx context.Context, s *setup) {
	if s.config.Archive == nil {
		return
	}
	connection := d.o.Session.Connection
	connection.Profile = s.config.Scaleway.Profile
	state, err := archivist.State(ctx, s.config, connection)
	if err != nil {
		d.log.Error("the archive cannot be read", "error", err)
		return
	}
	d.metrics.SetArchive(state)
}
