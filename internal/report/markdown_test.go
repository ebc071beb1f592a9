package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

func markdownOf(t *testing.T, run runs.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, FormatMarkdown, run, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// applied is a plan with steps of every result, and a lost tag.
func applied(o plan.Options) *actions.Plan {
	p := world(o)
	details := map[actions.Result]string{
		actions.ResultGone: "", actions.ResultChanged: "its digest is another one now", actions.ResultBlocked: "409: namespace is <locked>",
		actions.ResultFailed: "500 Internal Server Error after 3 tries", actions.ResultSkipped: "not tried: 10 steps failed in a row",
	}
	p.Outcome = &actions.Outcome{Stopped: "10 steps failed in a row", Lost: []string{"rg.fr-par.scw.cloud/prod/api:v1.4.0"}}
	for i, s := range p.Steps {
		result := actions.ResultDone
		if i >= len(p.Steps)-6 {
			result = actions.Results()[i-(len(p.Steps)-6)]
		}
		p.Outcome.Results = append(p.Outcome.Results, actions.StepResult{Ref: s.Ref, Action: s.Action, Result: result, Detail: details[result]})
	}
	for _, r := range p.Outcome.Results {
		switch r.Result {
		case actions.ResultDone:
			p.Outcome.Done++
		case actions.ResultGone:
			p.Outcome.Gone++
		case actions.ResultChanged:
			p.Outcome.Changed++
		case actions.ResultBlocked:
			p.Outcome.Blocked++
		case actions.ResultFailed:
			p.Outcome.Failed++
		default:
			p.Outcome.Skipped++
		}
	}
	return p
}

// large is a plan of many namespaces with everything that can be cut.
func large(namespaces, tags int) *actions.Plan {
	d := newDraft(plan.Options{MaxDeletions: 1, MaxDeletionPercent: 1, MinAge: time.Hour, KeepAtLeast: 1})
	for n := range namespaces {
		v := d.image("fr-par", fmt.Sprintf("team-%03d", n), "service")
		tag(v, "latest", "new", 2*time.Hour)
		for i := range tags {
			tag(v, fmt.Sprintf("pr-%d", i), fmt.Sprint(n, "-", i), time.Duration(15+i)*day, pulls)
		}
		v.Violations = []registry.Violation{
			{Ref: v.Image.Ref().String(), Severity: registry.Deny, Reason: registry.Reason{Rule: "naming/images", Text: "bad name"}},
			{Ref: v.Image.Ref().String(), Severity: registry.Warn, Reason: registry.Reason{Rule: "naming/tags", Text: "odd name"}},
		}
		d.b.AddGap(registry.Gap{Subject: fmt.Sprintf("rg.nl-ams.scw.cloud/team-%03d/api", n), Error: "page 3 of its tags: 500 Internal Server Error", Holds: registry.HoldsItself})
	}
	p := d.plan()
	p.Outcome = &actions.Outcome{Failed: len(p.Steps)}
	for _, s := range p.Steps {
		p.Outcome.Results = append(p.Outcome.Results, actions.StepResult{Ref: s.Ref, Action: s.Action, Result: actions.ResultFailed, Detail: "500 for " + s.Ref})
	}
	return p
}

func TestMarkdown(t *testing.T) {
	noLimit := plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1}
	forecast := noLimit
	forecast.Forecast = true
	for name, run := range map[string]runs.Run{
		"world.md":    {Plan: world(noLimit), Kind: "plan", Duration: 3214 * time.Millisecond, Calls: 1234},
		"applied.md":  {Plan: applied(noLimit), Kind: "apply"},
		"refused.md":  {Plan: world(plan.Options{MaxDeletions: 10, MaxDeletionPercent: 33.3})},
		"gaps.md":     {Plan: withGaps(noLimit)},
		"empty.md":    {Plan: newDraft(noLimit).plan()},
		"forecast.md": {Plan: newDraft(forecast).plan()},
		"hostile.md":  {Plan: hostile(noLimit)},
		"failed.md":   {Kind: "plan", Error: "listing namespaces: 401 Unauthorized"},
	} {
		golden(t, name, markdownOf(t, run))
	}
}

func TestALargePageIsCutWithACountAndKeepsWhatMatters(t *testing.T) {
	for _, size := range []struct{ namespaces, tags int }{{3, 4000}, {150, 60}, {1200, 3}} {
		p := large(size.namespaces, size.tags)
		page := markdownOf(t, runs.Run{Plan: p})
		checkPage(t, page)
		if len(page) < 30_000 {
			t.Errorf("%d namespaces: the page has only %d bytes, though there is more to say", size.namespaces, len(page))
		}
		for _, want := range []string{"**CUT**", "`--format json` have all of it", "**REFUSED**", "#### Gaps: ", "#### Failed and skipped steps", " deny\n"} {
			if !strings.Contains(page, want) {
				t.Errorf("%d namespaces: the page lacks %q", size.namespaces, want)
			}
		}
		if shown, left := gapsShown(t, page); shown+left != size.namespaces {
			t.Errorf("%d gaps are shown and %d counted, of %d", shown, left, size.namespaces)
		}
		steps, left := strings.Count(page, "<code>pr-"), stepsLeft(t, page)
		if steps+left != len(p.Steps) {
			t.Errorf("%d namespaces: %d steps are shown and %d counted, of %d", size.namespaces, steps, left, len(p.Steps))
		}
	}
}

var more = regexp.MustCompile(`… and ([0-9,]+) more`)

func number(t *testing.T, s string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(strings.ReplaceAll(s, ",", ""), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// gapsShown counts the gaps on a page, and those that are counted as left out.
func gapsShown(t *testing.T, page string) (shown, left int) {
	t.Helper()
	_, section, _ := strings.Cut(page, "#### Gaps: ")
	section, _, _ = strings.Cut(section, "\n#### ")
	if m := more.FindStringSubmatch(section); m != nil {
		left = number(t, m[1])
	}
	return strings.Count(section, "500 Internal Server Error"), left
}

// stepsLeft is how many entries of namespaces are counted as left out.
func stepsLeft(t *testing.T, page string) int {
	t.Helper()
	_, section, _ := strings.Cut(page, "#### By namespace")
	section, _, _ = strings.Cut(section, "Violations: ")
	left := 0
	for _, m := range regexp.MustCompile(`\| … and ([0-9,]+) more \||_([0-9,]+) entr(?:y|ies) left out_|more namespaces?, with ([0-9,]+) entr`).FindAllStringSubmatch(section, -1) {
		left += number(t, m[1]+m[2]+m[3])
	}
	return left
}

func TestMarkdownIsTheSameEveryTime(t *testing.T) {
	first := markdownOf(t, runs.Run{Plan: large(20, 30)})
	for range 5 {
		if markdownOf(t, runs.Run{Plan: large(20, 30)}) != first {
			t.Fatal("the same run has two pages")
		}
	}
}

func TestMarkdownReportsAFailedWrite(t *testing.T) {
	full := errors.New("disk full")
	if err := Write(failing{full}, FormatMarkdown, runs.Run{Plan: world(plan.Options{})}, TextOptions{}); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

func TestMarkupIsEscaped(t *testing.T) {
	for in, want := range map[string]string{
		"plain":              "plain",
		"@ada":               "&#64;&#8203;ada",
		"a @ b":              "a &#64; b",
		"fixes #12":          "fixes &#35;&#8203;12",
		"GH-12":              "GH-&#8203;12",
		"!7 %3 $9 &4 ~bug":   "&#33;&#8203;7 %&#8203;3 &#36;&#8203;9 &amp;&#8203;4 &#126;&#8203;bug",
		"50 % of":            "50 % of",
		"a|b":                "a&#124;b",
		"<img src=x>":        "&lt;img src=x&gt;",
		"`a` *b* _c_ [d](e)": "&#96;a&#96; &#42;b&#42; &#95;c&#95; &#91;d&#93;(e)",
		"https://evil.test":  "https&#58;&#8203;//evil.test",
		"www.evil.test":      "www&#8203;.evil.test",
		"</details>":         "&lt;/details&gt;",
		"&lt;":               "&amp;&#8203;lt;",
		"größe\\x1b[2J日本語":   "größe&#92;x1b&#91;2J日本語",
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) is %q, want %q", in, got, want)
		}
	}
	if got, want := code("a@sha256:12|#3"), "<code>a&#64;sha256:12&#124;&#35;3</code>"; got != want {
		t.Errorf("code is %q, want %q", got, want)
	}
}

var (
	entity   = regexp.MustCompile(`&(?:#[0-9]+|[a-z]+);`)
	ownTags  = regexp.MustCompile(`</?(?:details|summary|code|sub)>|<br>`)
	unsafe   = regexp.MustCompile(`[<>@#~\\]|&(?:[^#a-z]|$)`)
	tableRow = regexp.MustCompile(`(?m)^\|.*$`)
)

// checkPage reports what is wrong with a page.
func checkPage(t *testing.T, page string) {
	t.Helper()
	if len(page) > markdownMax {
		t.Errorf("the page has %d bytes", len(page))
	}
	if !utf8.ValidString(page) {
		t.Error("the page is not UTF-8")
	}
	if !strings.HasSuffix(page, "\n") {
		t.Error("the page ends within a line")
	}
	for _, element := range []string{"details", "summary", "code", "sub"} {
		if opened, closed := strings.Count(page, "<"+element+">"), strings.Count(page, "</"+element+">"); opened != closed {
			t.Errorf("%d <%s>, but %d </%s>", opened, element, closed, element)
		}
	}
	for _, r := range tableRow.FindAllString(page, -1) {
		if n := strings.Count(r, "|"); n != 3 {
			t.Errorf("a row of the table has %d bars: %s", n, r)
		}
	}
	for _, line := range strings.Split(page, "\n") {
		rest := strings.TrimLeft(strings.TrimPrefix(line, "> "), "#")
		rest = ownTags.ReplaceAllString(strings.TrimPrefix(rest, ">"), "")
		if bad := unsafe.FindString(entity.ReplaceAllString(rest, "")); bad != "" {
			t.Errorf("%q is left as it is in %q", bad, line)
		}
	}
	for _, r := range page {
		if r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' {
			t.Errorf("%q is in the page", r)
		}
	}
}

// anyPlan is a plan whose every text is from the generator, as a file may have it.
func anyPlan(random *rand.Rand, text func() string, n int) *actions.Plan {
	ref := func() string {
		r := registry.Ref{Region: "fr-par", Namespace: "n" + fmt.Sprint(random.Intn(4)), Image: "i" + fmt.Sprint(random.Intn(4)), Tag: "t" + fmt.Sprint(random.Intn(1000))}
		if random.Intn(5) == 0 {
			return text()
		}
		return r.String()
	}
	reasons := func() (out []registry.Reason) {
		for range random.Intn(3) {
			out = append(out, registry.Reason{Rule: text(), Text: text(), Source: text(), CustomSeverity: text()})
		}
		return out
	}
	pick := []actions.Action{actions.DeleteTag, actions.DeleteImage, actions.DeleteNamespace, actions.SetImageVisibility, actions.SetNamespaceVisibility, "odd"}
	p := &actions.Plan{ID: text(), TakenAt: scanTime, Forecast: random.Intn(2) == 0, Outcome: &actions.Outcome{Stopped: text()}}
	for range random.Intn(n) {
		p.Steps = append(p.Steps, actions.Step{Action: pick[random.Intn(len(pick))], Ref: ref(), Region: "fr-par", Namespace: text(), Image: text(), Tag: text(),
			UpdatedAt: scanTime.Add(-day), From: registry.Visibility(text()), To: registry.Visibility(text()), Reasons: reasons()})
		p.Outcome.Results = append(p.Outcome.Results, actions.StepResult{Ref: ref(), Action: pick[random.Intn(len(pick))], Result: append(actions.Results(), "odd")[random.Intn(7)], Detail: text()})
	}
	for range random.Intn(n) {
		p.Held = append(p.Held, actions.Held{Action: pick[random.Intn(len(pick))], Ref: ref(), Guard: actions.Guard(text()), Detail: text(), Reasons: reasons()})
		p.Violations = append(p.Violations, registry.Violation{Ref: ref(), Severity: []registry.Severity{registry.Deny, registry.Warn, registry.Severity(text())}[random.Intn(3)], Reason: registry.Reason{Rule: text(), Text: text(), Source: text(), CustomSeverity: text()}})
		p.Gaps = append(p.Gaps, registry.Gap{Subject: text(), Error: text()})
		p.Outcome.Lost = append(p.Outcome.Lost, ref())
	}
	for range random.Intn(4) {
		p.Refusals = append(p.Refusals, actions.Refusal{Limit: text(), Detail: text()})
	}
	p.Summary = actions.Summary{Held: len(p.Held), Gaps: len(p.Gaps)}
	return p
}

const nasty = "ab<>&|`*_[]()@#~!$%^\"'\\/:;-.www GH-1\n\r\t\x00\x1b\x7fé日\u202e\u200b\xff{}"

var rarer = flag.Int("rarer", 5, "how much rarer long texts are than short ones")

func TestNoTextInAPlanBreaksThePage(t *testing.T) {
	seed := rand.Int63()
	t.Log("seed", seed)
	random := rand.New(rand.NewSource(seed))
	for longest, worlds := range map[int]int{10: 30, 100: 30, 3000: 30 / *rarer} {
		for range worlds {
			text := func() string {
				var b strings.Builder
				for range random.Intn(longest) {
					b.WriteByte(nasty[random.Intn(len(nasty))])
				}
				return b.String()
			}
			run := runs.Run{Plan: anyPlan(random, text, 60), Error: text(), Kind: runs.Kind(text())}
			checkPage(t, markdownOf(t, run))
			checkSuites(t, junitOf(t, run))
			if t.Failed() {
				return
			}
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	f.Add(int64(1), "plain", "@ada #12")
	f.Add(int64(2), "</details>|", "`\n\n# title\n<script>")
	f.Add(int64(3), "\x1b[2J\xff", strings.Repeat("&", 1000))
	f.Fuzz(func(t *testing.T, seed int64, a, b string) {
		random := rand.New(rand.NewSource(seed))
		text := func() string { return []string{a, b, a + b, ""}[random.Intn(4)] }
		checkPage(t, markdownOf(t, runs.Run{Plan: anyPlan(random, text, 30), Error: text()}))
	})
}

// Beyond its limit, a page says of every namespace what each rule does there before it
// lists anything.
func TestALargePageHasEveryNamespaceByRule(t *testing.T) {
	page := markdownOf(t, runs.Run{Plan: large(150, 60)})
	rows, _, ok := strings.Cut(page, "<details>")
	if !ok {
		t.Fatal("no details fit")
	}
	for n := range 150 {
		want := fmt.Sprintf("| <code>rg.fr-par.scw.cloud/team-%03d</code> retention/pull request builds | 60 tags in 1 image, 15d to 74d old |\n", n)
		if !strings.Contains(rows, want) {
			t.Fatalf("the page lacks %q before its details", want)
		}
	}
	if page := markdownOf(t, runs.Run{Plan: large(3, 20)}); strings.Contains(page, "| namespace and rule |") {
		t.Error("a page that has everything has the rows too")
	}
}
