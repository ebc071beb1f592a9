package runs

// What a run does at the moment.
const (
	Starting = "starting"
	Waiting  = "waiting for another run to end"
	Asking   = "reading what is in use"
	Scanning = "scanning"
	Judging  = "judging" // what was recorded
	Applying = "applying"
	// Restoring is what restore does, which is not a run.
	Restoring = "restoring"
)

// Progress is how far a run is.
type Progress struct {
	Doing string `json:"doing"`
	// Done and Total count images that are judged, steps that have a result, or tags that were
	// tried. Total is 0 while it is not known.
	Done  int64 `json:"done"`
	Total int64 `json:"total,omitempty"`
	// Left is an estimate; 0 if there is none.
	Left Seconds `json:"seconds_left,omitempty"`

	Tags   int64 `json:"tags"`   // judged
	Marked int64 `json:"marked"` // for deletion
	Gaps   int64 `json:"gaps"`
	// Contents counts the digests whose content was read from the registry.
	Contents int64 `json:"contents,omitempty"`

	Failed  int64 `json:"failed"`                 // steps
	Watched int64 `json:"watched"`                // steps that are sent and not confirmed yet
	Copied  int64 `json:"copied_bytes,omitempty"` // into the archive, or back from it

	Waiting  int    `json:"waiting"` // requests that the rate limit of the API holds back now
	Waits    int64  `json:"waits"`   // how often it has
	Retries  int64  `json:"retries"`
	Retrying string `json:"retrying,omitempty"` // "page 3 of prod/api, 3/5"
}

// Percent is how much is done, if the total is known; 100 only at the end.
func (p Progress) Percent() (int, bool) {
	if p.Total <= 0 {
		return 0, false
	}
	return int(min(p.Done, p.Total) * 100 / p.Total), true
}
