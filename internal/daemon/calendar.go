package daemon

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// calendar is when a cron expression is due by the clock on the wall of a time zone.
// Every time on that clock counts once, also where daylight saving time begins or
// ends: of one that the clock shows twice, the first; for those that it skips, the
// moment at which it skips them.
type calendar struct {
	wall cron.Schedule // on a clock that never changes
	zone *time.Location
}

// newCalendar reads a cron expression. The intervals of @every have no wall clock.
func newCalendar(expression, zone string) (cron.Schedule, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone %q: %w", zone, err)
	}
	wall, err := cron.ParseStandard("CRON_TZ=UTC " + expression)
	if _, interval := wall.(cron.ConstantDelaySchedule); interval || err != nil {
		return wall, err
	}
	return calendar{wall, location}, nil
}

// Next is the first time after t at which the schedule is due, and zero if there is
// none.
func (c calendar) Next(t time.Time) time.Time {
	_, offset := t.In(c.zone).Zone()
	shown := t.UTC().Add(time.Duration(offset) * time.Second)
	for {
		if shown = c.wall.Next(shown); shown.IsZero() {
			return shown
		}
		if at := c.first(shown); at.After(t) {
			return at.In(t.Location())
		}
	}
}

// first is the first moment at which the clock shows a time, given as if in UTC, or a
// later one. Between two changes the clock has one offset from UTC, so first goes
// from change to change.
func (c calendar) first(shown time.Time) time.Time {
	at := shown.Add(-24 * time.Hour).In(c.zone) // earlier in every zone
	for {
		begins, ends := at.ZoneBounds()
		_, offset := at.Zone()
		moment := shown.Add(-time.Duration(offset) * time.Second)
		switch {
		case moment.Before(begins):
			return begins
		case ends.IsZero() || moment.Before(ends):
			return moment
		}
		at = ends
	}
}
