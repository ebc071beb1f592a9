package browser

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// full is a daemon that has everything a page can show.
func full() (runs.Daemon, *runs.Run) {
	latest := &runs.Run{Plan: Company(60), Kind: "plan", Trigger: "plan */30 * * * *", Started: Noon, Duration: 23 * time.Second, Calls: 214, Exit: 1}
	latest.Plan.Outcome = Applied(latest.Plan)
	latest.Sources = []runs.UseSource{{Name: "kubernetes prod-eu", Uses: 214, ReadAt: Noon}, {Name: "serverless", Error: "403 Forbidden"}}
	d := Leader(latest.Plan)
	d.MayApply = true
	d.Running = &runs.Running{Kind: "plan", Trigger: "http", Started: Noon.Add(-12 * time.Second), Images: 17, Tags: 803}
	d.Reload = runs.Reload{At: Noon.Add(-3 * time.Minute), Error: "janitor.yaml:14: retention[2].delete: older_than: “14” has no unit: write 14d"}
	return d, latest
}

func TestThePageShowsTheDaemon(t *testing.T) {
	browser := chromium(t)
	d, latest := full()
	b := open(t, browser, serve(t, d, latest))
	text := eval[string](b, `document.body.innerText`)
	for _, want := range []string{"629 deleted, 1 changed, 10 not done", "Needs attention", "Planning now", "has no unit", "in 30 min", "Europe/Paris", "403 Forbidden", "Plan now", "A run is in progress", "exit 3"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if got := eval[int](b, `document.querySelectorAll('#history g').length`); got != len(d.Runs) {
		t.Errorf("%d runs in the chart, want %d", got, len(d.Runs))
	}
	b.do(chromedp.Click(chromedp.CSS(`#history details summary`)))
	if got := eval[int](b, `Array.from(document.querySelectorAll('#history tbody tr')).filter(r => r.checkVisibility()).length`); got != len(d.Runs) {
		t.Errorf("%d runs in the table, want %d", got, len(d.Runs))
	}
	b.do(chromedp.Click(chromedp.CSS(`#history details summary`)))
	b.choose(map[string]string{"region": "nl-ams"})
	if steps, _ := wanted(latest.Plan, map[string]string{"region": "nl-ams"}); b.shown("steps") != steps {
		t.Errorf("the filters do not work: %d steps, want %d", b.shown("steps"), steps)
	}
	b.do(chromedp.Click(chromedp.CSS(`form.filters button[type=reset]`)), chromedp.Click(chromedp.CSS(`#theme`)))
	b.picture("daemon-dark", 2600)
	b.do(chromedp.Click(chromedp.CSS(`#theme`)))
	b.picture("daemon-light", 2600)
	if err := b.Look("light", 390, 844); err != nil {
		t.Fatal(err)
	}
	b.picture("daemon-narrow", 4200)
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("a narrow window scrolls sideways: the page is %d wide", wide)
	}
}

func TestAStandbyShowsNoRun(t *testing.T) {
	b := open(t, chromium(t), serve(t, runs.Daemon{Now: Noon, Started: Noon.Add(-time.Minute), Version: "v0.4.0", Leader: "janitor-0"}, nil))
	if text := eval[string](b, `document.body.innerText`); !strings.Contains(text, "Standby") || !strings.Contains(text, "No run yet.") || strings.Contains(text, "Plan now") {
		t.Errorf("the page shows %s", text)
	}
	b.picture("daemon-empty", 1200)
}

// One button starts a plan. An apply needs a typed word first.
func TestAnApplyNeedsAConfirmation(t *testing.T) {
	posts := make(chan string, 10)
	handler := NewDaemon(runs.Daemon{Now: Noon, Leads: true, MayPlan: true, MayApply: true}, nil).Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts <- r.URL.Path + " " + r.FormValue("confirm") + " " + r.Header.Get("Sec-Fetch-Site")
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	b := open(t, chromium(t), server.URL)
	if eval[bool](b, `document.querySelector('form[action="/api/v1/apply"] button').checkVisibility()`) {
		t.Error("one click starts an apply")
	}
	b.do(chromedp.Click(chromedp.CSS(`.danger summary`)), chromedp.Click(chromedp.CSS(`form[action="/api/v1/apply"] button`)))
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=confirm]`), "appl"), chromedp.Click(chromedp.CSS(`form[action="/api/v1/apply"] button`)))
	b.picture("daemon-apply", 1200)
	b.follow(chromedp.SendKeys(chromedp.CSS(`[name=confirm]`), "y\r"))
	b.follow(chromedp.Click(chromedp.CSS(`form[action="/api/v1/plan"] button`)))
	// Without a complete confirmation, nothing was posted.
	for _, want := range []string{"/api/v1/apply apply same-origin", "/api/v1/plan  same-origin"} {
		if got := <-posts; got != want {
			t.Errorf("posted %q, want %q", got, want)
		}
	}
	if len(posts) > 0 {
		t.Errorf("also posted %q", <-posts)
	}
}

func TestAReportFitsANarrowWindow(t *testing.T) {
	page, _ := demo(t)
	b := open(t, chromium(t), page)
	if err := b.Look("light", 390, 844); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Click(chromedp.CSS(`#steps details summary`)))
	b.picture("report-narrow", 3800)
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("a narrow window scrolls sideways: the page is %d wide", wide)
	}
}

// Names and reasons with markup and script are text, and the page works.
func TestHostileNamesAreText(t *testing.T) {
	const attack = `</script><script>window.pwned = 1</script><img src="http://evil.example/x" onerror="window.pwned = 1">"' onclick="window.pwned = 1` + "\u202e"
	plan := Company(60)
	for i := range plan.Steps {
		plan.Steps[i].Tag += attack
		plan.Steps[i].Reasons = []registry.Reason{{Rule: "retention/" + attack, Text: attack, Source: attack}}
	}
	for i := range plan.Held {
		plan.Held[i].Detail += attack
	}
	plan.Gaps = []registry.Gap{{Subject: attack, Error: attack}}
	run := runs.Run{Plan: plan, Error: attack}
	browser := chromium(t)
	for _, address := range []string{reportOf(t, run), serve(t, Leader(plan), &run)} {
		b := open(t, browser, address)
		b.choose(map[string]string{"text": "pwned"})
		if got := b.shown("steps"); got != len(plan.Steps) {
			t.Errorf("%d steps are shown, want %d", got, len(plan.Steps))
		}
		if eval[bool](b, `window.pwned === 1 || document.images.length > 0`) {
			t.Errorf("%s: a name became an element", address)
		}
	}
}

// contrast lists the texts of a page with too little contrast: WCAG 2.2, 1.4.3.
const contrast = `(() => {
	const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return {r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1}; };
	const light = c => { const f = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
		return 0.2126 * f(c.r) + 0.7152 * f(c.g) + 0.0722 * f(c.b); };
	const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c; } return {r: 255, g: 255, b: 255}; };
	const bad = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n = walker.nextNode(); n; n = walker.nextNode()) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.checkVisibility() || e.closest('desc, title')) continue;
		const style = getComputedStyle(e), size = parseFloat(style.fontSize);
		const ink = light(parse(e.namespaceURI.endsWith('svg') ? style.fill : style.color)), paper = light(behind(e));
		const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
		const large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
		if (ratio < (large ? 3 : 4.5)) bad.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ': ' + n.data.trim().slice(0, 30));
	}
	return [...bad];
})()`

func TestThePagesAreAccessible(t *testing.T) {
	browser := chromium(t)
	d, latest := full()
	failing := *latest.Plan
	failing.Gaps = []registry.Gap{{Subject: "rg.fr-par.scw.cloud/prod/api", Error: "500"}}
	failing.Refusals = []actions.Refusal{{Limit: "max_deletions", Detail: "too many"}}
	failing.Violations = []registry.Violation{{Ref: "rg.fr-par.scw.cloud/prod/api", Severity: "deny", Reason: registry.Reason{Rule: "naming/a", Text: "b"}}, {Ref: "rg.fr-par.scw.cloud/prod/api", Severity: "warn", Reason: registry.Reason{Rule: "naming/a", Text: "b"}}}
	latest.Plan = &failing
	page, _ := demo(t)
	for name, address := range map[string]string{"the report": page, "an outcome": reportOf(t, *latest), "the daemon": serve(t, d, latest)} {
		t.Run(name, func(t *testing.T) {
			b := open(t, browser, address)
			b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details').forEach(d => { d.open = true; })`))
			for _, scheme := range []string{"light", "dark"} {
				if err := b.Look(scheme, 1200, 900); err != nil {
					t.Fatal(err)
				}
				for _, bad := range eval[[]string](b, contrast) {
					t.Errorf("in the %s, too little contrast: %s", scheme, bad)
				}
			}
			b.landmarks()
			b.names()
		})
	}
}

func (b *tab) landmarks() {
	b.t.Helper()
	for _, landmark := range []string{"header", "main", "footer", "[role=search]"} {
		selector := landmark
		if landmark == "header" || landmark == "footer" {
			selector = "body > " + landmark
		}
		if n := eval[int](b, `document.querySelectorAll(`+"`"+selector+"`"+`).length`); n != 1 {
			b.t.Errorf("the page has %d of the landmark %s", n, landmark)
		}
	}
	if lang := eval[string](b, `document.documentElement.lang`); lang != "en" {
		b.t.Errorf("the language is %q", lang)
	}
	if title := eval[string](b, `document.title`); title == "" {
		b.t.Error("the page has no title")
	}
	for _, bad := range eval[[]string](b, `(() => {
		const bad = []; let level = 0; const ids = new Set();
		for (const h of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
			const n = Number(h.tagName[1]);
			if (n > level + 1) bad.push(h.tagName + ' after H' + level + ': ' + h.textContent);
			level = n;
		}
		for (const e of document.querySelectorAll('[id]')) { if (ids.has(e.id)) bad.push('twice: ' + e.id); ids.add(e.id); }
		for (const th of document.querySelectorAll('th')) if (!th.scope) bad.push('no scope: ' + th.textContent);
		for (const table of document.querySelectorAll('table')) if (!table.caption) bad.push('no caption');
		return bad;
	})()`) {
		b.t.Error(bad)
	}
}

// names checks that every control and every picture has a name.
func (b *tab) names() {
	b.t.Helper()
	tree, err := chromedp.Call(b.Context, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	need := map[string]bool{
		"button": true, "link": true, "searchbox": true, "textbox": true, "combobox": true, "checkbox": true, "image": true, "img": true,
		"region": true, "search": true, "table": true, "DisclosureTriangle": true, "RootWebArea": true, "heading": true,
	}
	seen := map[string]int{}
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := strings.Trim(string(n.Role.Value), `"`)
		if !need[role] {
			continue
		}
		seen[role]++
		if n.Name == nil || strings.Trim(string(n.Name.Value), `" `) == "" {
			b.t.Errorf("a %s has no name", role)
		}
	}
	for _, role := range []string{"button", "searchbox", "combobox", "checkbox", "image", "heading"} {
		if seen[role] == 0 {
			b.t.Errorf("%s is missing among %v", role, seen)
		}
	}
}
