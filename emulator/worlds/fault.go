package worlds

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

// Fault is something that goes wrong. The first five fields select the requests,
// Times and Every how often, the others how. If several faults are due for one
// request, the first one of the file happens.
//
// Kinds, and the fields that belong to them:
//
//	status          an error status instead of an answer: status, body, message, retry_after (the default with a status)
//	empty_body      200 without a body
//	html            200 with a web page
//	redirect        a redirect to location; status is 302 unless given (the default with a location)
//	hang            no answer until the client gives up
//	reset           the connection is reset without an answer
//	truncated_json  the answer ends in the middle
//	cut_body        the connection is reset in the middle of the answer
//	short_page      rows are missing at the end of the page: rows (1 unless given)
//	changed_total   total_count differs from page to page
//	duplicate_row   the first row again in place of the last one
//	stale           a GET is answered as the registry was then: stale, how long ago
//	hide            rows are missing from listings, which count without them; they are still inline, and still there: hide, a glob over the name of the row or its reference
//	slow_delete     a DELETE is answered now, and the object gone later; until then it looks untouched: slow_delete, how much later; and status if the answer is an error
//	swap_ids        the answer shows another object: the next one of that kind, or in a listing what belongs to it (in a listing of tags those of another image)
//	delay           only delay or date_offset (the default with one of them)
type Fault struct {
	// Method is an HTTP method; "" means any.
	Method string `yaml:"method" is:"method"`
	// Path is a glob over the path below /registry/v1/regions/{region}, with or
	// without that prefix: * matches within one segment, ** any segments. For the
	// serverless APIs it is over the whole path, such as
	// /containers/v1/regions/*/containers, or is /containers or /job-definitions.
	Path string `yaml:"path" is:"path"`
	// Region limits the fault to one region.
	Region string `yaml:"region" one:"fr-par|nl-ams|pl-waw|it-mil"`
	// Ref is a glob over the name of the object of the request: namespace,
	// namespace/image or namespace/image:tag. The listing of an image's tags has the
	// image as its object; the listings of a region have none.
	Ref string `yaml:"ref" is:"glob"`
	// Page is the page of the request, which is 1 if it names none.
	Page int `yaml:"page"`

	// Times is how often the fault happens; 0 means always.
	Times int `yaml:"times"`
	// Every n-th matching request has the fault; 0 and 1 mean each.
	Every int `yaml:"every"`

	Kind   string `yaml:"kind" one:"status|empty_body|html|redirect|hang|reset|truncated_json|cut_body|short_page|changed_total|duplicate_row|stale|hide|slow_delete|swap_ids|delay"`
	Status int    `yaml:"status"`
	// Body of an error status: json (the default), text, html or empty. A 429 has an
	// empty body and the header X-Envoy-Ratelimited by default.
	Body string `yaml:"body" one:"json|text|html|empty"`
	// Message in the body of an error status; "" means one that fits the status.
	Message string `yaml:"message" lines:"ok"`
	// RetryAfter sets the Retry-After header, in whole seconds.
	RetryAfter time.Duration `yaml:"retry_after"`
	// Location is where a redirect points; the path and the query of the request are
	// added to a bare host.
	Location string `yaml:"location"`
	// When the fault happens: before the API acts (the default), or after, so that
	// the fault hides the answer. Kinds that spoil the answer always happen after.
	When string `yaml:"when" one:"before|after"`
	// Rows missing from a short page.
	Rows int `yaml:"rows"`
	// Stale is how long ago the answer was true.
	Stale time.Duration `yaml:"stale"`
	// Hide is a glob over the rows that a listing leaves out, by the name of the row or
	// by its reference as in Ref.
	Hide string `yaml:"hide" is:"glob"`
	// SlowDelete is how long after the answer an object is deleted. Without Status the
	// answer is that of a deletion, with it an error.
	SlowDelete time.Duration `yaml:"slow_delete"`
	// SwapIDs shows the row of another object. A change or deletion affects the one
	// that was asked for.
	SwapIDs bool `yaml:"swap_ids"`
	// Delay is added to the latency, with any kind.
	Delay time.Duration `yaml:"delay"`
	// DateOffset is added to the Date header, with any kind.
	DateOffset time.Duration `yaml:"date_offset" signed:"yes"`
}

// Effect is the kind of a fault, found from its other fields if it names none.
func (f *Fault) Effect() string {
	switch {
	case f.Kind != "":
		return f.Kind
	case f.Stale != 0:
		return "stale"
	case f.Hide != "":
		return "hide"
	case f.SlowDelete != 0:
		return "slow_delete"
	case f.SwapIDs:
		return "swap_ids"
	case f.Location != "":
		return "redirect"
	case f.Status != 0:
		return "status"
	case f.Delay != 0 || f.DateOffset != 0:
		return "delay"
	}
	return ""
}

// SpoilsAnswer reports whether a fault changes an answer of the API, so that it
// always happens after the API has acted.
func (f *Fault) SpoilsAnswer() bool {
	switch f.Effect() {
	case "truncated_json", "cut_body", "short_page", "changed_total", "duplicate_row", "stale", "hide", "slow_delete", "swap_ids", "delay":
		return true
	}
	return false
}

// CutRegion splits a path of the registry into what is below the region and the
// region: "/images" and "fr-par". Any other path has no region.
func CutRegion(path string) (below, region string) {
	rest, ok := strings.CutPrefix(path, "/registry/v1/regions/")
	if !ok {
		return path, ""
	}
	region, below, _ = strings.Cut(rest, "/")
	return "/" + below, region
}

func (c checker) fault(f *Fault, at string) {
	kind := f.Effect()
	if kind == "" {
		if c.Clean(at) {
			c.Report(at, "has no effect", "give a status or a kind")
		}
		return
	}
	c.faultStatus(f, kind, at)
	c.faultFields(f, kind, at)
	c.faultMoment(f, kind, at)
}

// faultStatus checks the status that a fault answers with.
func (c checker) faultStatus(f *Fault, kind, at string) {
	isError := kind == "status" || kind == "slow_delete" && f.Status != 0
	switch {
	case isError && (f.Status < 400 || f.Status > 599):
		c.Report(at+".status", fmt.Sprintf("must be an error status, not %d", f.Status), "write a number from 400 to 599")
	case kind == "redirect" && f.Status != 0 && (f.Status < 300 || f.Status > 399):
		c.Report(at+".status", fmt.Sprintf("must be the status of a redirect, not %d", f.Status), "write a number from 300 to 399, or remove the key")
	case !isError && kind != "redirect" && f.Status != 0:
		c.Report(at+".status", "is not a key of the kind "+kind, "remove the status or the kind")
	}
}

// faultFields checks that a fault has the keys of its kind, and no others.
func (c checker) faultFields(f *Fault, kind, at string) {
	answersError := kind == "status" || kind == "slow_delete" && f.Status != 0
	for _, field := range []struct {
		key     string
		given   bool
		kind    string
		fits    bool
		missing string // what to do if it is required
	}{
		{"stale", f.Stale != 0, "stale", kind == "stale", "say how long ago the answer was true, such as 30s"},
		{"hide", f.Hide != "", "hide", kind == "hide", "give a glob, such as pr-*"},
		{"slow_delete", f.SlowDelete != 0, "slow_delete", kind == "slow_delete", "say how long after the answer, such as 45s"},
		{"swap_ids", f.SwapIDs, "swap_ids", kind == "swap_ids", ""},
		{"body", f.Body != "", "status", answersError, ""},
		{"message", f.Message != "", "status", answersError, ""},
		{"retry_after", f.RetryAfter != 0, "status", answersError, ""},
		{"location", f.Location != "", "redirect", kind == "redirect", "a redirect needs one, such as https://registry.example"},
		{"rows", f.Rows != 0, "short_page", kind == "short_page", ""},
	} {
		switch {
		case field.given && !field.fits:
			c.Report(at+"."+field.key, "is a key of the kind "+field.kind+" only", "remove it, or change the kind")
		case !field.given && field.fits && field.missing != "":
			c.Report(at+"."+field.key, "is missing", field.missing)
		}
	}
	if f.RetryAfter%time.Second != 0 {
		c.Report(at+".retry_after", "must be a whole number of seconds", "round it: the header has seconds only")
	}
}

// faultMoment checks that a kind can happen to the requests of its method, and when
// the fault asks for it.
func (c checker) faultMoment(f *Fault, kind, at string) {
	methods := map[string]string{"stale": "GET", "hide": "GET", "slow_delete": "DELETE"}
	if only := methods[kind]; only != "" && f.Method != "" && f.Method != only {
		c.Report(at+".method", "must be "+only+": the kind "+kind+" applies to no other method", "write "+only+", or remove the key")
	}
	if f.When == "before" && f.SpoilsAnswer() {
		c.Report(at+".when", "must not be before: the kind "+kind+" changes what the API answered", "remove the key")
	}
}

func checkMethod(s string) (message, hint string) {
	if strings.ContainsFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return fmt.Sprintf("is not a method: %q", s), "write it in capitals: GET, POST, PATCH or DELETE"
	}
	return "", ""
}

// checkPath is for globs over paths. A region in them must exist.
func checkPath(s string) (message, hint string) {
	if _, region := CutRegion(s); region != "" && region != "*" && region != "{region}" && !slices.Contains(Regions(), region) {
		_, hint = strictyaml.NotOneOf(region, append(Regions(), "*"))
		return fmt.Sprintf("is not a known region: %q", region), hint
	}
	return checkGlob(s)
}

func checkGlob(s string) (message, hint string) {
	for segment := range strings.SplitSeq(s, "/") {
		if _, err := path.Match(segment, ""); err != nil {
			return fmt.Sprintf("is not a valid glob: %q", s), "close every [, and write * for one segment, ** for any"
		}
	}
	return "", ""
}
