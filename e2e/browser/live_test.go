package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// planned is a daemon between two runs, with its latest plan.
func planned() (runs.Daemon, *runs.Run) {
	latest := &runs.Run{ID: "run-0", Plan: Company(60), Kind: "plan", Trigger: "plan */30 * * * *", Started: Noon, Duration: 23 * time.Second}
	return Leader(latest.Plan), latest
}

// A page that is open follows a run, shows its result, and keeps what the reader has
// chosen, opened and written.
func TestAnOpenPageFollowsARun(t *testing.T) {
	status, latest := planned()
	d := NewDaemon(status, latest)
	b := open(t, chromium(t), serveDaemon(t, d))
	b.choose(map[string]string{"text": "pr-201", "ns": "prod"})
	b.do(chromedp.SendKeys(chromedp.CSS(`form.ask [name=ref]`), "rg.fr-par.scw.cloud/prod/api:v1"))
	b.do(chromedp.Click(chromedp.CSS(`#history details summary`)), chromedp.Focus(chromedp.CSS(`form.filters [name=text]`)))
	shown := b.shown("steps")
	if shown == 0 || shown == len(latest.Plan.Steps) {
		t.Fatalf("%d steps are shown", shown)
	}
	d.Change(func(s *runs.Daemon, _ **runs.Run) {
		s.Running = &runs.Running{Kind: "apply", Trigger: "http", Started: Noon.Add(-time.Minute), Applying: Noon.Add(-time.Minute), Steps: 27200, Finished: 1769}
	})
	b.until(`document.querySelector('#running').innerText.includes('1,769 of 27,200 steps (7 %), 0 failed, about 14 min left')`)
	if !eval[bool](b, `document.querySelector('#plan-now button').disabled && document.querySelector('#plan-now').innerText.includes('A run is in progress')`) {
		t.Error("another run can be started")
	}
	d.Change(func(s *runs.Daemon, _ **runs.Run) { s.Running.Finished = 2000 })
	b.until(`document.querySelector('#running').innerText.includes('2,000 of 27,200')`)
	b.picture("daemon-running", 1200)
	d.Change(func(s *runs.Daemon, run **runs.Run) {
		applied := *latest
		applied.Kind, applied.Plan = "apply", Company(60)
		applied.Plan.Outcome = Applied(applied.Plan)
		*run, s.Running = &applied, nil
		s.Changes++
	})
	b.until(`document.querySelector('#headline').innerText.includes('629 deleted')`)
	if eval[bool](b, `document.querySelector('#running').checkVisibility() || document.querySelector('#plan-now button').disabled`) {
		t.Error("the run is over, and the page does not show that")
	}
	b.until(fmt.Sprintf(`Array.from(document.querySelectorAll('#steps li')).filter(li => !li.closest('[hidden]')).length === %d`, shown))
	for what, still := range map[string]string{
		"the filters":  `document.querySelector('form.filters [name=text]').value === 'pr-201' && document.querySelector('form.filters [name=ns]').value === 'prod'`,
		"the address":  `location.hash.includes('text=pr-201')`,
		"the question": `document.querySelector('form.ask [name=ref]').value === 'rg.fr-par.scw.cloud/prod/api:v1'`,
		"the table":    `document.querySelector('#history details').open`,
		"the focus":    `document.activeElement.name === 'text'`,
	} {
		if !eval[bool](b, still) {
			t.Errorf("%s is lost", what)
		}
	}
}

// Without scripts, the page loads itself again.
func TestAPageWithoutScriptsLoadsItselfAgain(t *testing.T) {
	status, latest := planned()
	status.Running = &runs.Running{Kind: "plan", Trigger: "http", Started: Noon}
	d := NewDaemon(status, latest)
	b := open(t, chromium(t), "about:blank")
	if _, err := chromedp.Call(b.Context, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(serveDaemon(t, d)))
	d.Change(func(s *runs.Daemon, _ **runs.Run) { s.Running = nil })
	for deadline := time.Now().Add(30 * time.Second); ; {
		// While the page is loading, it has no answer.
		if running, err := Eval[bool](b.Tab, `document.querySelector('#running').checkVisibility()`); err == nil && !running {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the page still shows the run")
		}
	}
}

func TestThePageAnswersInPlace(t *testing.T) {
	status, latest := planned()
	d := NewDaemon(status, latest)
	b := open(t, chromium(t), serveDaemon(t, d))
	b.do(chromedp.SendKeys(chromedp.CSS(`form.ask [name=ref]`), "rg.fr-par.scw.cloud/prod/api:v1.4.0\r"))
	b.until(`document.querySelector('.answer').innerText.includes('retention/releases')`)
	// A search for what the page does not list becomes a question.
	b.choose(map[string]string{"text": "rg.fr-par.scw.cloud/prod/api:v9.9.9"})
	b.until(`document.querySelector('#steps .none button') !== null`)
	b.do(chromedp.Click(chromedp.CSS(`#steps .none button`)))
	b.until(`document.querySelector('.answer').innerText.includes('v9.9.9') && document.querySelector('.answer').innerText.includes('retention/releases')`)
	b.picture("daemon-explained", 3000)
}

func TestARunThatCannotStartIsExplainedOnThePage(t *testing.T) {
	status, latest := planned()
	d := NewDaemon(status, latest)
	b := open(t, chromium(t), serveDaemon(t, d))
	b.expects = "409 (Conflict)"
	// Another reader was faster, and this page does not know yet.
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#plan-now').id = 'stale'`))
	d.Change(func(s *runs.Daemon, _ **runs.Run) {
		s.Running = &runs.Running{Kind: "plan", Trigger: "http", Started: Noon}
	})
	b.follow(chromedp.Click(chromedp.CSS(`#stale button`)))
	if notice := eval[string](b, `document.querySelector('.notice').innerText`); !strings.Contains(notice, "No plan was started: a run is in progress.") {
		t.Errorf("the page says %q", notice)
	}
}

func TestEarlierRunsAreAClickAway(t *testing.T) {
	status, latest := planned()
	b := open(t, chromium(t), serve(t, status, latest))
	b.do(chromedp.Click(chromedp.CSS(`#history details summary`)))
	b.follow(chromedp.Click(chromedp.CSS(`#history tbody tr:nth-child(6) a`)))
	if !eval[bool](b, `location.pathname === '/runs/run-5' && document.querySelector('.kicker').innerText.includes('Earlier run')`) {
		t.Error("the link leads elsewhere")
	}
	if links := eval[int](b, `document.querySelectorAll('.downloads a[download]').length`); links < 5 {
		t.Errorf("the run can be had in %d formats", links)
	}
	b.follow(chromedp.Click(chromedp.CSS(`.kicker a`)))
	if !eval[bool](b, `location.pathname === '/' && document.querySelector('#schedules') !== null`) {
		t.Error("there is no way back")
	}
}

func TestASearchForWhatIsKeptNamesTheRule(t *testing.T) {
	page, _ := demo(t)
	b := open(t, chromium(t), page+"#?text=prod/api+v1.1")
	none := eval[string](b, `document.querySelector('#steps .none').innerText`)
	if !strings.Contains(none, "kept by retention/releases") || strings.Contains(eval[string](b, `document.body.innerText`), "Nothing here matches") {
		t.Errorf("the answer is %q", none)
	}
	if !eval[bool](b, `document.querySelector('#kept details[open] .set:not([hidden]) .rule').innerText === 'retention/releases'`) {
		t.Error("the tag is not shown")
	}
	b.picture("report-kept", 1200)
	b.choose(map[string]string{"text": "nothing matches this"})
	if none := eval[string](b, `document.querySelector('#steps .none').innerText`); none != "Nothing here matches the filters." {
		t.Errorf("without a match, the answer is %q", none)
	}
}

// No label of a chart is on another one, and whatever is wider than the window shows
// that it goes on.
func TestNothingOverlapsOrIsCutOff(t *testing.T) {
	browser := chromium(t)
	status, latest := planned()
	status.MayApply = true
	for _, n := range []int{1, 9, 10, 30, 46} {
		few := status
		few.Runs = few.Runs[:n]
		b := open(t, browser, serve(t, few, latest))
		for _, width := range []int64{1400, 390} {
			if err := b.Look("light", width, 900); err != nil {
				t.Fatal(err)
			}
			if charts := eval[int](b, `document.querySelectorAll('svg.history').length`); (charts > 0) != (n >= 10) {
				t.Errorf("%d runs have %d charts", n, charts)
			}
			for _, bad := range eval[[]string](b, `(() => {
				const bad = [];
				for (const chart of document.querySelectorAll('svg.chart')) {
					const all = Array.from(chart.querySelectorAll('text')).map(e => [e.textContent, e.getBoundingClientRect()]);
					all.forEach(([one, a], i) => all.slice(i + 1).forEach(([other, b]) => {
						if (a.left < b.right && b.left < a.right && a.top < b.bottom - 1 && b.top < a.bottom - 1) bad.push(one + ' is on ' + other);
					}));
				}
				for (const e of document.querySelectorAll('.scroll')) {
					if (e.checkVisibility() && e.scrollWidth > e.clientWidth && !getComputedStyle(e, '::before').content.includes('Scroll')) bad.push('no hint: ' + e.textContent.trim().slice(0, 40));
				}
				if (document.documentElement.scrollWidth > innerWidth) bad.push('the page is wider than the window');
				return bad;
			})()`) {
				t.Errorf("%d runs in a window of %d: %s", n, width, bad)
			}
		}
	}
}
