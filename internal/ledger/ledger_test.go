package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childDSN); dsn != "" {
		if path := os.Getenv(importFile); path != "" {
			importMain(dsn, path)
		} else {
			childMain(dsn)
		}
		return
	}
	code := m.Run()
	if shared.server != nil {
		shared.server.close()
	}
	os.Exit(code)
}

// databases are those that every conformance test runs on; dsn makes the DSN of an
// empty ledger.
var databases = []struct {
	name string
	dsn  func(testing.TB) string
}{
	{"sqlite", func(t testing.TB) string { return filepath.Join(t.TempDir(), "state", "led?ger #1%20.db") }},
	{"postgres", postgres},
}

// onEach runs a test on both databases.
func onEach(t *testing.T, test func(t *testing.T, dsn string)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			test(t, d.dsn(t))
		})
	}
}

// calendar is a clock that moves by a second each time it is read.
type calendar struct {
	mu  sync.Mutex
	now time.Time
}

func (c *calendar) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Second)
	return c.now
}

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, dsn string) *Ledger {
	t.Helper()
	return openWith(t, dsn, Options{Who: "ada@build-7", Program: "registry-janitor 1.2.0", Now: (&calendar{now: start}).Now})
}

func openWith(t testing.TB, dsn string, o Options) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func mustLock(t testing.TB, l *Ledger) *Lock {
	t.Helper()
	lock, err := l.Lock(t.Context(), 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func begin(t testing.TB, l *Ledger, kind runs.Kind) *Run {
	t.Helper()
	if kind == runs.KindApply && l.held() == nil {
		mustLock(t, l)
	}
	r, err := l.Begin(t.Context(), RunInfo{Kind: kind, ConfigDigest: "sha256:c", PolicyDigest: "sha256:p"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ref(tag string) string { return "rg.fr-par.scw.cloud/prod/api:" + tag }

func step(tag string) actions.Step {
	return actions.Step{
		Action: actions.DeleteTag, Ref: ref(tag), Region: "fr-par", Namespace: "prod", Image: "api", Tag: tag,
		ID: "id-" + tag, Digest: fmt.Sprintf("sha256:%x", tag), UpdatedAt: start.Add(-time.Hour), Reasons: reasons(),
	}
}

func reasons() []registry.Reason {
	return []registry.Reason{{Rule: "retention/pull request builds", Text: "older than 14d"}}
}

func result(tag string, r actions.Result) actions.StepResult {
	return actions.StepResult{Ref: ref(tag), Action: actions.DeleteTag, Result: r, Detail: "detail of " + tag}
}

// plan makes a plan with steps and held entries of the given tags.
func planOf(t testing.TB, at time.Time, steps []string, held ...actions.Held) *actions.Plan {
	t.Helper()
	ns := &registry.Namespace{ID: "n", Name: "prod", Region: "fr-par", Status: registry.StatusReady}
	img := &registry.Image{Namespace: ns, ID: "i", Name: "api", Status: registry.StatusReady}
	v := registry.Verdict{Namespace: ns, Image: img}
	for _, tag := range steps {
		img.Tags = append(img.Tags, registry.Tag{ID: "id-" + tag, Name: tag, Digest: fmt.Sprintf("sha256:%x", tag), Status: registry.StatusReady})
		v.Tags = append(v.Tags, registry.TagVerdict{Delete: []registry.Reason{{Rule: "retention/old", Text: "old"}}})
	}
	o := plan.Options{TakenAt: at, ConfigDigest: "sha256:c", PolicyDigest: "sha256:p", MaxDeletions: -1, MaxDeletionPercent: -1}
	b := plan.NewBuilder(o)
	b.Add(plan.Decide(v, o))
	p := b.Plan()
	if len(p.Steps) != len(steps) {
		t.Fatalf("the plan has %d steps, want %d", len(p.Steps), len(steps))
	}
	p.Held = append(p.Held, held...) // its id is not checked when it is written
	return p
}

func everything(registry.Ref) bool { return true }

// query reads one number from the database directly.
func query(t testing.TB, l *Ledger, q string, args ...any) (n int64) {
	t.Helper()
	if err := l.db.QueryRow(q, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func execute(t testing.TB, l *Ledger, q string, args ...any) {
	t.Helper()
	must(t, l.write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, q, args...)
		return err
	}))
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("t%03d", i)
	}
	return out
}

func TestMayExist(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if MayExist(path) || MayExist("") || !MayExist("postgres://db/janitor") {
		t.Error("only a database of a server may exist without a file")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil || !MayExist(path) {
		t.Errorf("a file exists: %v", err)
	}
}
