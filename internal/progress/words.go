package progress

import (
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Words are the figures for a person: "applying 1,769/27,200 (6 %), 0 failed, 19 min
// left".
func Words(p runs.Progress) string {
	words := counts(p)
	if p.Left > 0 {
		words = append(words, rough(time.Duration(p.Left))+" left")
	}
	if p.Waiting > 0 {
		words = append(words, text.Count(p.Waiting, "request")+" "+text.Choose(p.Waiting, "waits", "wait")+" for the rate limit")
	}
	if p.Retrying != "" {
		words = append(words, "retrying "+p.Retrying)
	}
	return strings.Join(words, ", ")
}

// counts begin with what the run does.
func counts(p runs.Progress) []string {
	switch p.Doing {
	case runs.Applying:
		words := []string{p.Doing + " " + share(p) + percent(p), text.Thousands(int(p.Failed)) + " failed"}
		words = append(words, some(p.Watched, "being confirmed")...)
		return append(words, copied(p)...)
	case runs.Restoring:
		return append([]string{p.Doing + " " + share(p) + " " + text.Choose(int(p.Total), "tag", "tags") + percent(p)}, copied(p)...)
	case runs.Scanning, runs.Judging:
		images := text.Choose(int(max(p.Done, p.Total)), "image", "images")
		words := []string{p.Doing + " " + share(p) + " " + images + percent(p), text.Count(int(p.Tags), "tag")}
		words = append(words, some(p.Marked, "marked for deletion")...)
		words = append(words, some(p.Contents, "contents read")...)
		if p.Gaps > 0 {
			words = append(words, text.Count(int(p.Gaps), "gap"))
		}
		return words
	}
	return []string{p.Doing}
}

// Attributes are the same figures for the log.
func Attributes(p runs.Progress) []any {
	var out []any
	add := func(name string, value any) { out = append(out, name, value) }
	switch p.Doing {
	case runs.Applying:
		add("finished", p.Done)
		add("steps", p.Total)
		add("failed", p.Failed)
		add("being_confirmed", p.Watched)
	case runs.Restoring:
		add("finished", p.Done)
		add("tags", p.Total)
	case runs.Scanning, runs.Judging:
		add("images", p.Done)
		if p.Total > 0 {
			add("images_total", p.Total)
		}
		add("tags", p.Tags)
		add("marked", p.Marked)
		add("gaps", p.Gaps)
		if p.Contents > 0 {
			add("contents", p.Contents)
		}
	}
	if p.Copied > 0 {
		add("copied_bytes", p.Copied)
	}
	if n, ok := p.Percent(); ok {
		add("percent", n)
	}
	if p.Left > 0 {
		add("time_left", rough(time.Duration(p.Left)))
	}
	add("rate_limit_waits", p.Waits)
	add("retries", p.Retries)
	if p.Retrying != "" {
		add("retrying", p.Retrying)
	}
	return out
}

func copied(p runs.Progress) []string {
	if p.Copied > 0 {
		return []string{text.Size(uint64(p.Copied)) + " copied"}
	}
	return nil
}

// share is "1,769/27,200", or the first number alone.
func share(p runs.Progress) string {
	done := text.Thousands(int(p.Done))
	if p.Total == 0 {
		return done
	}
	return done + "/" + text.Thousands(int(p.Total))
}

func percent(p runs.Progress) string {
	n, ok := p.Percent()
	if !ok {
		return ""
	}
	return " (" + strconv.Itoa(n) + " %)"
}

// some is a number with a word, if there is any.
func some(n int64, word string) []string {
	if n == 0 {
		return nil
	}
	return []string{text.Thousands(int(n)) + " " + word}
}

// rough is an estimate, no more exact than it deserves: "19 min".
func rough(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "a few seconds"
	case d < 100*time.Second:
		return text.Elapsed(d.Round(5 * time.Second))
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Round(time.Minute)/time.Minute)) + " min"
	}
	return text.Elapsed(d.Round(10 * time.Minute))
}
