package gateway

import (
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// Faults picks the fault that is due for a request.
type Faults struct {
	mu   sync.Mutex
	list []*armed
}

// armed is a fault with its counters.
type armed struct {
	worlds.Fault
	path, ref      []string // segments of the globs; nil matches everything
	matched, times int      // the requests that it matched, and that it happened to
}

// NewFaults arms the faults of a world.
func NewFaults(list []worlds.Fault) *Faults {
	all := &Faults{}
	for _, f := range list {
		a := &armed{Fault: f}
		if f.Path != "" {
			below, region := worlds.CutRegion(f.Path)
			if slices.Contains(worlds.Regions(), region) {
				a.Region = region
			}
			a.path = strings.Split(strings.ReplaceAll(strings.TrimPrefix(below, "/"), "{region}", "*"), "/")
		}
		if f.Ref != "" {
			a.ref = strings.Split(f.Ref, "/")
		}
		all.list = append(all.list, a)
	}
	return all
}

// Call is a request, as faults see it.
type Call struct {
	*http.Request
	Region string
	Paths  []string // the names that a fault can give to its path
	// Lists reports whether it asks for a listing, Shows whether for what a fault can
	// swap with another object.
	Lists, Shows bool
	Data         bool // whether it is one to the data plane
	// Ref is the name of its object; "" if that does not exist.
	Ref func() string
}

// Pick returns the first fault that is due for a request, or nil. Every fault
// counts all requests that it matches, whichever fault happens.
func (fs *Faults) Pick(c *Call) *worlds.Fault {
	if len(fs.list) == 0 {
		return nil
	}
	ref := sync.OnceValue(func() []string { return strings.Split(c.Ref(), "/") })
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var due *armed
	for _, a := range fs.list {
		if !a.matches(c, ref) {
			continue
		}
		a.matched++
		if due == nil && (a.Every == 0 || a.matched%a.Every == 0) && (a.Times == 0 || a.times < a.Times) {
			due = a
		}
	}
	if due == nil {
		return nil
	}
	due.times++
	f := due.Fault
	return &f
}

func (a *armed) matches(c *Call, ref func() []string) bool {
	switch {
	case a.Method != "" && a.Method != c.Method,
		a.Region != "" && a.Region != c.Region,
		a.path != nil && !slices.ContainsFunc(c.Paths, func(path string) bool {
			return matchSegments(a.path, strings.Split(strings.TrimPrefix(path, "/"), "/"))
		}),
		a.Page != 0 && a.Page != pageOf(c.Request),
		!a.suits(c):
		return false
	}
	return a.ref == nil || ref()[0] != "" && matchSegments(a.ref, ref())
}

// Match reports whether a glob matches a name, segment by segment.
func Match(glob, name string) bool {
	return matchSegments(strings.Split(glob, "/"), strings.Split(name, "/"))
}

func matchSegments(glob, segments []string) bool {
	if len(glob) == 0 {
		return len(segments) == 0
	}
	if glob[0] == "**" {
		return matchSegments(glob[1:], segments) || len(segments) > 0 && matchSegments(glob, segments[1:])
	}
	if len(segments) == 0 {
		return false
	}
	ok, err := path.Match(glob[0], segments[0])
	return err == nil && ok && matchSegments(glob[1:], segments[1:])
}

func pageOf(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		return 1
	}
	return n
}

// suits reports whether a fault of this kind can happen to a request.
func (a *armed) suits(c *Call) bool {
	switch a.Effect() {
	case "short_page", "changed_total", "duplicate_row", "hide":
		return c.Lists
	case "stale":
		return c.Method == http.MethodGet && !c.Data
	case "slow_delete":
		return c.Method == http.MethodDelete && !c.Data
	case "swap_ids":
		return c.Shows
	}
	return true
}
