package text

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestWords(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{Count(1, "tag"), "1 tag"},
		{Count(0, "tag"), "0 tags"},
		{Count(1200, "tag"), "1,200 tags"},
		{Thousands(-1234567), "-1,234,567"},
		{Size(999), "999 B"},
		{Size(1800000000), "1.8 GB"},
		{Size(120_000_000), "120 MB"},
		{List(nil, "or"), ""},
		{List([]string{"a"}, "or"), "a"},
		{List([]string{"a", "b", "c"}, "or"), "a, b or c"},
		{Some([]string{"b", "a"}), "a and b"},
		{Some([]string{"d", "c", "b", "a"}), "a, b, c and 1 more"},
		{Clip("short", 5), "short"},
		{Clip("längere", 5), "läng…"},
		{Clean("plain"), "plain"},
		{Clean("a\x1b[31m\n\u202e\xff"), `a\x1b[31m\n\u202e\xff`},
		{Clean("é"), "é"},
		{Moment(time.Date(2026, 11, 22, 12, 0, 0, 5, time.Local), nil), time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local).UTC().Format(time.DateTime) + " UTC"},
		{Moment(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), time.FixedZone("CET", 3600)), "2026-11-22 13:00:00 CET"},
		{Color(false).Red("gone"), "gone"},
		{Color(true).Red("gone"), "\x1b[31mgone\x1b[0m"},
		{Color(true).Loud(""), ""},
		{Age(45 * time.Second), "45s"},
		{Age(119 * time.Minute), "119m"},
		{Age(36 * time.Hour), "36h"},
		{Age(40 * day), "40d"},
		{Age(-40 * day), "-40d"},
		{Exact(90 * time.Minute), "1h30m"},
		{Exact(14 * day), "14d"},
		{Exact(0), "0s"},
		{Elapsed(120 * time.Millisecond), "120 ms"},
		{Elapsed(1500 * time.Millisecond), "1.5 s"},
		{Elapsed(302 * time.Second), "5 min 2 s"},
		{Elapsed(2 * time.Hour), "2 h"},
		{Elapsed(52 * time.Hour), "2 d 4 h"},
		{Nearest("olderThan", []string{"younger_than", "older_than"}), "older_than"},
		{Nearest("retension", []string{"retention", "naming"}), "retention"},
		{Nearest("nmae", []string{"image", "name"}), "name"},
		{Nearest("xyz", []string{"retention"}), ""},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

// The smallest duration has no positive counterpart, and must not recurse.
func TestSmallestDuration(t *testing.T) {
	if Age(math.MinInt64) != "-0s" || Elapsed(math.MinInt64) != "-0 ms" {
		t.Errorf("got %s and %s", Age(math.MinInt64), Elapsed(math.MinInt64))
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "größe", "a\x1b[31m\u202e", "\xff\n", "日本", "\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean := Clean(s)
		if strings.ContainsAny(clean, "\n\r\x1b\u202e") || !utf8.ValidString(clean) {
			t.Errorf("%q is not safe to print: %q", s, clean)
		}
		for _, r := range clean {
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				t.Errorf("%q keeps the control character %q", s, r)
			}
		}
		if again := Clean(clean); again != clean {
			t.Errorf("cleaning %q twice gives %q, then %q", s, clean, again)
		}
		if clipped := Clip(clean, 10); utf8.RuneCountInString(clipped) > 10 {
			t.Errorf("%q has more than ten characters", clipped)
		}
	})
}

func TestWrap(t *testing.T) {
	for _, row := range []struct {
		text        string
		first, rest int
		want        string
	}{
		{"", 10, 10, ""},
		{"one two three", 13, 13, "one two three"},
		{"one two three", 12, 12, "one two|three"},
		{"one two three", 3, 9, "one|two three"},
		{"rg.fr-par.scw.cloud/prod/api is long", 5, 7, "rg.fr-par.scw.cloud/prod/api|is long"},
		{"größe über alles", 10, 10, "größe über|alles"},
		{"\x1b[31mred one\x1b[0m two", 11, 11, "\x1b[31mred one\x1b[0m two"},
	} {
		if got := strings.Join(Wrap(row.text, row.first, row.rest), "|"); got != row.want {
			t.Errorf("%q in %d and %d: got %q, want %q", row.text, row.first, row.rest, got, row.want)
		}
	}
}
