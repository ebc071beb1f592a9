package daemon

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/notify"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
)

// setup is a configuration with everything that is made of it. It never changes.
type setup struct {
	config    *config.Config
	policies  *policy.Engine
	notifier  *notify.Notifier
	schedules []scheduled
	files     string // the state of its files, as snapshot returns it
}

// scheduled is one schedule of a setup.
type scheduled struct {
	name, cron, timezone string
	do                   runs.Kind
	jitter, catchUp      time.Duration
	when                 cron.Schedule
}

// load reads the configuration and its policies.
func load(ctx context.Context, d *daemon) (*setup, error) {
	before := snapshot([]string{d.o.ConfigFile})
	c, err := d.o.Load(d.o.ConfigFile)
	if err != nil {
		return nil, err
	}
	if c.Protect.ReferencesFile == config.StandardInput {
		return nil, c.Problem("protect.references_file", "a daemon has no standard input", "name a file, which is read again for each run")
	}
	if c.LedgerDSN() == "" && d.o.State.Dir == "" {
		return nil, c.Problem("ledger", "an apply needs a ledger or a state directory", "set ledger: {dsn: …}, or name a directory with --state-dir")
	}
	s := &setup{config: c, files: snapshot(watchedFiles(c))} // before the policies are read, so that later changes are noticed
	if snapshot([]string{d.o.ConfigFile}) != before || d.waiversChanged(c) {
		s.files = "" // it changed while it was read, and is read again
	}
	if s.policies, err = janitor.Policies(ctx, c, policy.Options{Logger: d.log}); err != nil {
		return nil, err
	}
	// A new notifier, because a URL may have changed. It repeats messages about problems that last.
	people := Notifications(c)
	people.Sent = d.metrics.Notified
	if s.notifier, err = notify.New(people); err != nil {
		return nil, err
	}
	s.schedules, err = schedulesOf(c)
	return s, err
}

// waiversChanged reports whether the file of waivers is another than a configuration read.
func (d *daemon) waiversChanged(c *config.Config) bool {
	if c.WaiversFile == "" {
		return false
	}
	again, err := d.o.Load(d.o.ConfigFile)
	return err != nil || again.Digest() != c.Digest()
}

// schedulesOf gives every schedule a unique name.
func schedulesOf(c *config.Config) ([]scheduled, error) {
	var all []scheduled
	used := map[string]int{}
	for _, s := range c.Schedules {
		zone := s.Timezone
		if zone == "" {
			zone = c.Timezone
		}
		when, err := newCalendar(s.Cron, zone)
		if err != nil {
			return nil, fmt.Errorf("the schedule %q: %w", s.Cron, err) // config has checked it
		}
		name := s.Name
		if name == "" {
			name = s.Do + " " + s.Cron
		}
		if used[name]++; used[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, used[name])
		}
		all = append(all, scheduled{
			name: name, cron: s.Cron, timezone: zone, do: runs.Kind(s.Do), jitter: s.Jitter.Duration(), catchUp: s.CatchUp.Duration(), when: when,
		})
	}
	return all, nil
}

// use puts a setup into force.
func (d *daemon) use(s *setup) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setup = s
	d.reload = runs.Reload{At: d.o.Session.Now()}
	d.changes++
	var names []string
	for _, x := range s.schedules {
		names = append(names, x.name)
		if d.schedules[x.name] == nil {
			d.schedules[x.name] = newSchedule()
		}
	}
	d.metrics.ForgetSchedules(names)
	d.metrics.Reloaded(d.reload.At, true)
	close(d.changed)
	d.changed = make(chan struct{})
}

// Reload reads the configuration again. An invalid one changes nothing.
func (d *daemon) Reload(ctx context.Context) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	s, err := load(ctx, d)
	if err != nil {
		d.set(func() {
			d.reload = runs.Reload{At: d.o.Session.Now(), Error: err.Error()}
			d.changes++
		})
		d.metrics.Reloaded(d.o.Session.Now(), false)
		d.log.Error("the configuration was not loaded, and the previous one stays in force", "error", err)
		return err
	}
	d.use(s)
	d.warnIdle(s)
	d.log.Info("configuration loaded", "config_digest", s.config.Digest(), "policy_digest", s.policies.Digest())
	return nil
}

// warnIdle warns of a daemon that would only wait.
func (d *daemon) warnIdle(s *setup) {
	if len(s.schedules) == 0 {
		d.log.Warn("the configuration has no schedules, so no run starts by itself: add some, such as schedules: [{cron: \"0 3 * * *\", do: plan}], or start runs over HTTP")
	}
}

// pollEvery is how often the daemon checks its files for changes. It polls, because
// that works on every file system, and through the symbolic links that Kubernetes
// replaces.
const pollEvery = time.Second

// watch reloads on request, and when a file has changed and then stayed unchanged for
// a moment.
func (d *daemon) watch(ctx context.Context) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	loaded := d.current()
	seen := loaded.files // what was loaded, or could not be
	before := seen
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.o.Reload:
			d.log.Info("reload requested")
			seen = d.reloadNow(ctx)
		case <-ticker.C:
			if s := d.current(); s != loaded { // reloaded over HTTP
				loaded, seen = s, s.files
			}
			now := snapshot(watchedFiles(d.current().config))
			if now != seen && now == before {
				d.log.Info("a file of the configuration has changed: reloading")
				seen = d.reloadNow(ctx)
			}
			before = now
		}
	}
}

// reloadNow returns the state of the files before they were read.
func (d *daemon) reloadNow(ctx context.Context) string {
	before := snapshot(watchedFiles(d.current().config))
	if d.Reload(ctx) == nil {
		return d.current().files
	}
	return before
}

// watchedFiles are the files and folders of a configuration.
func watchedFiles(c *config.Config) []string {
	files := append([]string{c.File}, c.PolicyPaths()...)
	if key := c.Resolve(c.Policy.VerificationKey); key != "" {
		files = append(files, key)
	}
	if c.WaiversFile != "" {
		files = append(files, c.Resolve(c.WaiversFile))
	}
	for _, n := range c.Notifications {
		if n.URLFile != "" {
			files = append(files, c.Resolve(n.URLFile))
		}
	}
	return files
}

// snapshot describes files, and everything in folders, so that a change shows.
func snapshot(paths []string) string {
	var b strings.Builder
	for _, path := range paths {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target // WalkDir does not follow a link to a folder
		}
		_ = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				fmt.Fprintf(&b, "%s: %v\n", name, err)
				return nil
			}
			info, err := os.Stat(name) // of the target of a link
			if err != nil {
				fmt.Fprintf(&b, "%s: %v\n", name, err)
				return nil
			}
			if !info.IsDir() {
				fmt.Fprintf(&b, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	return b.String()
}
