package text

import (
	"cmp"
	"time"
)

// Moment is a time to the second in a time zone, which it names: "2026-11-22
// 13:00:00 CET". Without a zone it is in UTC.
func Moment(at time.Time, zone *time.Location) string {
	return at.In(cmp.Or(zone, time.UTC)).Format("2006-01-02 15:04:05 MST")
}
