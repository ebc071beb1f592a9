package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// WaiversAt are the waivers of a configuration at a time, by their terms.
func (c *Config) WaiversAt(now time.Time) Waivers {
	var all Waivers
	for i := range c.Waivers {
		w := &c.Waivers[i]
		switch term, _ := w.TermAt(now, c.Location()); term { // the date was checked
		case rules.InForce:
			all.InForce = append(all.InForce, w)
		case rules.Expiring:
			all.Expiring = append(all.Expiring, w)
		case rules.Ended:
			all.Ended = append(all.Ended, w)
		}
	}
	return all
}

// Waivers are waivers by their terms.
type Waivers struct{ InForce, Expiring, Ended []*rules.Waiver }

// WaiverEnds are the times at which the waivers end.
func (c *Config) WaiverEnds() []time.Time {
	var ends []time.Time
	for i := range c.Waivers {
		if at, err := c.Waivers[i].Ends(c.Location()); err == nil {
			ends = append(ends, at)
		}
	}
	return ends
}

// checkWaivers reports waivers whose keys do not fit together. The prefix is the path of
// their list.
func (d checker) checkWaivers(prefix string, waivers []rules.Waiver) {
	for i := range waivers {
		d.checkMatch(fmt.Sprintf("%s[%d].match", prefix, i), "tag", waivers[i].Match)
	}
}

func checkDate(s string) (message, hint string) {
	if _, err := time.Parse(rules.DateLayout, s); err != nil {
		return "is not a day: " + strictyaml.Quote(s), "write year, month and day, such as 2027-03-31"
	}
	return "", ""
}

// waivers adds the waivers of waivers_file, and returns what is wrong with them.
func (f finder) waivers() strictyaml.Problems {
	const key = "waivers_file"
	if f.WaiversFile == "" || !f.wants(key) {
		return nil
	}
	path := f.Resolve(f.WaiversFile)
	data, err := files.Read(path, maxFileSize)
	if err != nil {
		f.document.Report(key, "cannot be read: "+err.Error(), "write a list of waivers into it: - {match: …, owner: …, reason: …, until: 2027-03-31}; "+relativeHint)
		return nil //nolint:nilerr // it is in the problems of the configuration
	}
	var list []rules.Waiver
	document := format().Parse(path, data, &list)
	checker{document}.checkWaivers("", list)
	var problems strictyaml.Problems
	if err := document.Err(); errors.As(err, &problems) {
		return problems
	}
	f.Waivers = append(f.Waivers, list...)
	return nil
}
