package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"

	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// assets are the templates, the style and the script of the page.
//
//go:embed assets
var assets embed.FS

// HTML writes the run as one page for a browser, in one file that asks nothing of
// any host: what the text report says, with charts, and filters over every row.
// Reading it needs no script.
func HTML(w io.Writer, run runs.Run) error {
	p := newPage(run)
	style, err := asset("report.css")
	if err != nil {
		return err
	}
	script, err := asset("report.js")
	if err != nil {
		return err
	}
	p.Style, p.Script = style, script
	// Whatever a name might smuggle in: nothing runs, and nothing is fetched, but
	// what the program itself has put here.
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'",
		digestOf(style), digestOf(script))
	return p.write(w)
}

// DaemonPage writes the page that a daemon shows of itself: how it stands, when it
// works next, how its runs went, and below that the latest run as HTML has it;
// nil where there is none yet. Style and script are not in the page: it names them
// as report.css and report.js under the given path, so that it may be served under
// a policy that forbids what is inline. Assets has the two files.
func DaemonPage(w io.Writer, d runs.Daemon, latest *runs.Run, assets string) error {
	p := &htmlPage{}
	if latest != nil {
		p = newPage(*latest)
	}
	p.Title = "registry-janitor"
	if p.Run != nil {
		p.Title = p.Run.Headline + " · registry-janitor"
	}
	p.Daemon, p.Assets = newDaemonView(&d), assets
	return p.write(w)
}

// Assets are report.css and report.js, which the page of a daemon asks for.
func Assets() fs.FS { return published{} }

// published hides the templates, which are nobody's business.
type published struct{}

func (published) Open(name string) (fs.File, error) {
	if name != "report.css" && name != "report.js" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return assets.Open("assets/" + name)
}

// htmlPage is what the templates are filled with. All text in it that comes from
// outside has been through clean; the templates escape it for where it stands.
type htmlPage struct {
	Title         string
	Policy        string
	Style, Script string // of a page that stands alone
	Assets        string // where they are otherwise
	Daemon        *daemonView
	Run           *runView
}

func newPage(run runs.Run) *htmlPage {
	v := newRunView(&run)
	return &htmlPage{Title: v.Headline + " · " + v.Kicker, Run: v}
}

func (p *htmlPage) write(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"style":     func(s string) template.HTML { return template.HTML("<style>" + s + "</style>") },
		"script":    func(s string) template.HTML { return template.HTML("<script>" + s + "</script>") },
		"thousands": text.Thousands,
		"count":     text.Count,
		"size":      text.Size,
	}).ParseFS(assets, "assets/*.html")
	if err != nil {
		return fmt.Errorf("reading the templates of the page: %w", err)
	}
	if err := t.ExecuteTemplate(w, "page.html", p); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func asset(name string) (string, error) {
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return "", fmt.Errorf("reading a part of the page: %w", err)
	}
	return string(content), nil
}

// digestOf names a text as a content security policy does.
func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
