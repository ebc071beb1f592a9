package ledger

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// childDSN makes this test program a process that applies to the ledger it
// names, until it is killed.
const childDSN = "JANITOR_LEDGER_CHILD"

// childMain writes to its standard output what the ledger has acknowledged: the
// run, intents and results.
func childMain(dsn string) {
	ctx := context.Background()
	l, err := Open(ctx, dsn, Options{Who: "child"})
	if err != nil {
		panic(err)
	}
	if _, err := l.Lock(ctx, time.Minute); err != nil {
		panic(err)
	}
	r, err := l.Begin(ctx, RunInfo{Kind: runs.KindApply})
	if err != nil {
		panic(err)
	}
	fmt.Printf("run %d\n", r.ID())
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				tag := fmt.Sprintf("w%d-%d", w, i)
				if err := r.Intend(ctx, step(tag)); err != nil {
					panic(err)
				}
				fmt.Printf("intent %s\n", tag)
				if err := r.Done(ctx, result(tag, actions.Results()[i%6])); err != nil {
					panic(err)
				}
				fmt.Printf("result %s %s\n", tag, actions.Results()[i%6])
			}
		})
	}
	writers.Wait()
}

// kills is how many processes the tests kill: JANITOR_KILLS, or 8.
func kills(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv("JANITOR_KILLS"), "8"))
	must(t, err)
	return n
}

// TestKillLosesNoAcknowledgedRecord kills the process with SIGKILL at random
// moments.
func TestKillLosesNoAcknowledgedRecord(t *testing.T) {
	kills := kills(t)
	onEach(t, func(t *testing.T, dsn string) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		l := open(t, dsn)
		for range kills {
			checkKilled(t, l, killChild(t, dsn, random.IntN(400)))
		}
	})
}

// acknowledged is the output of a killed process.
type acknowledged struct {
	run     int64
	intents map[string]bool
	results map[string]string // by tag
}

// killChild kills a child after a number of lines. The lines that it writes
// before it dies count too.
func killChild(t *testing.T, dsn string, lines int) acknowledged {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDSN+"="+dsn)
	var said strings.Builder
	child.Stderr = &said
	output, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	a := acknowledged{intents: map[string]bool{}, results: map[string]string{}}
	reader := bufio.NewReader(output)
	for n := 0; ; n++ {
		if n == lines+1 { // at least the line that names the run
			must(t, child.Process.Kill())
		}
		line, err := reader.ReadString('\n')
		if err == io.EOF {
			break // a line without its end does not count
		}
		must(t, err)
		a.add(t, strings.Fields(line))
	}
	if err := child.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the child ended with %v: %s", err, said.String())
	}
	return a
}

func (a *acknowledged) add(t *testing.T, words []string) {
	t.Helper()
	switch words[0] {
	case "run":
		run, err := strconv.ParseInt(words[1], 10, 64)
		must(t, err)
		a.run = run
	case "intent":
		a.intents[words[1]] = true
	case "result":
		a.results[words[1]] = words[2]
	default:
		t.Fatalf("the child says %q", words)
	}
}

func checkKilled(t *testing.T, l *Ledger, a acknowledged) {
	t.Helper()
	lock := mustLock(t, l) // PostgreSQL needs a moment to see that the child is gone
	defer func() { must(t, lock.Unlock()) }()
	found, err := l.Interrupted(t.Context())
	must(t, err)
	if len(found) != 1 || found[0].Run != a.run {
		t.Fatalf("the interrupted run is not %d but %+v", a.run, found)
	}
	d, err := l.Run(t.Context(), a.run)
	if must(t, err); d.Status != StatusInterrupted || d.Who != "child" {
		t.Errorf("the run is %+v", d.RunRecord)
	}
	unresolved := map[string]bool{}
	for _, s := range found[0].Steps {
		unresolved[s.Tag] = true
	}
	known := map[string]actions.Result{}
	for _, s := range d.Steps {
		tag := strings.TrimPrefix(s.Ref, ref(""))
		known[tag] = s.Result
		if s.Step == nil || unresolved[tag] != (s.Result == "") {
			t.Errorf("%s has the result %q, unresolved: %t", tag, s.Result, unresolved[tag])
		}
	}
	for tag := range a.intents {
		if _, ok := known[tag]; !ok {
			t.Errorf("the intent of %s was acknowledged and is lost", tag)
		}
	}
	for tag, want := range a.results {
		if got := known[tag]; string(got) != want {
			t.Errorf("the result %s of %s was acknowledged, and the ledger has %q", want, tag, got)
		}
	}
	t.Logf("run %d: %d intents and %d results acknowledged, %d steps recorded, %d unresolved", a.run, len(a.intents), len(a.results), len(d.Steps), len(unresolved))
	for _, s := range found[0].Steps {
		must(t, l.Resolve(t.Context(), a.run, actions.StepResult{Ref: s.Ref, Action: s.Action, Result: actions.ResultFailed}))
	}
}

// A record is on disk, not only in the memory of the system, before it is
// acknowledged.
func TestCommitsAreWrittenThrough(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		l := open(t, databases[0].dsn(t))
		const full, wal = 2, "wal"
		if got := query(t, l, `PRAGMA synchronous`); got != full {
			t.Errorf("synchronous is %d", got)
		}
		if got := query(t, l, `PRAGMA foreign_keys`); got != 1 {
			t.Errorf("foreign_keys is %d", got)
		}
		var mode string
		must(t, l.db.QueryRow(`PRAGMA journal_mode`).Scan(&mode))
		if mode != wal {
			t.Errorf("journal_mode is %s", mode)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		// A role that is set up to be fast instead of safe.
		l := open(t, postgres(t)+"&options=-c%20synchronous_commit%3Doff")
		var on string
		must(t, l.db.QueryRow(`SHOW synchronous_commit`).Scan(&on))
		if on != "on" {
			t.Errorf("synchronous_commit is %s", on)
		}
	})
}
