package apply

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
)

func journalAt(t *testing.T, path, run string) *JournalFile {
	t.Helper()
	j, err := OpenJournalFile(path, JournalRun{ID: run, Plan: "sha256:p", Who: "me@here", Now: func() time.Time { return scanTime }})
	must(t, err)
	return j
}

func readJournal(t *testing.T, path string) []JournaledRun {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	runs, err := ReadJournal(bytes.NewReader(text))
	must(t, err)
	return runs
}

// journalStory writes two runs: one that is interrupted, and one that begins with
// finding out what became of it.
func journalStory(t *testing.T) (path string, steps []actions.Step) {
	path = filepath.Join(t.TempDir(), "state", "journal.jsonl")
	steps = story(t).Steps
	first := journalAt(t, path, "one")
	must(t, first.Intend(t.Context(), steps[0]))
	must(t, first.Intend(t.Context(), steps[1]))
	must(t, first.Done(t.Context(), actions.StepResult{Ref: steps[0].Ref, Action: steps[0].Action, Result: actions.ResultDone}))
	must(t, first.Intend(t.Context(), steps[2]))
	must(t, first.Close())
	second := journalAt(t, path, "two")
	must(t, second.Resolved("one", actions.StepResult{Ref: steps[1].Ref, Action: steps[1].Action, Result: actions.ResultSkipped, Detail: "as it was <&>"}))
	must(t, second.Ended(&actions.Outcome{Results: []actions.StepResult{{Result: actions.ResultDone}}, Done: 1}))
	must(t, second.Close())
	return path, steps
}

func TestAJournalTellsWhatWasDoneAndWhatIsPending(t *testing.T) {
	path, steps := journalStory(t)
	want := []JournaledRun{
		{ID: "one", Plan: "sha256:p", Who: "me@here", Began: scanTime, Pending: []actions.Step{steps[2]}, Results: []actions.StepResult{
			{Ref: steps[0].Ref, Action: steps[0].Action, Result: actions.ResultDone, At: scanTime},
			{Ref: steps[1].Ref, Action: steps[1].Action, Result: actions.ResultSkipped, Detail: "as it was <&>", At: scanTime},
		}},
		{ID: "two", Plan: "sha256:p", Who: "me@here", Began: scanTime, Ended: scanTime, Outcome: &actions.Outcome{Results: []actions.StepResult{}, Done: 1}},
	}
	if diff := cmp.Diff(want, readJournal(t, path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// Wherever the process dies, what was acknowledged is read, and the next run
// writes on after it.
func TestAJournalThatIsCutOffAnywhere(t *testing.T) {
	path, _ := journalStory(t)
	text, err := os.ReadFile(path)
	must(t, err)
	for cut := range text {
		must(t, os.WriteFile(path, text[:cut], 0o600))
		whole := bytes.Count(text[:cut], []byte("\n"))
		j := journalAt(t, path, "three")
		must(t, j.Close())
		after, err := os.ReadFile(path)
		must(t, err)
		kept := text[:bytes.LastIndexByte(text[:cut], '\n')+1]
		if !bytes.HasPrefix(after, kept) || bytes.Count(after, []byte("\n")) != whole+1 {
			t.Fatalf("cut at %d, the journal is\n%s", cut, after)
		}
		runs, err := ReadJournal(bytes.NewReader(after))
		if err != nil || runs[len(runs)-1].ID != "three" {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if _, err := ReadJournal(bytes.NewReader(text[:cut])); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

func TestAJournalThatIsBrokenInItsMiddleIsAnError(t *testing.T) {
	path, _ := journalStory(t)
	text, err := os.ReadFile(path)
	must(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	for _, tt := range []struct {
		name string
		edit func(lines []string)
		want string
	}{
		{"half a line", func(l []string) { l[1] = l[1][:40] + "\n" }, "line 2: "},
		{"a line that is missing", func(l []string) { l[1] = "" }, "line 3: set_image_visibility of"},
		{"a run without its beginning", func(l []string) { l[0] = "" }, `line 1: run "one" has not begun`},
		{"a beginning that is there twice", func(l []string) { l[1] = l[0] }, `line 2: run "one" begins twice`},
		{"an unknown event", func(l []string) { l[1] = strings.Replace(l[1], "intend", "hope", 1) }, `line 2: event "hope" is unknown`},
		{"an unknown field", func(l []string) { l[1] = strings.Replace(l[1], `"run"`, `"x":1,"run"`, 1) }, "line 2: json: unknown field"},
	} {
		edited := append([]string(nil), lines...)
		tt.edit(edited)
		if _, err := ReadJournal(strings.NewReader(strings.Join(edited, ""))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestAJournalIsWrittenByOneRunAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := journalAt(t, path, "one")
	if _, err := OpenJournalFile(path, JournalRun{ID: "two"}); !errors.Is(err, ErrJournalLocked) {
		t.Errorf("error is %v", err)
	}
	must(t, j.Close())
	must(t, journalAt(t, path, "two").Close())
}

func TestManyGoroutinesWriteWholeLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := journalAt(t, path, "one")
	step := story(t).Steps[1]
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			s := step
			s.Ref = fmt.Sprint(i)
			for range 5 {
				if err := j.Intend(t.Context(), s); err != nil {
					t.Error(err)
				}
				if err := j.Done(t.Context(), actions.StepResult{Ref: s.Ref, Action: s.Action, Result: actions.ResultGone}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	must(t, j.Close())
	if run := readJournal(t, path)[0]; len(run.Results) != 250 || len(run.Pending) != 0 {
		t.Errorf("%d results, %d pending", len(run.Results), len(run.Pending))
	}
}

// After a write that failed nothing more is written: half a line may stand at the
// end, and a record after it could not be read.
func TestAWriteThatFailsIsTheLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := journalAt(t, path, "one")
	must(t, j.file.Close())
	step := story(t).Steps[0]
	first, second := j.Intend(t.Context(), step), j.Intend(t.Context(), step)
	if !errors.Is(first, os.ErrClosed) || !errors.Is(second, os.ErrClosed) {
		t.Errorf("%v, then %v", first, second)
	}
	if run := readJournal(t, path)[0]; len(run.Pending) != 0 {
		t.Errorf("%d pending", len(run.Pending))
	}
}

func TestAJournalWithNoPlaceToBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := OpenJournalFile(filepath.Join(file, "journal.jsonl"), JournalRun{ID: "one"}); err == nil {
		t.Error("no error")
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"time":"2026-11-22T12:00:00Z","run":"one","event":"begin","plan":"p"}` + "\n"))
	f.Add([]byte(`{"time":"2026-11-22T12:00:00Z","run":"one","event":"begin"}` + "\n" + `{"run":"one","event":"intend","step":{"action":"delete_tag","ref":"r"}}` + "\n" +
		`{"run":"one","event":"done","ref":"r","action":"delete_tag","result":"done","detail":""}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		runs, err := ReadJournal(bytes.NewReader(data))
		if err != nil {
			return
		}
		lines := bytes.Count(data, []byte("\n"))
		records := 0
		for _, r := range runs {
			records += 1 + len(r.Results) + len(r.Pending)
		}
		if records > lines {
			t.Errorf("%d records in %d lines", records, lines)
		}
	})
}
