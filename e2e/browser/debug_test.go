package browser

import ("testing";"time";"context";"os";"github.com/chromedp/chromedp")

func TestDebug(t *testing.T) {
	t0 := time.Now()
	lap := func(s string) { t.Logf("%s %v", s, time.Since(t0).Round(time.Millisecond)); t0 = time.Now() }
	os.MkdirAll("/tmp/htmlshot/p", 0o755)
	c := chromium(t); lap("start")
	b := open(t, c, "file:///tmp/htmlshot/demo.html"); lap("open")
	b.do(chromedp.Click(`#goes details.obj summary`, chromedp.ByQuery)); lap("click")
	b.do(chromedp.Click(`#goes .open-all`, chromedp.ByQuery)); lap("open all")
	t.Log(eval[string](b, `JSON.stringify(document.getElementById('full').getBoundingClientRect()) + JSON.stringify(document.querySelector('form.filters').getBoundingClientRect()) + scrollY`))
	ctx, cancel := context.WithTimeout(b.Context, 5*time.Second)
	defer cancel()
	t.Log(chromedp.Do(ctx, chromedp.Click(`#full`, chromedp.ByQuery))); lap("full")
	t.Log(eval[string](b, `JSON.stringify(document.getElementById('full').getBoundingClientRect()) + JSON.stringify(document.querySelector('form.filters').getBoundingClientRect()) + scrollY`))
	lap("eval")
}
