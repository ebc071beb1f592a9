package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
)

// journalText is the journal file of two runs: an interrupted one, and one that
// resolved a step of it and was interrupted too.
func journalText(t testing.TB) string {
	t.Helper()
	intend := func(run, tag string) string {
		encoded, err := json.Marshal(step(tag))
		must(t, err)
		return fmt.Sprintf(`{"time":"2026-11-22T12:00:00Z","run":%q,"event":"intend","step":%s}`, run, encoded)
	}
	done := func(run, tag string) string {
		return fmt.Sprintf(`{"time":"2026-11-22T12:00:00Z","run":%q,"event":"done","ref":%q,"action":"delete_tag","result":"done","detail":"<&>"}`, run, ref(tag))
	}
	return strings.Join([]string{
		`{"time":"2026-11-22T12:00:00Z","run":"A","event":"begin","plan":"sha256:p","who":"me@here"}`,
		intend("A", "one"), intend("A", "two"), done("A", "one"), intend("A", "three"),
		`{"time":"2026-11-22T12:00:00Z","run":"B","event":"begin"}`,
		done("A", "two"), intend("B", "one"), intend("B", "four"), done("B", "four"),
		`{"time":"2026-11-22T12:00:00Z","run":"B","event":"end","outcome":{"results":[],"done":1}}`,
	}, "\n") + "\n"
}

func writeJournal(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func tagsOf(steps []actions.Step) []string {
	var tags []string
	for _, s := range steps {
		tags = append(tags, s.Tag)
	}
	return tags
}

func TestStepsOfAJournalFileBecomeUnresolvedSteps(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		path := writeJournal(t, journalText(t))
		if _, err := l.ImportJournal(t.Context(), path); !errors.Is(err, ErrNotLocked) {
			t.Errorf("without the lock the error is %v", err)
		}
		mustLock(t, l)
		n, err := l.ImportJournal(t.Context(), path)
		if err != nil || n != 2 {
			t.Fatalf("%d steps, %v", n, err)
		}
		found, err := l.Interrupted(t.Context())
		must(t, err)
		if len(found) != 1 {
			t.Fatalf("interrupted: %+v", found)
		}
		run, err := l.Run(t.Context(), found[0].Run)
		if must(t, err); run.Status != StatusInterrupted || run.Exit != 1 || !strings.Contains(run.Message, path) {
			t.Errorf("the run is %+v", run.RunRecord)
		}
		if diff := cmp.Diff([]actions.Step{step("one"), step("three")}, found[0].Steps); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the file is still there: %v", err)
		}
		kept, err := os.ReadFile(path + ".resolved")
		if must(t, err); string(kept) != journalText(t) {
			t.Errorf("the file was changed: %s", kept)
		}
		if n, err := l.ImportJournal(t.Context(), path); n != 0 || err != nil {
			t.Errorf("imported again: %d steps, %v", n, err)
		}
	})
}

func TestAJournalFileWithoutOpenStepsIsPutAway(t *testing.T) {
	l := open(t, databases[0].dsn(t))
	mustLock(t, l)
	path := writeJournal(t, `{"time":"2026-11-22T12:00:00Z","run":"A","event":"begin"}`+"\n")
	if n, err := l.ImportJournal(t.Context(), path); n != 0 || err != nil {
		t.Errorf("%d steps, %v", n, err)
	}
	if _, err := os.Stat(path + ".resolved"); err != nil {
		t.Error(err)
	}
	if runs, err := l.Runs(t.Context(), 0); err != nil || len(runs) != 0 {
		t.Errorf("runs: %v, %v", runs, err)
	}
}

// Wherever the process of the earlier version died, every record with a line
// break is read.
func TestAJournalFileThatIsCutOffAnywhere(t *testing.T) {
	text := journalText(t)
	for cut := range text {
		whole := text[:strings.LastIndexByte(text[:cut], '\n')+1]
		want, err := readJournal(strings.NewReader(whole))
		must(t, err)
		got, err := readJournal(strings.NewReader(text[:cut]))
		if err != nil || !cmp.Equal(tagsOf(want), tagsOf(got)) {
			t.Fatalf("cut at %d: %q, %v", cut, tagsOf(got), err)
		}
	}
}

func TestADamagedJournalFileIsAnErrorAndStays(t *testing.T) {
	l := open(t, databases[0].dsn(t))
	mustLock(t, l)
	lines := strings.SplitAfter(journalText(t), "\n")
	for _, tt := range []struct {
		name string
		edit func(lines []string)
		want string
	}{
		{"half a line", func(l []string) { l[1] = l[1][:40] + "\n" }, "line 2: "},
		{"a missing line", func(l []string) { l[1] = "" }, "line 3: delete_tag of " + ref("one") + " has a result but no intent"},
		{"an unknown event", func(l []string) { l[1] = strings.Replace(l[1], "intend", "hope", 1) }, `line 2: the event "hope" is unknown`},
		{"an intent without a step", func(l []string) { l[1] = `{"run":"A","event":"intend"}` + "\n" }, `line 2: the event "intend" is unknown or incomplete`},
	} {
		edited := append([]string(nil), lines...)
		tt.edit(edited)
		path := writeJournal(t, strings.Join(edited, ""))
		if _, err := l.ImportJournal(t.Context(), path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: the error is %v, want %q", tt.name, err, tt.want)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// importFile makes the child of childDSN import the journal file that it names.
const importFile = "JANITOR_LEDGER_IMPORT"

func importMain(dsn, path string) {
	ctx := context.Background()
	l, err := Open(ctx, dsn, Options{Who: "child"})
	if err != nil {
		panic(err)
	}
	if _, err := l.Lock(ctx, 0); err != nil {
		panic(err)
	}
	fmt.Println("importing")
	if _, err := l.ImportJournal(ctx, path); err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
}

// killImport lets a child import the file, and kills it after a random time.
func killImport(t *testing.T, dsn, path string, after time.Duration) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDSN+"="+dsn, importFile+"="+path)
	var said strings.Builder
	child.Stderr = &said
	_, err := child.StdinPipe()
	must(t, err)
	output, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		t.Fatalf("the child says %q: %v: %s", line, err, said.String())
	}
	timer := time.AfterFunc(after, func() { _ = child.Process.Kill() })
	defer timer.Stop()
	if err := child.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the child ended with %v: %s", err, said.String())
	}
}

// However often the process is killed while it imports, the next import completes
// it, and no step is lost.
func TestAKilledImportLosesNoStep(t *testing.T) {
	var text bytes.Buffer
	const steps = 40
	for i := range steps {
		encoded, err := json.Marshal(step("t" + strconv.Itoa(i)))
		must(t, err)
		fmt.Fprintf(&text, `{"run":"A","event":"intend","step":%s}`+"\n", encoded)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills(t) {
		dsn, path := databases[0].dsn(t), writeJournal(t, text.String())
		killImport(t, dsn, path, time.Duration(random.IntN(60))*time.Millisecond)
		l := open(t, dsn)
		mustLock(t, l)
		n, err := l.ImportJournal(t.Context(), path)
		must(t, err)
		found, err := l.Interrupted(t.Context())
		must(t, err)
		unresolved := map[string]bool{}
		for _, f := range found {
			for _, s := range f.Steps {
				unresolved[s.Tag] = true
			}
		}
		if len(unresolved) != steps {
			t.Errorf("%d of %d steps are in the ledger; the second import had %d", len(unresolved), steps, n)
		}
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(journalText(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		steps, err := readJournal(bytes.NewReader(data))
		if lines := bytes.Count(data, []byte("\n")); err == nil && len(steps) > lines {
			t.Errorf("%d steps in %d lines", len(steps), lines)
		}
	})
}
