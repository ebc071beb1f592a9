package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

//go:embed templates
var templates embed.FS

//go:embed report.css report.js daemon.js
var assets embed.FS

//go:embed report.css
var style string

//go:embed report.js
var script string

// Run writes a run as one file that needs no other. again returns a command with the same
// configuration; nil names none.
func Run(w io.Writer, run runs.Run, again func(args ...string) string) error {
	p := &page{Run: newRunView(outline.Clean(run), time.Time{}), zone: run.Zone, again: again}
	p.Title = p.Run.Headline() + " · " + p.Run.Kicker()
	p.Style, p.Script = style, script
	// Whatever a name contains, nothing runs except the script of the program, and
	// nothing is fetched.
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'",
		digestOf(style), digestOf(script))
	return p.write(w, "page.html")
}

// Daemon writes the page of a daemon: its latest run and whether anything needs
// attention, what it does and when it works next, and how its runs went. The style
// and the scripts are not in the page: it names them under the given path, so that it
// may be served under a policy that forbids what is inline. Assets has the files.
func Daemon(w io.Writer, o runs.Overview, assets string) error {
	lines := strings.Split(o.Explanation, "\n") // which Clean would show as \n
	o = outline.Clean(o)
	o.Explanation = strings.Join(outline.Clean(lines), "\n")
	p := &page{Title: "registry-janitor", Daemon: newDaemonView(o), Assets: assets, now: o.Now, zone: o.Zone}
	if o.Run != nil {
		run := *o.Run
		run.Zone = o.Zone
		p.Run = newRunView(run, o.Now)
		p.Title = p.Run.Headline() + " · registry-janitor"
	}
	return p.write(w, "page.html")
}

// Updates writes the parts of the page of a daemon that change while it is open: the run
// in progress, the clock, and whether a plan may be started.
func Updates(w io.Writer, d runs.Daemon) error {
	p := &page{Daemon: newDaemonView(outline.Clean(runs.Overview{Daemon: d})), zone: d.Zone}
	return p.write(w, "live.html")
}

// Assets are report.css, report.js and daemon.js, for the page of a daemon.
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
	Style, Script string // of a page that needs no other files
	Assets        string // where they are otherwise
	Daemon        *daemonView
	Run           *runView
	now           time.Time      // zero if it is that of the run
	zone          *time.Location // nil means UTC
	again         func(args ...string) string
}

func (p *page) write(w io.Writer, name string) error {
	t, err := template.New("page").Funcs(p.functions()).ParseFS(templates, "templates/*.html")
	if err != nil {
		return fmt.Errorf("reading the templates of the page: %w", err)
	}
	if err := t.ExecuteTemplate(w, name, p); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func (p *page) functions() template.FuncMap {
	now, zone := p.now, p.zone
	return template.FuncMap{
		"style":     func(s string) template.HTML { return template.HTML("<style>" + s + "</style>") },   //nolint:gosec // a file of the program
		"script":    func(s string) template.HTML { return template.HTML("<script>" + s + "</script>") }, //nolint:gosec // a file of the program
		"thousands": text.Thousands,
		"count":     text.Count,
		"size":      text.Size,
		"moment":    func(at time.Time) string { return text.Moment(at, zone) },
		"stamp":     func(at time.Time) string { return stamp(at, zone) },
		"took":      text.Elapsed,
		"wall":      func(at time.Time) string { return wall(at, zone) },
		"day":       func(at time.Time) string { return inZone(at, zone).Format("2 Jan 15:04") },
		"in":        in,
		"ago":       ago,
		"exit":      describeExit,
		"shape":     exitShape,
		"startedBy": startedBy,
		"action":    describeAction,
		"guard":     describeGuard,
		"results":   actions.Results,
		"result":    describeResult,
		"tone":      resultTone,
		"alike":     outline.Results,
		"archived":  func(o *actions.Outcome) string { return outline.Archived(o, now, zone) },
		"noCopy":    outline.Unarchived,
		"again":     p.command,
		"firstCopy": func(o *actions.Outcome) actions.StepResult { return outline.FirstCopy(o, now) },
		"readable":  p.readable,
		"chunks":    chunks[actions.StepResult],
		"home":      homeOf,
		"judged":    outline.Judged,
		"place":     outline.Place,
		"spaced":    func(g actions.Guard) string { return spaced(string(g)) },
		"fileName":  fileName,
		"applied": func(r runs.Summary) string {
			return outline.Join(outline.As(r.Done, "done"), outline.As(r.Failed, "failed"), outline.As(r.Skipped, "skipped"))
		},
	}
}

// command is a command with the same configuration, if that is known.
func (p *page) command(args ...string) string {
	if p.again == nil {
		return "registry-janitor " + strings.Join(args, " ")
	}
	return p.again(args...)
}

// readable reports whether restore finds the copies of a run: a daemon may have another
// archive by now.
func (p *page) readable(o *actions.Outcome) bool {
	return p.Daemon == nil || outline.FirstCopy(o, p.now).Archived.To == p.Daemon.Archive
}

// digestOf names a text as a content security policy does.
func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
