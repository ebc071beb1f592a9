package daemon

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Daylight saving time begins or ends on each of these days.
func TestAScheduleIsDueOnceWhereTheClockChanges(t *testing.T) {
	tests := []struct {
		name, zone, cron string
		day              string
		want             []string // local times with their offsets, from midnight to midnight
	}{
		{"a time that is skipped comes right after", "Europe/Paris", "30 2 * * *", "2027-03-28", []string{"03:00+02:00"}},
		{"a time that is repeated comes once", "Europe/Paris", "30 2 * * *", "2027-10-31", []string{"02:30+02:00"}},
		{"two skipped times are one run", "Europe/Paris", "0,30 2 * * *", "2027-03-28", []string{"03:00+02:00"}},
		{"a skipped time and the next one are one run", "Europe/Paris", "30 2,3 * * *", "2027-03-28", []string{"03:00+02:00", "03:30+02:00"}},
		{"a skipped time that meets the next one is one run", "Europe/Paris", "0 2,3 * * *", "2027-03-28", []string{"03:00+02:00"}},
		{"every half hour, nothing is missing", "Europe/Paris", "*/30 1-3 * * *", "2027-03-28", []string{"01:00+01:00", "01:30+01:00", "03:00+02:00", "03:30+02:00"}},
		{"every half hour, nothing is repeated", "Europe/Paris", "*/30 1-3 * * *", "2027-10-31", []string{"01:00+02:00", "01:30+02:00", "02:00+02:00", "02:30+02:00", "03:00+01:00", "03:30+01:00"}},
		{"the first moment after the change", "Europe/Paris", "0 3 * * *", "2027-03-28", []string{"03:00+02:00"}},
		{"a skipped Sunday morning", "Europe/Paris", "15 2 * * sun", "2027-03-28", []string{"03:00+02:00"}},
		{"in New York", "America/New_York", "30 2 * * *", "2027-03-14", []string{"03:00-04:00"}},
		{"in New York, in autumn", "America/New_York", "30 1 * * *", "2027-11-07", []string{"01:30-04:00"}},
		{"half an hour is skipped on Lord Howe", "Australia/Lord_Howe", "15 2 * * *", "2027-10-03", []string{"02:30+11:00"}},
		{"half an hour is repeated on Lord Howe", "Australia/Lord_Howe", "45 1 * * *", "2027-04-04", []string{"01:45+11:00"}},
		{"midnight does not exist in Beirut", "Asia/Beirut", "@daily", "2027-03-28", []string{"01:00+03:00"}},
		{"the hour before midnight is repeated in Beirut", "Asia/Beirut", "30 23 * * *", "2027-10-30", []string{"23:30+03:00"}},
		{"the day after it begins once in Beirut", "Asia/Beirut", "@daily", "2027-10-31", []string{"00:00+02:00"}},
		{"midnight does not exist in Santiago", "America/Santiago", "@daily", "2027-09-05", []string{"01:00-03:00"}},
		{"a day of the week that begins without midnight", "America/Santiago", "@weekly", "2027-09-05", []string{"01:00-03:00"}},
		{"midnight is repeated in Havana", "America/Havana", "@midnight", "2027-11-07", []string{"00:00-04:00"}},
		{"UTC has no daylight saving time", "UTC", "30 2 * * *", "2027-03-28", []string{"02:30Z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, dueOn(t, tt.cron, tt.zone, tt.day)); diff != "" {
				t.Errorf("%s in %s on %s (-want +got):\n%s", tt.cron, tt.zone, tt.day, diff)
			}
		})
	}
}

// dueOn lists when a schedule is due on a day of its zone.
func dueOn(t *testing.T, expression, zone, day string) []string {
	t.Helper()
	when, err := newCalendar(expression, zone)
	if err != nil {
		t.Fatal(err)
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	noon, err := time.ParseInLocation("2006-01-02 15:04", day+" 12:00", location)
	if err != nil {
		t.Fatal(err)
	}
	var due []string
	for at := when.Next(noon.AddDate(0, 0, -2)); at.Before(noon.AddDate(0, 0, 2)); at = when.Next(at) {
		if local := at.In(location); local.Format("2006-01-02") == day {
			due = append(due, local.Format("15:04Z07:00"))
		}
	}
	return due
}

func TestADailyScheduleIsDueOnceADay(t *testing.T) {
	for _, zone := range []string{"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/Havana", "Africa/Casablanca"} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			expression := fmt.Sprintf("%d %d * * *", rand.IntN(60), rand.IntN(24))
			when, err := newCalendar(expression, zone)
			if err != nil {
				t.Fatal(err)
			}
			day := time.Date(2027, 1, 1, 12, 0, 0, 0, location)
			at := time.Date(2026, 12, 31, 23, 59, 59, 0, location)
			for range 365 {
				at = when.Next(at)
				if got, want := at.In(location).Format(time.DateOnly), day.Format(time.DateOnly); got != want {
					t.Fatalf("%s in %s is due at %s: want a time on %s", expression, zone, at.In(location), want)
				}
				day = day.AddDate(0, 0, 1)
			}
		}
	}
}

func TestIntervalsIgnoreTheClock(t *testing.T) {
	when, err := newCalendar("@every 90m", "Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2027, 3, 28, 0, 30, 0, 0, time.UTC) // half an hour before the change
	if got := when.Next(at).Sub(at); got != 90*time.Minute {
		t.Errorf("the next time is %s later: want 90m", got)
	}
}
