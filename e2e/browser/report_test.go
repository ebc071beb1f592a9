package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// shown counts the visible rows of a list.
func (b *tab) shown(list string) int {
	b.t.Helper()
	return eval[int](b, fmt.Sprintf(`Array.from(document.querySelectorAll('[data-list=%q] li')).filter(li => !li.closest('[hidden]')).length`, list))
}

// choose sets the filters to exactly these values or words.
func (b *tab) choose(fields map[string]string) {
	b.t.Helper()
	wanted, err := json.Marshal(fields)
	if err != nil {
		b.t.Fatal(err)
	}
	missing := eval[string](b, fmt.Sprintf(`((wanted) => {
		const form = document.querySelector('form.filters');
		for (const name of ['text', 'region', 'ns', 'rule', 'action', 'guard']) {
			const field = form.elements.namedItem(name), value = wanted[name] || '';
			const option = field.options && Array.from(field.options).find(o => o.value === value || o.text === value);
			if (field.options && !option) return name + '=' + value;
			field.value = option ? option.value : value;
		}
		form.requestSubmit();
		return '';
	})(%s)`, wanted))
	if missing != "" {
		b.t.Fatalf("the filters lack %s", missing)
	}
}

// wanted counts the steps and held entries that match the filters, from the plan.
func wanted(p *actions.Plan, f map[string]string) (steps, held int) {
	fits := func(ref string, action actions.Action, guard actions.Guard, text string, reasons []registry.Reason) bool {
		of, _ := registry.ParseRef(ref)
		rule := f["rule"] == ""
		for _, r := range reasons {
			rule = rule || r.Rule == f["rule"]
			text += " " + r.Rule + " " + r.Text
		}
		return rule && (f["region"] == "" || f["region"] == string(of.Region)) && (f["ns"] == "" || f["ns"] == of.Namespace) &&
			(f["action"] == "" || f["action"] == string(action)) && (f["guard"] == "" || f["guard"] == string(guard)) &&
			strings.Contains(strings.ToLower(ref+" "+text), strings.ToLower(f["text"]))
	}
	for _, s := range p.Steps {
		if fits(s.Ref, s.Action, "", s.Digest, s.Reasons) {
			steps++
		}
	}
	for _, h := range p.Held {
		if fits(h.Ref, h.Action, h.Guard, h.Detail, h.Reasons) {
			held++
		}
	}
	return steps, held
}

func TestFilters(t *testing.T) {
	page, plan := demo(t)
	b := open(t, chromium(t), page)
	if got := []int{b.shown("steps"), b.shown("held"), b.shown("violations"), b.shown("gaps")}; got[0] != len(plan.Steps) || got[1] != len(plan.Held) || got[2] != len(plan.Violations) || got[3] != len(plan.Gaps) {
		t.Fatalf("without filters the page shows %v", got)
	}
	b.picture("report-light", 3200)
	for _, f := range []map[string]string{
		{"region": "nl-ams"},
		{"ns": "prod"},
		{"ns": "prod", "region": "fr-par"},
		{"rule": "retention/pull request builds"},
		{"action": "set_image_visibility"},
		{"action": "delete_namespace"},
		{"guard": "report_only"},
		{"guard": "shared_digest", "ns": "prod"},
		{"text": "pr-11"},
		{"text": "FOLLOWS its SUBJECT"},
		{"text": plan.Steps[20].Digest},
		{"text": "checkout", "rule": "retention/branch builds", "region": "fr-par", "action": "delete_tag", "ns": "staging"},
		{"text": "nothing matches this"},
	} {
		b.choose(f)
		steps, held := wanted(plan, f)
		if got := b.shown("steps"); got != steps {
			t.Errorf("%v shows %d steps, want %d", f, got, steps)
		}
		if got := b.shown("held"); got != held {
			t.Errorf("%v shows %d held entries, want %d", f, got, held)
		}
		status := eval[string](b, `document.querySelector('.status').textContent`)
		if want := fmt.Sprintf("%d of %d steps, %d of %d held", steps, len(plan.Steps), held, len(plan.Held)); !strings.Contains(status, want) {
			t.Errorf("%v: the status is %q, want %q", f, status, want)
		}
		if steps == 0 && !eval[bool](b, `!document.querySelector('#steps .none').hidden`) {
			t.Errorf("%v: the page does not say that nothing matches", f)
		}
	}
	b.choose(map[string]string{"rule": "naming/kebab case"})
	if got := b.shown("violations"); got != 2 {
		t.Errorf("the page shows %d violations of one rule", got)
	}
	b.choose(map[string]string{"text": "pr-1", "ns": "prod"})
	b.do(chromedp.ScrollIntoView(chromedp.CSS(`form.filters`)))
	b.picture("report-filtered", 3200)
}

// The address has the filters, so that people can share it.
func TestTheAddressHasTheFilters(t *testing.T) {
	page, plan := demo(t)
	browser := chromium(t)
	b := open(t, browser, page)
	f := map[string]string{"text": "main-10", "rule": "retention/branch builds", "ns": "prod"}
	b.choose(f)
	steps, _ := wanted(plan, f)
	address := eval[string](b, `location.href`)
	again := open(t, browser, address)
	again.until(`document.querySelector('.status').textContent.startsWith('Shown:')`)
	if got := again.shown("steps"); got != steps || steps == 0 {
		t.Errorf("%s shows %d steps, want %d", address, got, steps)
	}
}

func TestAReasonOpensByMouseAndKeyboard(t *testing.T) {
	page, _ := demo(t)
	b := open(t, chromium(t), page)
	const first = `#steps details.obj`
	visible := `document.querySelector('` + first + ` .because').checkVisibility({contentVisibilityAuto: true})`
	if eval[bool](b, visible) {
		t.Fatal("the reason is open at first")
	}
	b.do(chromedp.Click(chromedp.CSS(first + ` summary`)))
	b.until(visible)
	if text := eval[string](b, `document.querySelector('`+first+`').innerText`); !strings.Contains(text, "retention/branch builds") || !strings.Contains(text, "older than 24h") {
		t.Errorf("the reason is %q", text)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`!` + visible)
	b.do(chromedp.Click(chromedp.CSS(`#steps .open-all`)))
	b.until(`document.querySelectorAll('#steps details.obj:not([open])').length === 0`)
	b.do(chromedp.Click(chromedp.CSS(`#full`)))
	if !eval[bool](b, `document.querySelector('#steps li code').checkVisibility()`) {
		t.Error("the digests are not shown")
	}
	b.picture("report-digests", 2600)
	b.do(chromedp.Click(chromedp.CSS(`#full`)))
	b.picture("report-open", 2600)
}

func TestTheKeyboardReachesEverything(t *testing.T) {
	page, _ := demo(t)
	b := open(t, chromium(t), page)
	focus := func() string {
		return eval[string](b, `(() => { const e = document.activeElement; return e.className + '|' + e.id + '|' + (e.name || '') + '|' + e.tagName; })()`)
	}
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := focus(); !strings.HasPrefix(got, "skip|") {
		t.Fatalf("the first focus is %s", got)
	}
	if left := eval[float64](b, `document.activeElement.getBoundingClientRect().left`); left < 0 {
		t.Error("the skip link is invisible when it has the focus")
	}
	seen := map[string]bool{}
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		at := focus()
		seen[at] = true
		if outline := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
			t.Errorf("%s shows no focus", at)
		}
	}
	for _, want := range []string{"quiet|theme||BUTTON", "||text|INPUT", "||region|SELECT", "||ns|SELECT", "||rule|SELECT", "||action|SELECT", "||guard|SELECT", "|full||INPUT", "|||SUMMARY"} {
		if !seen[want] {
			t.Errorf("the keyboard does not reach %s; it reaches %v", want, seen)
		}
	}
	b.do(chromedp.Focus(chromedp.CSS(`form.filters [name=text]`)), chromedp.KeyEvent("pr-2"), chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector('.status').textContent.startsWith('Shown:')`)
	b.do(chromedp.Focus(chromedp.CSS(`form.filters button[type=reset]`)), chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector('.status').textContent === 'Everything is shown.'`)
	if open := eval[int](b, `document.querySelectorAll('details.obj[open]').length`); open != 0 {
		t.Errorf("%d details are still open after the filter was cleared", open)
	}
}

// Typing filters without a button.
func TestTypingFilters(t *testing.T) {
	page, plan := demo(t)
	b := open(t, chromium(t), page)
	b.do(chromedp.SendKeys(chromedp.CSS(`form.filters [name=text]`), "feature"))
	steps, held := wanted(plan, map[string]string{"text": "feature"})
	b.until(fmt.Sprintf(`document.querySelector('.status').textContent.startsWith('Shown: %d of %d steps, %d of')`, steps, len(plan.Steps), held))
	if got := b.shown("gaps"); got != 1 {
		t.Errorf("the page shows %d gaps", got)
	}
}

func TestTheThemeIsRemembered(t *testing.T) {
	page, _ := demo(t)
	b := open(t, chromium(t), page)
	paper := func() string { return eval[string](b, `getComputedStyle(document.documentElement).backgroundColor`) }
	light := paper()
	b.do(chromedp.Click(chromedp.CSS(`#theme`)))
	dark := paper()
	if light == dark || eval[string](b, `document.getElementById('theme').getAttribute('aria-pressed')`) != "true" {
		t.Fatalf("light is %s, dark is %s", light, dark)
	}
	b.picture("report-dark", 3200)
	b.do(chromedp.Reload())
	if got := paper(); got != dark {
		t.Errorf("after a reload it is %s", got)
	}
	b.do(chromedp.Click(chromedp.CSS(`#theme`)))
	if err := b.Look("dark", 1200, 900); err != nil {
		t.Fatal(err)
	}
	if got := paper(); got != light {
		t.Errorf("the system overrules the choice of the reader: %s", got)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`localStorage.clear()`), chromedp.Reload())
	if got := paper(); got != dark {
		t.Errorf("without a choice, the page ignores the preference of the system: %s", got)
	}
}

func TestReadingNeedsNoScript(t *testing.T) {
	page, plan := demo(t)
	b := open(t, chromium(t), "about:blank")
	if _, err := chromedp.Call(b.Context, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(page))
	if eval[bool](b, `document.querySelector('form.filters').checkVisibility() || document.getElementById('theme').checkVisibility()`) {
		t.Error("controls that need a script are shown")
	}
	if got := b.shown("steps"); got != len(plan.Steps) {
		t.Errorf("the page has %d steps", got)
	}
	b.do(chromedp.Click(chromedp.CSS(`#held details summary`)))
	b.until(`document.querySelector('#held details .because').checkVisibility()`)
	b.do(chromedp.Click(chromedp.CSS(`#full`)), chromedp.Click(chromedp.CSS(`#space details summary`)))
	if !eval[bool](b, `document.querySelector('#space table').checkVisibility()`) {
		t.Error("the table of the chart does not open")
	}
	b.picture("report-no-script", 1600)
}

func TestPrintingOpensEverything(t *testing.T) {
	page, plan := demo(t)
	b := open(t, chromium(t), page)
	if _, err := chromedp.Call(b.Context, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event('beforeprint'))`))
	if got := eval[int](b, `Array.from(document.querySelectorAll('#steps li')).filter(li => li.checkVisibility()).length`); got != len(plan.Steps) {
		t.Errorf("%d of %d steps are printed", got, len(plan.Steps))
	}
	if eval[bool](b, `document.querySelector('form.filters').checkVisibility()`) {
		t.Error("the filters are printed")
	}
	b.picture("report-print", 2200)
	b.do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event('afterprint'))`))
	if got := eval[int](b, `document.querySelectorAll('details[open]').length`); got != 0 {
		t.Errorf("%d details are open after printing", got)
	}
}

// The test logs the times and does not check them: they depend on the machine.
func TestTwentyThousandRowsCanBeFiltered(t *testing.T) {
	plan := Company(1250)
	plan.Outcome = Applied(plan)
	if len(plan.Steps) < 20_000 {
		t.Fatalf("%d steps", len(plan.Steps))
	}
	b := open(t, chromium(t), reportOf(t, runs.Run{Plan: plan, Duration: time.Minute}))
	t.Logf("%d steps: loaded in %.0f ms", len(plan.Steps), eval[float64](b, `performance.timing.loadEventEnd - performance.timing.navigationStart`))
	for _, f := range []map[string]string{
		{"text": "pr-2"}, {"text": "pr-25"}, {"region": "nl-ams"}, {"text": "main-", "region": "fr-par"}, {"text": "older"}, {"text": "nothing like it"}, {},
	} {
		took := b.timed(f)
		steps, held := wanted(plan, f)
		if got := b.shown("steps"); got != steps {
			t.Errorf("%v shows %d steps, want %d", f, got, steps)
		}
		if got := b.shown("held"); got != held {
			t.Errorf("%v shows %d held entries, want %d", f, got, held)
		}
		t.Logf("%v: %d steps after %.0f ms, drawn after %.0f ms", f, steps, took[0], took[1])
	}
}

// timed filters, and returns the milliseconds until the filter ended, and until the
// page was drawn.
func (b *tab) timed(f map[string]string) []float64 {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`window.took = null;
		document.addEventListener('submit', () => { window.began = performance.now(); }, {once: true, capture: true});
		document.querySelector('form.filters').addEventListener('submit', () => {
			const filtered = performance.now() - window.began;
			requestAnimationFrame(() => setTimeout(() => { window.took = [filtered, performance.now() - window.began]; }));
		}, {once: true}); void 0`))
	b.choose(f)
	b.until(`window.took !== null`)
	return eval[[]float64](b, `window.took`)
}
