package progress_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/progress"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		p    runs.Progress
		want string
	}{
		{runs.Progress{Doing: runs.Starting}, "starting"},
		{runs.Progress{Doing: runs.Asking, Done: 7, Retries: 3, Retrying: "the containers in fr-par, 2/5"}, "reading what is in use, retrying the containers in fr-par, 2/5"},
		{runs.Progress{Doing: runs.Scanning, Done: 1, Tags: 1}, "scanning 1 image, 1 tag"},
		{
			runs.Progress{Doing: runs.Scanning, Done: 1234, Total: 5000, Tags: 61_700, Marked: 1200, Contents: 34, Gaps: 2, Left: runs.Seconds(170 * time.Second), Waiting: 14, Retries: 9, Retrying: "page 3 of prod/api, 3/5 and 4 more"},
			"scanning 1,234/5,000 images (24 %), 61,700 tags, 1,200 marked for deletion, 34 contents read, 2 gaps, 3 min left, 14 requests wait for the rate limit, retrying page 3 of prod/api, 3/5 and 4 more",
		},
		{runs.Progress{Doing: runs.Judging, Done: 5001, Total: 5000, Gaps: 1, Waiting: 1}, "judging 5,001/5,000 images (100 %), 0 tags, 1 gap, 1 request waits for the rate limit"},
		{runs.Progress{Doing: runs.Applying, Done: 1769, Total: 27_200, Left: runs.Seconds(1130 * time.Second), Gaps: 2, Tags: 9}, "applying 1,769/27,200 (6 %), 0 failed, 19 min left"},
		{runs.Progress{Doing: runs.Applying, Done: 27_199, Total: 27_200, Failed: 1000, Watched: 12, Left: runs.Seconds(3 * time.Second)}, "applying 27,199/27,200 (99 %), 1,000 failed, 12 being confirmed, a few seconds left"},
		{runs.Progress{Doing: runs.Applying, Done: 1, Total: 3, Watched: 1, Copied: 1_234_567_890}, "applying 1/3 (33 %), 0 failed, 1 being confirmed, 1.2 GB copied"},
		{runs.Progress{Doing: runs.Restoring, Done: 3, Total: 290, Copied: 1_234_567_890, Left: runs.Seconds(3 * time.Second)}, "restoring 3/290 tags (1 %), 1.2 GB copied, a few seconds left"},
		{runs.Progress{Doing: runs.Restoring, Total: 1}, "restoring 0/1 tag (0 %)"},
		{runs.Progress{Doing: runs.Applying, Done: 1, Total: 27_200, Left: runs.Seconds(5*time.Hour + 14*time.Minute)}, "applying 1/27,200 (0 %), 0 failed, 5 h 10 min left"},
		{runs.Progress{Doing: runs.Applying, Done: 1, Total: 2, Left: runs.Seconds(43 * time.Second)}, "applying 1/2 (50 %), 0 failed, 45 s left"},
	} {
		if diff := cmp.Diff(tt.want, progress.Words(tt.p)); diff != "" {
			t.Error(diff)
		}
	}
}

// run is one whose steps take half a second each; after a minute a second each.
type run struct{ began time.Time }

func (r run) figures() runs.Progress {
	took := time.Since(r.began)
	done := min(took, time.Minute)/(500*time.Millisecond) + max(0, took-time.Minute)/time.Second
	return runs.Progress{Doing: runs.Applying, Done: int64(done), Total: 600, Failed: 2, Waits: 5, Retries: 1, Retrying: "page 3 of prod/api, 3/5"}
}

// logged is the log of a run of so long.
func logged(t *testing.T, d time.Duration, handler func(*bytes.Buffer, *slog.HandlerOptions) slog.Handler) string {
	t.Helper()
	var b bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		r := &progress.Reporter{Figures: run{time.Now()}.figures, Now: time.Now}
		r.Progress() // the pace is measured from the start
		stop := r.Log(slog.New(handler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.String("at", a.Value.Time().Format("05"))
			}
			return a
		}})))
		time.Sleep(d) // of the bubble: it takes no time
		stop()
		stop()
		time.Sleep(time.Hour)
	})
	return b.String()
}

func TestLogHasALineEvery30Seconds(t *testing.T) {
	text := func(b *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(b, o) }
	if got := logged(t, 29*time.Second, text); got != "" {
		t.Errorf("a short run logs %q", got)
	}
	want := `at=30 level=INFO msg=applying finished=60 steps=600 failed=2 being_confirmed=0 percent=10 time_left="5 min" rate_limit_waits=5 retries=1 retrying="page 3 of prod/api, 3/5"
at=00 level=INFO msg=applying finished=120 steps=600 failed=2 being_confirmed=0 percent=20 time_left="4 min" rate_limit_waits=5 retries=1 retrying="page 3 of prod/api, 3/5"
`
	if diff := cmp.Diff(want, logged(t, 65*time.Second, text)); diff != "" {
		t.Error(diff)
	}
	json := func(b *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(b, o) }
	want = `{"at":"30","level":"INFO","msg":"applying","finished":60,"steps":600,"failed":2,"being_confirmed":0,"percent":10,"time_left":"5 min","rate_limit_waits":5,"retries":1,"retrying":"page 3 of prod/api, 3/5"}
`
	if diff := cmp.Diff(want, logged(t, 31*time.Second, json)); diff != "" {
		t.Error(diff)
	}
}

// The time left follows the pace of the last minute, not that of the whole run.
func TestTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &progress.Reporter{Figures: run{time.Now()}.figures, Now: time.Now}
		at := map[int]time.Duration{0: 0, 2: 0, 10: 290 * time.Second, 60: 240 * time.Second, 180: 360 * time.Second}
		for second := range 181 {
			left := r.Progress().Left.Duration()
			if want, ok := at[second]; ok && (left-want).Abs() > 5*time.Second {
				t.Errorf("after %d s: %s, want %s", second, left, want)
			}
			time.Sleep(time.Second)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := runs.Progress{Doing: runs.Scanning, Done: 50, Total: 100}
		r := &progress.Reporter{Figures: func() runs.Progress { return p }, Now: time.Now}
		for range 10 {
			if left := r.Progress().Left; left != 0 {
				t.Errorf("a run that stands still takes %s", left.Duration())
			}
			time.Sleep(time.Second)
		}
		p.Done = 90
		if r.Progress().Left == 0 {
			t.Error("a run that goes on has no time left")
		}
		p = runs.Progress{Doing: runs.Applying, Done: 95, Total: 100}
		if left := r.Progress().Left; left != 0 {
			t.Errorf("the pace of the scan counts for what follows: %s", left.Duration())
		}
	})
}

// screen is what a terminal shows: each line, and the unfinished last one.
func screen(output string) []string {
	var lines []string
	for _, line := range strings.Split(output, "\n") {
		if i := strings.LastIndex(line, "\r\x1b[K"); i >= 0 {
			line = line[i+len("\r\x1b[K"):]
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTheLineOfATerminalStaysBelowTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		line := progress.NewLine(&b, func() int { return 40 })
		log := slog.New(slog.NewTextHandler(line, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		log.Info("before")
		r := &progress.Reporter{Figures: run{time.Now()}.figures, Now: time.Now}
		stop := r.Show(line)
		time.Sleep(2100 * time.Millisecond)
		log.Warn("during")
		synctest.Wait()
		want := []string{"level=INFO msg=before", "level=WARN msg=during", "applying 4/600 (0 %), 2 failed, retryi…"}
		if diff := cmp.Diff(want, screen(b.String())); diff != "" {
			t.Error(diff)
		}
		stop()
		log.Info("after")
		want = []string{"level=INFO msg=before", "level=WARN msg=during", "level=INFO msg=after", ""}
		if diff := cmp.Diff(want, screen(b.String())); diff != "" {
			t.Error(diff)
		}
	})
}
