package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/web"
)

// registryWorld has a tag for every day, so that a week of cleaning has something
// to do each day.
const registryWorld = `namespaces:
  - {name: prod, region: fr-par, age: 400d, images: [
      {name: api, tags: [
        {name: latest, age: 2h}, {name: v1.0.0, age: 300d},
        {name: pr-1, age: 8d}, {name: pr-2, age: 9d}, {name: pr-3, age: 10d}, {name: pr-4, age: 13d}]}]}
`

const daemonConfig = `scaleway: {regions: [fr-par]}
timezone: Europe/Paris
retention: [{match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
`

// inMemory answers requests without a network, so that simulated time passes.
type inMemory struct{ handler http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// site is a daemon with its registry and configuration.
type site struct {
	t        *testing.T
	file     string
	emulator *emulator.Server
	log      *lockedBuffer
	options  daemon.Options
}

func newSite(t *testing.T, world, config string) *site {
	t.Helper()
	parsed, err := worlds.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: parsed, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, file: filepath.Join(t.TempDir(), "janitor.yaml"), emulator: server, log: new(lockedBuffer)}
	s.write(config)
	s.options = daemon.Options{
		ConfigFile: s.file, Version: "test", Who: "tester@here", State: recorder.State{Dir: filepath.Dir(s.file)},
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Views: web.Views{Page: page.Daemon, Assets: page.Assets(), Explain: func(w io.Writer, e runs.Explanation) error {
			return report.Explain(w, e, report.TextOptions{})
		}},
		Session: janitor.SessionOptions{Connection: scaleway.Options{
			Credentials: &scaleway.Credentials{
				APIURL: "http://registry.test", AccessKey: "SCWXXXXXXXXXXXXXXXXX", SecretKey: "11111111-1111-1111-1111-111111111111",
			},
			Base: inMemory{server},
		}},
	}
	return s
}

func (s *site) write(config string) {
	s.t.Helper()
	if err := os.WriteFile(s.file, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// run runs the daemon for a time.
func (s *site) run(during time.Duration) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), during)
	defer cancel()
	if err := daemon.Run(ctx, s.options); err != nil {
		s.t.Fatal(err)
	}
}

// count is how often a text is in the log.
func (s *site) count(text string) int { return strings.Count(s.log.String(), text) }

func (s *site) deleted() int {
	n := 0
	for _, r := range s.emulator.Requests() {
		if r.Method == http.MethodDelete {
			n++
		}
	}
	return n
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// With a plan every four hours and a run of apply every night for a week, every run is
// made, and every tag is deleted in the night after it is old enough.
func TestWeekOfSchedules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, daemonConfig+`
schedules:
  - {name: watch, cron: "0 */4 * * *", do: plan}
  - {name: nightly, cron: "0 3 * * *", do: apply, jitter: 10m}
ledger: {dsn: ledger.db}
`)
		s.run(7*24*time.Hour + time.Minute)
		if got := s.count(`msg="run finished"`); got != 7*6+7 {
			t.Errorf("%d runs, want %d\n%s", got, 7*6+7, s.log)
		}
		if got := s.count("trigger=nightly run="); got != 7 {
			t.Errorf("%d runs of apply, want 7", got)
		}
		if got := s.deleted(); got != 4 {
			t.Errorf("%d tags were deleted, want all 4 of pull requests", got)
		}
		if s.count("level=WARN")+s.count("level=ERROR") > 0 {
			t.Errorf("something went wrong:\n%s", s.log)
		}
	})
}

func TestOverlappingRunIsSkippedAndOtherSchedulesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, daemonConfig+`
schedules:
  - {name: often, cron: "* * * * *", do: plan}
  - {name: hourly, cron: "@hourly", do: plan}
`)
		slow := slowly{s.options.Session.Connection.Base, 50 * time.Second} // 3 requests: a run takes 150 s
		s.options.Session.Connection.Base = slow
		s.options.Session.Connection.RequestTimeout = time.Minute
		s.run(61 * time.Minute)
		if s.count("run skipped: the previous run of the schedule has not ended") == 0 {
			t.Errorf("no run was skipped\n%s", s.log)
		}
		if s.count(`msg="run started" kind=plan trigger=hourly`) != 1 {
			t.Errorf("the hourly run did not wait until the other one had ended\n%s", s.log)
		}
	})
}

type slowly struct {
	next http.RoundTripper
	wait time.Duration
}

func (s slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.next.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func TestPanicEndsOneRunAndNotTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, daemonConfig+`schedules: [{name: hourly, cron: "@hourly", do: plan}]`)
		s.options.Session.Connection.Base = panicsOnce(s.options.Session.Connection.Base)
		s.run(2*time.Hour + time.Minute)
		if s.count("a bug in the program: panic: a bug") == 0 {
			t.Errorf("the panic is not in the log\n%s", s.log)
		}
		if got := s.count(`msg="run finished"`); got != 1 {
			t.Errorf("%d runs were complete, want the second\n%s", got, s.log)
		}
	})
}

// A run that panics releases the lock of the ledger, so that the next one works.
func TestPanicReleasesTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, daemonConfig+`ledger: {dsn: ledger.db}
schedules: [{name: hourly, cron: "@hourly", do: apply}]`)
		var armed, fired atomic.Bool
		next := s.options.Session.Connection.Base
		s.options.Session.Connection.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
			armed.Store(true)
			return next.RoundTrip(r)
		})
		s.options.Session.Now = func() time.Time { // called again once the plan is made
			if armed.Load() && fired.CompareAndSwap(false, true) {
				panic("a bug")
			}
			return time.Now()
		}
		s.run(2*time.Hour + time.Minute)
		if s.count("a bug in the program ended the run") == 0 {
			t.Errorf("the panic is not in the log\n%s", s.log)
		}
		if got := s.count(`msg="run finished" kind=apply trigger=hourly run=2 exit=0`); got != 1 {
			t.Errorf("the next run did not work\n%s", s.log)
		}
	})
}

func panicsOnce(next http.RoundTripper) http.RoundTripper {
	var once sync.Once
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		once.Do(func() { panic("a bug") })
		return next.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRunAtStart(t *testing.T) {
	for _, tt := range []struct{ name, schedules, want string }{
		{"plans where nothing is scheduled", ``, "kind=plan trigger=start"},
		{"plans where a schedule plans", `schedules: [{cron: "@yearly", do: plan}]`, "kind=plan trigger=start"},
		{"applies where a schedule applies", `schedules: [{cron: "@yearly", do: plan}, {cron: "@yearly", do: apply}]`, "kind=apply trigger=start"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, registryWorld, daemonConfig+tt.schedules)
				s.options.RunAtStart = true
				s.run(time.Minute)
				if s.count(`msg="run finished" `+tt.want) != 1 {
					t.Errorf("want one run, %s\n%s", tt.want, s.log)
				}
			})
		})
	}
}

func TestADaemonWithoutSchedulesWarns(t *testing.T) {
	for schedules, want := range map[string]int{"": 1, "schedules: []": 1, `schedules: [{cron: "@yearly", do: plan}]`: 0} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, registryWorld, daemonConfig+schedules)
			s.run(time.Minute)
			if got := s.count("level=WARN msg=\"the configuration has no schedules, so no run starts by itself"); got != want {
				t.Errorf("%q: %d warnings, want %d\n%s", schedules, got, want, s.log)
			}
		})
	}
}

func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, daemonConfig+`schedules: [{name: hourly, cron: "@hourly", do: plan}]`)
		requests := make(chan os.Signal)
		s.options.Reload = requests
		go func() {
			time.Sleep(90 * time.Minute) // simulated
			s.write(daemonConfig + `schedules: [{name: broken, cron: "never", do: plan}]`)
			time.Sleep(time.Minute)
			requests <- syscall.SIGHUP
			time.Sleep(59 * time.Minute)
			s.write(daemonConfig + `schedules: [{name: minutely, cron: "* * * * *", do: plan}]`)
		}()
		s.run(4 * time.Hour)
		for text, want := range map[string]int{
			"the configuration was not loaded, and the previous one stays in force": 2, // the file, then the request
			`msg="configuration loaded"`:                  1,
			"trigger=broken":                              0,
			`msg="run finished" kind=plan trigger=hourly`: 2, // also the hour after the bad file
		} {
			if got := s.count(text); got != want {
				t.Errorf("%q is in the log %d times, want %d\n%s", text, got, want, s.log)
			}
		}
		if got := s.count(`msg="run finished" kind=plan trigger=minutely`); got < 85 {
			t.Errorf("the new schedule ran only %d times\n%s", got, s.log)
		}
	})
}

// A run that waits when another configuration is loaded is dropped if its schedule is
// gone.
func TestReloadDropsWaitingRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, strings.Replace(daemonConfig, "14d", "7d", 1)+`
limits: {max_deletion_percent: 100}
schedules: [{name: soon, cron: "@hourly", do: apply, jitter: 59m}]`)
		go func() {
			time.Sleep(time.Hour + time.Second) // simulated
			s.write(daemonConfig + `schedules: [{name: soon, cron: "@yearly", do: plan}]`)
		}()
		s.run(3 * time.Hour)
		if s.deleted() > 0 || s.count("its schedule is no longer configured") != 1 {
			t.Errorf("%d tags were deleted\n%s", s.deleted(), s.log)
		}
	})
}

// A policy folder behind a link, as git-sync and Kubernetes make it, is watched.
func TestLinkIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, daemonConfig+"policies: [current]\n")
		dir := filepath.Dir(s.file)
		for name, title := range map[string]string{"r1": "one", "r2": "two"} {
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
			text := "# METADATA\n# title: " + title + "\npackage janitor.image.p\n\nwarn contains \"" + title + "\" if input.image.name == \"api\"\n"
			if err := os.WriteFile(filepath.Join(dir, name, "p.rego"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		link := filepath.Join(dir, "current")
		if err := os.Symlink("r1", link); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Minute) // simulated
			if err := errors.Join(os.Symlink("r2", link+".new"), os.Rename(link+".new", link)); err != nil {
				t.Error(err)
			}
		}()
		s.run(2 * time.Minute)
		if s.count(`msg="configuration loaded"`) != 1 {
			t.Errorf("it was not loaded again\n%s", s.log)
		}
	})
}

func TestPanicOfASourceHoldsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, daemonConfig+"protect: {serverless: true}\nschedules: [{cron: \"@hourly\", do: apply}]\n")
		next := s.options.Session.Connection.Base
		s.options.Session.Connection.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "/containers") {
				panic("a bug")
			}
			return next.RoundTrip(r)
		})
		s.run(time.Hour + time.Minute)
		if s.count("panic: a bug") == 0 || s.count(`msg="run finished incomplete"`) != 1 || s.deleted() > 0 {
			t.Errorf("the daemon did not continue\n%s", s.log)
		}
	})
}

func TestDaemonStopsARunAtASafePoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, strings.Replace(daemonConfig, "14d", "7d", 1)+`
limits: {max_deletion_percent: 100, canary: 0}
schedules: [{name: soon, cron: "@hourly", do: apply}]`)
		s.options.Session.Connection.Base = slowly{s.options.Session.Connection.Base, 800 * time.Millisecond}
		s.run(time.Hour + 6*time.Second)
		if s.count("msg=stopped") != 1 || s.count("trigger=soon") == 0 {
			t.Errorf("it did not stop in the middle of a run\n%s", s.log)
		}
		// What was sent is in the ledger, with its result if that is known.
		l, err := ledger.Open(t.Context(), filepath.Join(s.options.State.Dir, "ledger.db"), ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		run, err := l.Run(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if run.Status != ledger.StatusInterrupted || len(run.Steps) < s.deleted() || s.deleted() == 0 {
			t.Errorf("%d deletions were sent, %d are in the ledger of a run that is %s", s.deleted(), len(run.Steps), run.Status)
		}
	})
}

func TestBadStartIsAnError(t *testing.T) {
	s := newSite(t, registryWorld, "nonsense: true\n")
	if err := daemon.Run(t.Context(), s.options); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a bad configuration gives %v", err)
	}
	s.write(daemonConfig)
	state := s.options.State
	s.options.State = recorder.State{}
	if err := daemon.Run(t.Context(), s.options); err == nil || !strings.Contains(err.Error(), "an apply needs a ledger or a state directory") {
		t.Errorf("neither a ledger nor a state directory gives %v", err)
	}
	s.options.State = state
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s.options.Web = &web.ServeOptions{Addresses: []string{taken.Addr().String()}, Log: s.options.Log}
	if err := daemon.Run(t.Context(), s.options); err == nil || !strings.Contains(err.Error(), "listening") {
		t.Errorf("a taken address gives %v", err)
	}
}

// The daemon over HTTP, in real time.
func TestDaemonOverHTTP(t *testing.T) {
	s := newSite(t, registryWorld, strings.Replace(daemonConfig, "14d", "7d", 1)+"limits: {max_deletion_percent: 100}\n"+`schedules: [{cron: "@yearly", do: plan}]`)
	s.options.EnableApply = true
	base := s.start()
	if got := s.get(base + "/-/ready"); got != "ready\n" {
		t.Errorf("/-/ready answers %q", got)
	}
	s.post(base+"/api/v1/plan", http.StatusAccepted)
	var runs struct {
		Runs []struct {
			ID, Kind, Trigger string
			Exit, Steps, Done int
		}
	}
	s.until(func() bool { s.json(base+"/api/v1/runs", &runs); return len(runs.Runs) == 1 })
	if r := runs.Runs[0]; r.Kind != "plan" || r.Trigger != "http" || r.Exit != 0 || r.Steps != 4 {
		t.Errorf("the history shows %+v", r)
	}
	var latest struct {
		ID   string
		Plan struct{ Steps []struct{ Ref string } }
	}
	s.json(base+"/api/v1/runs/latest", &latest)
	if len(latest.Plan.Steps) != 4 {
		t.Errorf("the latest run is %+v", latest)
	}
	// The history shows a run a moment before the daemon is free for the next.
	s.until(func() bool {
		response, err := http.Post(base+"/api/v1/apply", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusAccepted
	})
	s.until(func() bool { s.json(base+"/api/v1/runs", &runs); return len(runs.Runs) == 2 })
	if r := runs.Runs[0]; r.Kind != "apply" || r.Done != 4 {
		t.Errorf("the history shows %+v", r)
	}
	var explained struct {
		Judged bool
		Keep   []any
		Text   string
	}
	s.post(base+"/api/v1/explain?ref=docker.io/prod/api:v1.0.0", http.StatusBadRequest)
	body := s.post(base+"/api/v1/explain?ref=prod/api:v1.0.0", http.StatusOK)
	if err := json.Unmarshal(body, &explained); err != nil || !explained.Judged || !strings.Contains(explained.Text, "v1.0.0") {
		t.Errorf("the explanation is %+v", explained)
	}
	if got := s.get(base + "/metrics"); !strings.Contains(got, "registry_janitor_config_last_reload_success 1") {
		t.Errorf("the metrics lack the reload:\n%s", got)
	}
	s.post(base+"/-/reload", http.StatusOK)
	s.write("nonsense: true\n")
	s.post(base+"/-/reload", http.StatusInternalServerError)
	if got := s.get(base + "/metrics"); !strings.Contains(got, "registry_janitor_config_last_reload_success 0") {
		t.Error("the metrics do not show that the reload failed")
	}
	if strings.Contains(s.get(base+"/")+s.log.String(), "11111111-1111") {
		t.Error("the secret key is shown")
	}
}

// start runs the daemon until the end of the test, and returns where it is.
func (s *site) start() string {
	s.t.Helper()
	s.options.Web = &web.ServeOptions{Addresses: []string{"127.0.0.1:0"}, Log: s.options.Log}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- daemon.Run(ctx, s.options) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			s.t.Error(err)
		}
	})
	var address string
	s.until(func() bool {
		_, rest, found := strings.Cut(s.log.String(), "msg=listening address=")
		address, _, _ = strings.Cut(rest, "\n")
		return found && strings.Contains(s.log.String(), "msg=working")
	})
	return "http://" + address
}

// until waits for something that happens soon.
func (s *site) until(f func() bool) {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("it did not happen\n%s", s.log)
		}
	}
}

func (s *site) get(url string) string {
	s.t.Helper()
	response, err := http.Get(url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(response.Body)
	return b.String()
}

func (s *site) json(url string, v any) {
	s.t.Helper()
	if text := s.get(url); json.Unmarshal([]byte(text), v) != nil {
		s.t.Fatalf("%s is not JSON: %s", url, text)
	}
}

func (s *site) post(url string, want int) []byte {
	s.t.Helper()
	response, err := http.Post(url, "", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(response.Body)
	if response.StatusCode != want {
		s.t.Errorf("POST %s: %s, want %d: %s", url, response.Status, want, fmt.Sprint(b.String()))
	}
	return b.Bytes()
}
