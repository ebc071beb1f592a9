package runs

import "time"

// Daemon is the state of a daemon. Its JSON leaves out what other answers of the
// API have.
type Daemon struct {
	Version string    `json:"version"`
	Started time.Time `json:"started,omitzero"`
	Now     time.Time `json:"-"`
	// Leads reports whether this process does the work; the others wait to take over.
	Leads bool `json:"leads"`
	// Leader names the process that does the work; "" if it is not known.
	Leader string `json:"leader,omitempty"`
	// Running is the run in progress; nil between runs.
	Running *Running `json:"running"`
	Reload  Reload   `json:"reload"`
	// Schedules are in the order of the configuration.
	Schedules []Schedule `json:"schedules"`
	// Runs are the latest ones, newest first.
	Runs []Summary `json:"-"`
	// Zone is where people read times; nil means UTC.
	Zone *time.Location `json:"-"`
	// Archive is archive.to of the configuration; "" without an archive.
	Archive string `json:"-"`
	// Changes counts what happened to the daemon: runs that began and ended, reloads,
	// and changes of its role.
	Changes int `json:"-"`
	// MayPlan and MayApply report which runs may be started over HTTP.
	MayPlan  bool `json:"-"`
	MayApply bool `json:"-"`
}

// Overview is what the page of a daemon shows.
type Overview struct {
	Daemon
	// Run is the latest run, or the one that the reader asked for; nil if there is none.
	Run *Run
	// Earlier reports that the reader asked for the run.
	Earlier bool
	// Notice explains why a request of the reader was not carried out.
	Notice string
	// Explained is the reference that the reader asked about, and Explanation what is
	// known of it, in words.
	Explained, Explanation string
	// Formats are those in which the run can be had.
	Formats []string
}

// Running is a run in progress.
type Running struct {
	Kind    Kind      `json:"kind"`
	Trigger string    `json:"trigger"`
	Started time.Time `json:"started"`
	Images  int64     `json:"images"` // judged so far
	Tags    int64     `json:"tags"`
	// Expected is how many images the plan before it judged; 0 if there is none.
	Expected int64 `json:"expected_images,omitempty"`
	// Applying is when the run began to carry out its plan; zero before that.
	Applying time.Time `json:"applying,omitzero"`
	Steps    int64     `json:"steps,omitempty"`    // of that plan
	Finished int64     `json:"finished,omitempty"` // with any result
	Failed   int64     `json:"failed,omitempty"`
}

// Reload is the last attempt to load the configuration.
type Reload struct {
	At    time.Time `json:"at,omitzero"`
	Error string    `json:"error,omitempty"` // "" if it was loaded
}

// Schedule is when the daemon does something.
type Schedule struct {
	Name     string    `json:"name"` // unique among the schedules
	Cron     string    `json:"cron"`
	Timezone string    `json:"timezone"`
	Do       Kind      `json:"do"`
	Jitter   Seconds   `json:"jitter_seconds,omitempty"`
	Next     time.Time `json:"next,omitzero"`      // without the jitter
	Last     time.Time `json:"last,omitzero"`      // when its last run began
	LastRun  string    `json:"last_run,omitempty"` // ID of that run
	Skipped  int       `json:"skipped"`            // how often it was due during a run
}
