package report

import "time"

// Daemon is how a daemon stands: what its page shows beside its latest run.
type Daemon struct {
	Version string
	Started time.Time
	Now     time.Time
	// Leads says whether this process works, or stands by until the one that works
	// is gone; Leader names that one, as far as it is known.
	Leads  bool
	Leader string
	// Running is the run that is going on; nil between runs.
	Running *Running
	Reload  Reload
	// Schedules are in the order of the configuration.
	Schedules []Schedule
	// Runs are the latest ones, newest first.
	Runs []RunSummary
	// MayPlan and MayApply say which runs may be started over HTTP.
	MayPlan, MayApply bool
}

// Running is a run that is going on.
type Running struct {
	Kind, Trigger string
	Started       time.Time
	Images, Tags  int64 // judged so far
}

// Reload is what became of the last attempt to load the configuration.
type Reload struct {
	At    time.Time
	Error string // "" if it was loaded
}

// Schedule is when the daemon does something.
type Schedule struct {
	Name string // unique among the schedules
	Cron, Timezone,
	Do string // plan or apply
	Jitter  time.Duration
	Next    time.Time // without the jitter
	Last    time.Time // when its last run began; zero before the first
	LastRun string    // ID of that run
	Skipped int       // how often it was due while a run was going on
}

// RunSummary is one run in the history.
type RunSummary struct {
	ID            string
	Kind, Trigger string
	Started       time.Time
	Duration      time.Duration
	Exit          int
	Error         string
	// What was judged, and what came of it.
	Tags, Steps, Held, Violations, Gaps int
	Bytes                               uint64 // of images; 0 where it is not known
	// Done, Failed and Skipped count steps of a run that applied.
	Done, Failed, Skipped int
}
