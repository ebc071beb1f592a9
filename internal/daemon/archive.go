package daemon

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archivist"
	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// purgeAt is when the archive is purged, in the time zone of the configuration.
const purgeAt = "41 4 * * *"

// readEvery is how often the daemon reads what the archive holds besides at its start,
// after runs and after purges: other processes restore and purge too.
const readEvery = time.Hour

// watchArchive shows what the archive of a setup holds, and purges it once a day.
func (d *daemon) watchArchive(ctx context.Context, s *setup, clock *cron.Cron) error {
	show := func() { d.jobs.Go(func() { d.showArchive(ctx) }) }
	show() // also that there is none any more
	if s.config.Archive == nil {
		return nil
	}
	when, err := newCalendar(purgeAt, s.config.Timezone)
	if err != nil {
		return err
	}
	clock.Schedule(when, cron.FuncJob(func() { d.jobs.Go(func() { d.whenFree(ctx, func(s *setup) { d.purge(ctx, s) }) }) }))
	clock.Schedule(cron.Every(readEvery), cron.FuncJob(show))
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
	d.showArchive(ctx)
}

// showArchive shows what the archive holds in the metrics, or that it cannot be read. A
// reading that another setup overtook counts for nothing: that one has its own.
func (d *daemon) showArchive(ctx context.Context) {
	d.reading.Lock()
	defer d.reading.Unlock()
	s := d.current()
	if s.config.Archive == nil {
		d.metrics.ForgetArchive()
		return
	}
	connection := d.o.Session.Connection
	connection.Profile = s.config.Scaleway.Profile
	var state runs.Archive
	err := bug.Contain(func() (err error) {
		state, err = archivist.State(ctx, s.config, connection)
		return err
	})
	switch {
	case ctx.Err() != nil || d.current() != s:
	case err != nil:
		d.log.Error("the archive cannot be read", "error", err)
		d.metrics.ArchiveUnread()
	default:
		d.metrics.SetArchive(state, d.o.Session.Now())
	}
}

// metricsHandler serves the metrics. It counts the restorations for each scrape, because
// other processes make them.
func (d *daemon) metricsHandler() http.Handler {
	serve := d.metrics.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.current().config.Archive != nil {
			d.showRestores(r.Context())
		}
		serve.ServeHTTP(w, r)
	})
}

// showRestores shows the restorations that the ledger has, or that of the state
// directory. The counts of an earlier scrape stay if it cannot be read, as those of a
// counter may.
func (d *daemon) showRestores(ctx context.Context) {
	l, c := d.openLedger(), d.current().config
	if l == nil && c.LedgerDSN() != "" { // it cannot be reached, which the log has
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	var counts map[actions.Result]int64
	var err error
	switch {
	case l != nil:
		counts, err = l.Restores(ctx)
	case ledger.MayExist(d.o.State.Ledger()):
		counts, err = d.restoresInState(ctx, c)
	}
	if err != nil {
		d.log.Warn("the restorations in the ledger cannot be counted", "error", err)
		return
	}
	d.metrics.SetRestores(counts)
}

func (d *daemon) restoresInState(ctx context.Context, c *config.Config) (map[actions.Result]int64, error) {
	l, err := recorder.LedgerOf(ctx, c, d.o.State)
	if err != nil {
		return nil, err
	}
	counts, err := l.Restores(ctx)
	return counts, errors.Join(err, l.Close())
}
