package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// How many runs are listed by default, and at most.
const (
	defaultRuns = 20
	maxRuns     = 1000
)

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	d := s.daemon.Status(r.Context())
	if d.Schedules == nil {
		d.Schedules = []runs.Schedule{}
	}
	writeJSON(w, http.StatusOK, d)
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
	list, err := s.daemon.Runs(r.Context(), limit)
	if err != nil {
		s.fail(w, err)
		return
	}
	if list == nil {
		list = []runs.Summary{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"runs": list})
}

// run answers with one run and its plan, as JSON or in a format of the reports.
func (s *server) run(w http.ResponseWriter, r *http.Request) {
	run, err := s.find(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	format := r.URL.Query().Get("format")
	if format == "" {
		writeJSON(w, http.StatusOK, run)
		return
	}
	s.report(w, *run, format)
}

// find is the run that a request names.
func (s *server) find(r *http.Request) (run *runs.Run, err error) {
	if id := r.PathValue("id"); id == "latest" {
		run, err = s.daemon.Latest(r.Context())
	} else {
		run, err = s.daemon.Run(r.Context(), id)
	}
	if err == nil && run == nil {
		err = fmt.Errorf("%w: no run has finished yet", ErrUnknownRun)
	}
	return run, err
}

// report renders a run as a command would print it.
func (s *server) report(w http.ResponseWriter, run runs.Run, name string) {
	i := slices.IndexFunc(s.views.Formats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range s.views.Formats {
			names = append(names, f.Name)
		}
		writeError(w, http.StatusBadRequest, fmt.Sprintf("format: want one of %q", names))
		return
	}
	if run.Plan == nil {
		writeError(w, http.StatusNotFound, "the run has no plan: "+run.Error)
		return
	}
	f := s.views.Formats[i]
	var b bytes.Buffer
	if err := f.Write(&b, run); err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", f.ContentType)
	if strings.HasPrefix(f.ContentType, "text/html") {
		// The page has its own style and script. The sandbox gives it an origin of its
		// own, so that it cannot act in the name of the daemon.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; sandbox allow-scripts; frame-ancestors 'none'")
	}
	_, _ = w.Write(b.Bytes())
}

// explainByPost refuses a GET, which any link on any page can send: an explanation
// calls the API.
func explainByPost(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	writeError(w, http.StatusMethodNotAllowed, "an explanation calls the API of the registry: use POST, with ref in the query or in a form")
}

// explain judges one object now, for a program or for the form of the page.
func (s *server) explain(w http.ResponseWriter, r *http.Request) {
	answer, err := s.answer(w, r)
	switch {
	case navigates(r) && err != nil:
		s.show(w, r, statusOf(err), runs.Overview{Explained: r.FormValue("ref"), Explanation: err.Error()})
	case err != nil:
		s.fail(w, err)
	case navigates(r):
		var texts []string
		for i := range answer.Explanations {
			texts = append(texts, answer.Explanations[i].Text)
		}
		s.show(w, r, http.StatusOK, runs.Overview{Explained: r.FormValue("ref"), Explanation: strings.Join(texts, "\n")})
	default:
		writeJSON(w, http.StatusOK, answer)
	}
}

// answer explains what a request names, one request at a time.
func (s *server) answer(w http.ResponseWriter, r *http.Request) (runs.Answer, error) {
	select {
	case s.explaining <- struct{}{}:
		defer func() { <-s.explaining }()
	default:
		w.Header().Set("Retry-After", "5")
		return runs.Answer{}, refusal{http.StatusTooManyRequests, "another explanation is in progress"}
	}
	answer, err := s.daemon.Explain(r.Context(), strings.TrimSpace(r.FormValue("ref")))
	if err != nil {
		return answer, err
	}
	for i := range answer.Explanations {
		e := &answer.Explanations[i]
		var text strings.Builder
		if err := s.views.Explain(&text, *e); err != nil {
			return answer, err
		}
		e.Text = text.String()
	}
	return answer, nil
}

// start starts a run.
func (s *server) start(kind runs.Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// A person confirms in the form; for a program the address is enough.
		if kind == runs.KindApply && isForm(r) && r.PostFormValue("confirm") != string(kind) {
			writeError(w, http.StatusBadRequest, `nothing was started: type "apply" to confirm`)
			return
		}
		switch err := s.daemon.Start(kind); {
		case navigates(r) && err != nil:
			s.show(w, r, statusOf(err), runs.Overview{Notice: "No " + string(kind) + " was started: " + err.Error() + "."})
		case err != nil:
			s.fail(w, err)
		case navigates(r):
			http.Redirect(w, r, "/", http.StatusSeeOther)
		default:
			writeJSON(w, http.StatusAccepted, map[string]runs.Kind{"started": kind})
		}
	}
}

func applyIsOff(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusForbidden, "runs that change the registry cannot be started over HTTP: the daemon runs without --web.enable-apply")
}

func (s *server) reload(w http.ResponseWriter, r *http.Request) {
	if err := s.daemon.Reload(r.Context()); err != nil {
		writeText(w, http.StatusInternalServerError, "the configuration could not be loaded, and the previous one stays in force:\n"+err.Error()+"\n")
		return
	}
	writeText(w, http.StatusOK, "the configuration is loaded\n")
}

// isForm reports whether a page sent the request; curl -d looks the same except for
// Sec-Fetch-Mode.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// navigates reports whether the form of a page sent the request, and the answer is
// the next page.
func navigates(r *http.Request) bool {
	return isForm(r) && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// refusal is an error with the status of its answer.
type refusal struct {
	status  int
	message string
}

func (r refusal) Error() string { return r.message }

func statusOf(err error) int {
	refused := refusal{}
	switch {
	case errors.As(err, &refused):
		return refused.status
	case errors.Is(err, ErrReference), errors.Is(err, ErrSignature):
		return http.StatusBadRequest
	case errors.Is(err, ErrBusy), errors.Is(err, ErrStandby):
		return http.StatusConflict
	case errors.Is(err, ErrUnknownRun), errors.Is(err, ErrUnknownPlan), errors.Is(err, registry.ErrNotFound):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// fail answers with an error.
func (s *server) fail(w http.ResponseWriter, err error) { writeError(w, statusOf(err), err.Error()) }

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded"}`)
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
