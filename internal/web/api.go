package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/registry"
)

// How many runs are listed, unless the request says otherwise.
const (
	defaultRuns = 20
	maxRuns     = 1000
)

// page shows the latest run, and how the daemon stands.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	latest, err := s.daemon.Latest(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	var b bytes.Buffer
	if err := report.DaemonPage(&b, s.daemon.Status(r.Context()), latest, "/assets/"); err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, statusOf(s.daemon.Status(r.Context())))
}

func (s *server) runs(w http.ResponseWriter, r *http.Request) {
	limit := defaultRuns
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxRuns {
			writeError(w, http.StatusBadRequest, fmt.Sprintf("limit: want a number from 1 to %d", maxRuns))
			return
		}
		limit = n
	}
	runs, err := s.daemon.Runs(r.Context(), limit)
	if err != nil {
		s.fail(w, err)
		return
	}
	out := make([]runJSON, len(runs))
	for i := range runs {
		out[i] = summaryOf(&runs[i])
	}
	writeJSON(w, http.StatusOK, map[string]any{"runs": out})
}

// run shows one run with its plan, as JSON or in another format of the reports.
func (s *server) run(w http.ResponseWriter, r *http.Request) {
	var run *report.Run
	var err error
	if id := r.PathValue("id"); id == "latest" {
		run, err = s.daemon.Latest(r.Context())
	} else {
		run, err = s.daemon.Run(r.Context(), id)
	}
	if err == nil && run == nil {
		err = fmt.Errorf("%w: there is none yet", ErrUnknownRun)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	format := r.URL.Query().Get("format")
	if format == "" {
		writeJSON(w, http.StatusOK, runDetails(run))
		return
	}
	s.report(w, *run, report.Format(format))
}

// report renders a run as a command would print it.
func (s *server) report(w http.ResponseWriter, run report.Run, format report.Format) {
	kind, known := contentTypes()[format]
	if !known {
		writeError(w, http.StatusBadRequest, fmt.Sprintf("format: want one of %q", report.Formats()))
		return
	}
	if run.Plan == nil {
		writeError(w, http.StatusNotFound, "the run has no plan: "+run.Error)
		return
	}
	var b bytes.Buffer
	if err := report.Write(&b, format, run, report.TextOptions{}); err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	if format == "html" {
		// It carries its own style and script. The sandbox gives it an origin of its own,
		// so that it can do nothing in the name of the daemon.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; sandbox allow-scripts; frame-ancestors 'none'")
	}
	_, _ = w.Write(b.Bytes())
}

func contentTypes() map[report.Format]string {
	types := map[report.Format]string{}
	for _, f := range report.Formats() {
		switch f {
		case "json":
			types[f] = "application/json"
		case "html":
			types[f] = "text/html; charset=utf-8"
		case "junit":
			types[f] = "application/xml"
		case "markdown":
			types[f] = "text/markdown; charset=utf-8"
		default:
			types[f] = "text/plain; charset=utf-8"
		}
	}
	return types
}

// explain judges one object now. Each asks the API, so there is one at a time.
func (s *server) explain(w http.ResponseWriter, r *http.Request) {
	ref, err := registry.ParseRef(r.URL.Query().Get("ref"))
	if err != nil {
		writeError(w, http.StatusBadRequest, "ref: "+err.Error())
		return
	}
	select {
	case s.explaining <- struct{}{}:
		defer func() { <-s.explaining }()
	default:
		w.Header().Set("Retry-After", "5")
		writeError(w, http.StatusTooManyRequests, "another explanation is being made")
		return
	}
	e, err := s.daemon.Explain(r.Context(), ref)
	if err != nil {
		s.fail(w, err)
		return
	}
	if e.Plan == nil && e.Verdict == nil && e.Note == "" {
		writeError(w, http.StatusNotFound, ref.String()+" was not found")
		return
	}
	out, err := explanationOf(e)
	if err != nil {
		s.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// start starts a run of a kind.
func (s *server) start(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// Who asks by a form has typed it; a program says it by its address.
		if kind == "apply" && isForm(r) && r.PostFormValue("confirm") != kind {
			writeError(w, http.StatusBadRequest, `nothing was started: type "apply" to confirm`)
			return
		}
		if err := s.daemon.Start(kind); err != nil {
			s.fail(w, err)
			return
		}
		if isForm(r) && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		writeJSON(w, http.StatusAccepted, map[string]string{"started": kind})
	}
}

func applyIsOff(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusForbidden, "no run that changes the registry is started over HTTP: --web.enable-apply was not given")
}

func (s *server) reload(w http.ResponseWriter, r *http.Request) {
	if err := s.daemon.Reload(r.Context()); err != nil {
		writeText(w, http.StatusInternalServerError, "the configuration is not loaded, and the one before stays in force:\n"+err.Error()+"\n")
		return
	}
	writeText(w, http.StatusOK, "the configuration is loaded\n")
}

// isForm reports whether the request is what a page sends; curl -d looks the same,
// but for Sec-Fetch-Mode.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// fail answers with what went wrong.
func (s *server) fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrBusy), errors.Is(err, ErrStandby):
		status = http.StatusConflict
	case errors.Is(err, ErrUnknownRun), errors.Is(err, registry.ErrNotFound):
		status = http.StatusNotFound
	}
	writeError(w, status, err.Error())
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// runJSON is a run in the history.
type runJSON struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind"`
	Trigger    string    `json:"trigger"`
	Started    time.Time `json:"started,omitzero"`
	Seconds    float64   `json:"duration_seconds"`
	Exit       int       `json:"exit"`
	Error      string    `json:"error,omitempty"`
	Tags       int       `json:"tags"`
	Steps      int       `json:"steps"`
	Held       int       `json:"held"`
	Violations int       `json:"violations"`
	Gaps       int       `json:"gaps"`
	Bytes      uint64    `json:"bytes,omitempty"`
	Done       int       `json:"done"`
	Failed     int       `json:"failed"`
	Skipped    int       `json:"skipped"`
}

func summaryOf(r *report.RunSummary) runJSON {
	return runJSON{
		ID: r.ID, Kind: r.Kind, Trigger: r.Trigger, Started: r.Started, Seconds: r.Duration.Seconds(), Exit: r.Exit, Error: r.Error,
		Tags: r.Tags, Steps: r.Steps, Held: r.Held, Violations: r.Violations, Gaps: r.Gaps, Bytes: r.Bytes,
		Done: r.Done, Failed: r.Failed, Skipped: r.Skipped,
	}
}

// detailsJSON is a run with its plan.
type detailsJSON struct {
	runJSON
	Plan json.RawMessage `json:"plan"` // null where the run made none
}

func runDetails(r *report.Run) detailsJSON {
	summary := r.Summary()
	return detailsJSON{summaryOf(&summary), planJSON(r.Plan)}
}

func planJSON(p *actions.Plan) json.RawMessage {
	var b bytes.Buffer
	if p == nil || p.Encode(&b) != nil {
		return json.RawMessage("null")
	}
	return b.Bytes()
}
