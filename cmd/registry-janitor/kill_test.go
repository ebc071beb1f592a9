package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
)

const killWorld = `
settings: {latency: 1ms, delete_delay: 20ms}
namespaces:
  - {name: prod, age: 400d, images: [
      {name: "svc-{n}", count: 6, tags: [{name: latest, age: 1h}, {name: "v1.0.{n}", count: 4, age: 50d}, {name: "pr-{n}", count: 10, age: 40d}]}]}
`

const killConfig = `
retention: [{name: prs, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 100, canary: 1}
`

// recordings are the two places where apply records its steps.
var recordings = []recording{
	{name: "in the ledger of the configuration", config: killConfig + "ledger: {dsn: runs.db}\n", ledger: "runs.db"},
	{name: "in the state directory", config: killConfig, ledger: "state/registry-janitor/ledger.db"},
}

// recording is a configuration, and where its runs are recorded.
type recording struct{ name, config, ledger string }

// setUp writes the configuration, and returns its file and the path of the ledger.
func (r recording) setUp(t *testing.T) (file, dsn string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "janitor.yaml")
	if err := os.WriteFile(file, []byte(r.config), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, filepath.Join(dir, r.ledger)
}

// applyCommand is the program, applying without a question.
func applyCommand(file, url string, flags ...string) *exec.Cmd {
	cmd := exec.Command("registry-janitor", append([]string{"apply", "-c", file, "--yes"}, flags...)...)
	dir := filepath.Dir(file)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), "SCW_API_URL="+url,
		"SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111")
	return cmd
}

// Whenever the process is killed, no record is lost: the tags that are deleted are
// those of the plan, every deletion is recorded before it is sent, and the next
// run continues. JANITOR_KILLS sets how many kills there are.
func TestKilledAtAnyMoment(t *testing.T) {
	for _, r := range recordings {
		t.Run(r.name, func(t *testing.T) { killedAtAnyMoment(t, r) })
	}
}

func killedAtAnyMoment(t *testing.T, r recording) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("JANITOR_KILLS")); err == nil {
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for done := 0; done < kills; {
		done += killStory(t, r, rng, kills-done)
	}
}

// killStory applies to one registry until a run completes, and kills at most so many
// runs. It returns how many it killed.
func killStory(t *testing.T, r recording, rng *rand.Rand, most int) (killed int) {
	world, err := worlds.Parse("world.yaml", []byte(killWorld))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	defer listener.Close()
	file, dsn := r.setUp(t)
	for {
		cmd := applyCommand(file, listener.URL)
		var output strings.Builder
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if killed < most {
			timer := time.AfterFunc(time.Duration(rng.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			err = cmd.Wait()
			timer.Stop()
		} else {
			err = cmd.Wait()
		}
		switch {
		case err == nil:
			checkAfterKills(t, server, dsn)
			return max(killed, 1) // a story without a kill is one that came too late
		case cmd.ProcessState.ExitCode() == -1:
			killed++
		default:
			t.Fatalf("%v: %s", err, output.String())
		}
	}
}

func checkAfterKills(t *testing.T, server *emulator.Server, dsn string) {
	t.Helper()
	l, err := ledger.Open(context.Background(), dsn, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	runs, err := l.Runs(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	done, tries := map[string]int{}, map[string]int{}
	for _, r := range runs {
		if r.Unresolved > 0 || r.Status == ledger.StatusRunning {
			t.Errorf("run %d is %s, with %d steps unresolved", r.ID, r.Status, r.Unresolved)
		}
		run, err := l.Run(context.Background(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range run.Steps {
			if s.Step != nil {
				tries[s.Step.ID] += 1
			}
			if s.Result == actions.ResultDone {
				done[s.Ref]++
			}
		}
	}
	for i := 1; i <= 6; i++ {
		for n := 1; n <= 10; n++ {
			if ref := fmt.Sprintf("rg.fr-par.scw.cloud/prod/svc-%d:pr-%d", i, n); done[ref] != 1 {
				t.Errorf("%s was recorded as deleted %d times", ref, done[ref])
			}
		}
	}
	if len(done) != 60 {
		t.Errorf("%d tags were recorded as deleted, want 60", len(done))
	}
	checkRequests(t, server.Requests(), tries)
}

// checkRequests fails if a tag was deleted that was not in the journal, or that was
// not read within the two seconds before: by itself, or in a listing of an image.
func checkRequests(t *testing.T, requests []emulator.Request, tries map[string]int) {
	t.Helper()
	read := map[string]time.Time{}
	var listed time.Time
	for _, r := range requests {
		id := path.Base(r.Path)
		switch r.Method {
		case "GET":
			read[id] = r.Time
			if id == "tags" {
				listed = r.Time
			}
		case "DELETE":
			if tries[id] == 0 || r.Query != "" {
				t.Errorf("%s %s?%s was not in the journal", r.Method, r.Path, r.Query)
			}
			if age := min(r.Time.Sub(read[id]), r.Time.Sub(listed)); age > 2500*time.Millisecond {
				t.Errorf("%s %s was sent on a reading that was %s old", r.Method, r.Path, age)
			}
		default:
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

// SIGTERM lets the steps in flight finish, skips the others, and reports them.
func TestTerminated(t *testing.T) {
	for _, r := range recordings {
		t.Run(r.name, func(t *testing.T) { terminated(t, r, syscall.SIGTERM) })
	}
	t.Run("by a terminal that closes", func(t *testing.T) { terminated(t, recordings[0], syscall.SIGHUP) })
}

func terminated(t *testing.T, r recording, signal os.Signal) {
	world, err := worlds.Parse("world.yaml", []byte(strings.Replace(killWorld, "latency: 1ms", "latency: 20ms", 1)))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		t.Fatal(err)
	}
	deleting := make(chan struct{})
	var once sync.Once
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			once.Do(func() { close(deleting) })
		}
		server.ServeHTTP(w, r)
	}))
	defer listener.Close()
	file, dsn := r.setUp(t)
	cmd := applyCommand(file, listener.URL, "--concurrency", "2")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-deleting
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != janitor.ExitIncomplete {
		t.Fatalf("%v: %s", err, output.String())
	}
	l, err := ledger.Open(context.Background(), dsn, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	run, err := l.Run(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if run.Status != ledger.StatusInterrupted || run.Unresolved != 0 || run.Counts[actions.ResultSkipped] == 0 || run.Counts[actions.ResultDone] == 0 {
		t.Errorf("run %+v", run.RunRecord)
	}
	deleted := 0
	for _, r := range server.Requests() {
		if r.Method == "DELETE" && r.Status == 200 {
			deleted++
		}
	}
	if deleted != run.Counts[actions.ResultDone] {
		t.Errorf("%d were deleted, and %d recorded", deleted, run.Counts[actions.ResultDone])
	}
	if !strings.Contains(output.String(), "skipped") {
		t.Errorf("the report does not say what was skipped: %s", output.String())
	}
}

// A second run names the active one, and waits for it with
// --lock-timeout.
func TestLocked(t *testing.T) {
	for _, r := range recordings {
		t.Run(r.name, func(t *testing.T) { locked(t, r) })
	}
}

func locked(t *testing.T, r recording) {
	file, dsn := r.setUp(t)
	l, err := ledger.Open(context.Background(), dsn, ledger.Options{Who: "ops@elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Lock(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	for _, wait := range []string{"0s", "300ms"} {
		cmd := applyCommand(file, "http://127.0.0.1:1", "--lock-timeout", wait)
		output, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != janitor.ExitIncomplete || !strings.Contains(string(output), "ops@elsewhere") {
			t.Errorf("waiting %s: %v: %s", wait, err, output)
		}
	}
}
