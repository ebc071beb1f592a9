package web

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// The reasons for which a daemon refuses a request. An error that wraps one of them
// is the answer.
var (
	// ErrBusy: a run is in progress.
	ErrBusy = errors.New("a run is in progress")
	// ErrStandby: another daemon does the work.
	ErrStandby = errors.New("this daemon is on standby")
	// ErrUnknownRun: the run does not exist, or was forgotten.
	ErrUnknownRun = errors.New("no such run")
	// ErrUnknownPlan: the plan does not exist, or was forgotten.
	ErrUnknownPlan = errors.New("no such plan")
	// ErrSignature: the signature does not count.
	ErrSignature = errors.New("nothing was recorded")
	// ErrReference: what was named is not a reference.
	ErrReference = errors.New("ref")
)

// Daemon is what is served. Its methods are called concurrently.
type Daemon interface {
	State
	History
	Control
}

// State is the state of the daemon.
type State interface {
	Status(ctx context.Context) runs.Daemon
	// InMemory is the part of the status that needs nothing but this process: without the
	// leader, and without runs.
	InMemory() runs.Daemon
	// Ready is why the daemon cannot work; nil if it can.
	Ready() error
}

// History is what the daemon has done. The ID of a run is any text.
type History interface {
	// Latest is the last run that finished; nil before the first.
	Latest(ctx context.Context) (*runs.Run, error)
	Runs(ctx context.Context, limit int) ([]runs.Summary, error)
	Run(ctx context.Context, id string) (*runs.Run, error)
	// SignedBytes are what approvers of a plan sign, by its ID.
	SignedBytes(ctx context.Context, plan string) ([]byte, error)
}

// Control is what the daemon does on request.
type Control interface {
	// Start starts a run, and does not wait for it.
	Start(kind runs.Kind) error
	Reload(ctx context.Context) error
	// Approve adds a signature to a plan, and returns its approvals.
	Approve(ctx context.Context, plan string, signature []byte) (*runs.Approvals, error)
	// Explain explains what a person named. The error wraps ErrReference if that cannot
	// be read.
	Explain(ctx context.Context, named string) (runs.Answer, error)
}

// Views render what people see.
type Views struct {
	// Page writes the page of a daemon. It asks for the files of Assets under the path
	// assets.
	Page   func(w io.Writer, o runs.Overview, assets string) error
	Assets fs.FS
	// Updates writes the parts of the page that change while it is open.
	Updates func(w io.Writer, d runs.Daemon) error
	// MostKept is how many tags a registry may have for the page to list those that are
	// kept.
	MostKept int
	// Explain writes an explanation as text.
	Explain func(w io.Writer, e runs.Explanation) error
	// Formats are those in which a run with a plan can be had.
	Formats []Format
}

// Format is a format of reports.
type Format struct {
	Name, ContentType string
	Write             func(w io.Writer, run runs.Run) error
}

// HandlerOptions configure what is served besides the daemon, and to whom.
type HandlerOptions struct {
	// Metrics answers /metrics; nil answers 404.
	Metrics http.Handler
	// Hosts are the host names that requests may use besides those of this machine;
	// nil allows any. Without them, a site could let its own name lead here, and its
	// pages could send requests with the rights of their readers.
	Hosts []string
	// EnableApply lets a POST start a run that changes the registry.
	EnableApply bool
}

// Handler serves a daemon.
func Handler(d Daemon, v Views, o HandlerOptions) http.Handler {
	s := &server{daemon: d, views: v, explaining: make(chan struct{}, 1), watching: make(chan struct{}, maxWatching)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /runs/{id}", s.runPage)
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", uncached(http.FileServerFS(v.Assets))))
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	mux.HandleFunc("GET /-/healthy", s.healthy)
	mux.HandleFunc("GET /-/ready", s.ready)
	mux.HandleFunc("POST /-/reload", s.reload)
	mux.HandleFunc("GET /api/v1/status", s.status)
	mux.HandleFunc("GET /api/v1/events", s.events)
	mux.HandleFunc("GET /api/v1/runs", s.runs)
	mux.HandleFunc("GET /api/v1/runs/{id}", s.run)
	mux.HandleFunc("GET /api/v1/plans/{id}", s.signed)
	mux.HandleFunc("POST /api/v1/plans/{id}/signatures", s.approve)
	mux.HandleFunc("POST /api/v1/explain", s.explain)
	mux.HandleFunc("GET /api/v1/explain", explainByPost)
	mux.HandleFunc("POST /api/v1/plan", s.start(runs.KindPlan))
	if o.EnableApply {
		mux.HandleFunc("POST /api/v1/apply", s.start(runs.KindApply))
	} else {
		mux.HandleFunc("POST /api/v1/apply", applyIsOff)
	}
	return guard(knownHosts(mux, o.Hosts))
}

// server answers for one daemon.
type server struct {
	daemon Daemon
	views  Views
	// explaining has room for one explanation at a time, since each calls the API.
	explaining chan struct{}
	// watching has room for the pages that are kept up to date.
	watching chan struct{}
}

func uncached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

func (s *server) healthy(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, "healthy\n")
}

func (s *server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.daemon.Ready(); err != nil {
		writeText(w, http.StatusServiceUnavailable, err.Error()+"\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}
