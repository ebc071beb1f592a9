package browser

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Daemon is a made-up daemon, which the HTTP server of the program serves.
type Daemon struct {
	mu     sync.Mutex
	status runs.Daemon
	latest *runs.Run
}

// NewDaemon makes a daemon with a state and a latest run, which may be nil.
func NewDaemon(status runs.Daemon, latest *runs.Run) *Daemon {
	return &Daemon{status: status, latest: latest}
}

// Change changes the state and the latest run.
func (d *Daemon) Change(change func(status *runs.Daemon, latest **runs.Run)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.status, &d.latest)
}

// Handler serves the daemon as the program does.
func (d *Daemon) Handler() http.Handler {
	v := web.Views{Page: page.Daemon, Updates: page.Updates, Assets: page.Assets(), Explain: func(w io.Writer, e runs.Explanation) error {
		return report.Explain(w, e, report.TextOptions{})
	}}
	for _, f := range report.Formats() {
		v.Formats = append(v.Formats, web.Format{Name: string(f), ContentType: f.ContentType(), Write: func(w io.Writer, run runs.Run) error {
			return report.Write(w, f, run, report.TextOptions{})
		}})
	}
	return web.Handler(d, v, web.HandlerOptions{EnableApply: true})
}

// Status returns the state.
func (d *Daemon) Status(context.Context) runs.Daemon { return d.InMemory() }

// InMemory returns the state.
func (d *Daemon) InMemory() runs.Daemon {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status
}

// Ready is nil.
func (d *Daemon) Ready() error { return nil }

// Latest returns the latest run.
func (d *Daemon) Latest(context.Context) (*runs.Run, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.latest, nil
}

// Runs returns the history.
func (d *Daemon) Runs(_ context.Context, limit int) ([]runs.Summary, error) {
	list := d.InMemory().Runs
	return list[:min(limit, len(list))], nil
}

// Run returns the latest run under any ID that the history has.
func (d *Daemon) Run(ctx context.Context, id string) (*runs.Run, error) {
	for _, s := range d.InMemory().Runs {
		if s.ID == id {
			run, err := d.Latest(ctx)
			earlier := *run
			earlier.ID, earlier.Started = id, s.Started
			return &earlier, err
		}
	}
	return nil, fmt.Errorf("%w: %q", web.ErrUnknownRun, id)
}

// SignedBytes finds no plan: the made-up runs are not signed.
func (d *Daemon) SignedBytes(_ context.Context, plan string) ([]byte, error) {
	return nil, fmt.Errorf("%w: %q", web.ErrUnknownPlan, plan)
}

// Approve finds no plan.
func (d *Daemon) Approve(_ context.Context, plan string, _ []byte) (*runs.Approvals, error) {
	return nil, fmt.Errorf("%w: %q", web.ErrUnknownPlan, plan)
}

// Start refuses a run while one is in progress.
func (d *Daemon) Start(runs.Kind) error {
	if d.InMemory().Running != nil {
		return web.ErrBusy
	}
	return nil
}

// Reload does nothing.
func (d *Daemon) Reload(context.Context) error { return nil }

// Explain keeps every tag by one rule.
func (d *Daemon) Explain(_ context.Context, named string) (runs.Answer, error) {
	ref, err := registry.ParseRef(named)
	if err != nil {
		return runs.Answer{}, fmt.Errorf("%w: %w", web.ErrReference, err)
	}
	ns := &registry.Namespace{Region: ref.Region, Name: ref.Namespace, Status: registry.StatusReady}
	image := &registry.Image{Namespace: ns, Name: ref.Image, Status: registry.StatusReady, Tags: []registry.Tag{
		{Name: ref.Tag, Digest: digest(1), Status: registry.StatusReady, CreatedAt: Noon.Add(-9 * day), UpdatedAt: Noon.Add(-9 * day)},
	}}
	keep := []registry.Reason{{Rule: "retention/releases", Text: "kept"}}
	verdict := &registry.Verdict{Namespace: ns, Image: image, Tags: []registry.TagVerdict{{Keep: keep}}}
	return runs.Answer{Explanations: []runs.Explanation{{Ref: ref, Plan: &actions.Plan{TakenAt: Noon}, Verdict: verdict}}}, nil
}
