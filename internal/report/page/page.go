package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

//go:embed templates
var templates embed.FS

//go:embed report.css report.js
var assets embed.FS

//go:embed report.css
var style string

//go:embed report.js
var script string

// Run writes a run as one file that needs no other.
func Run(w io.Writer, run runs.Run) error {
	p := &page{Run: newRunView(outline.Clean(run))}
	p.Title = p.Run.Headline() + " · " + p.Run.Kicker()
	p.Style, p.Script = style, script
	// Whatever a name contains: nothing runs except the script of the program, and
	// nothing is fetched.
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'",
		digestOf(style), digestOf(script))
	return p.write(w)
}

// Daemon writes the page of a daemon: its state, when it works next, how its runs
// went, and below that its latest run, nil if there is none. The style and the
// script are not in the page: it names them as report.css and report.js under the
// given path, so that it may be served under a policy that forbids what is inline.
// Assets has the two files.
func Daemon(w io.Writer, d runs.Daemon, latest *runs.Run, assets string) error {
	p := &page{Title: "registry-janitor", Daemon: newDaemonView(outline.Clean(d)), Assets: assets}
	if latest != nil {
		p.Run = newRunView(outline.Clean(*latest))
		p.Title = p.Run.Headline() + " · registry-janitor"
	}
	return p.write(w)
}

// Assets are report.css and report.js, for the page of a daemon.
func Assets() fs.FS { return published{} }

// published has the assets without a list of them.
type published struct{}

func (published) Open(name string) (fs.File, error) {
	if name == "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return assets.Open(name)
}

// page is what the templates are filled with.
type page struct {
	Title         string
	Policy        string
	Style, Script string // of a page that stands alone
	Assets        string // where they are otherwise
	Daemon        *daemonView
	Run           *runView
}

func (p *page) write(w io.Writer) error {
	t, err := template.New("page").Funcs(functions()).ParseFS(templates, "templates/*.html")
	if err != nil {
		return fmt.Errorf("reading the templates of the page: %w", err)
	}
	if err := t.ExecuteTemplate(w, "page.html", p); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func functions() template.FuncMap {
	return template.FuncMap{
		"style":     func(s string) template.HTML { return template.HTML("<style>" + s + "</style>") },   //nolint:gosec // a file of the program
		"script":    func(s string) template.HTML { return template.HTML("<script>" + s + "</script>") }, //nolint:gosec // a file of the program
		"thousands": text.Thousands,
		"count":     text.Count,
		"size":      text.Size,
		"moment":    func(at time.Time) string { return text.Moment(at, nil) },
		"stamp":     stamp,
		"took":      text.Elapsed,
		"wall":      wall,
		"in":        in,
		"ago":       ago,
		"exit":      exitWords,
		"shape":     exitShape,
		"startedBy": startedBy,
		"action":    actionWords,
		"guard":     guardWords,
		"results":   actions.Results,
		"result":    resultWords,
		"tone":      resultTone,
		"alike":     outline.Results,
		"chunks":    chunks[actions.StepResult],
		"home":      homeOf,
		"judged":    outline.Judged,
		"place":     outline.Place,
		"spaced":    func(g actions.Guard) string { return spaced(string(g)) },
		"applied": func(r runs.Summary) string {
			return outline.Join(outline.As(r.Done, "done"), outline.As(r.Failed, "failed"), outline.As(r.Skipped, "skipped"))
		},
	}
}

// digestOf names a text as a content security policy does.
func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
