package rules

import (
	"runtime"
	"strings"
	"testing"
)

// What would take much memory to compile is refused, and takes none.
func TestPatternsAreBounded(t *testing.T) {
	for name, row := range map[string]struct {
		pattern string
		ok      bool
	}{
		"a short one":                        {"v?[0-9]+(-[a-z0-9]+)*", true},
		"a name of a known length":           {"[a-z0-9]{1,128}(-[a-z0-9]{1,128}){0,5}", true},
		"a list of hundreds of words":        {strings.Repeat("word-[0-9]+|", 300) + "x", true},
		"120 kB of letters":                  {strings.Repeat("a", 120_000), false},
		"120 kB of counts":                   {strings.Repeat("a{1000}", 17_000), false},
		"many counts":                        {strings.Repeat("a{1000}", 11), false},
		"counts of many words":               {"(" + strings.Repeat("word-[0-9]+|", 300) + "x){100}", false},
		"counts within counts":               {"((\\pL{10}){10}){10}" + strings.Repeat("(x{30}y{30}){15}", 10), false},
		"counts of what is very small":       {strings.Repeat("(|a?){1000}", 10), false},
		"counts of what can be left out":     {strings.Repeat("a{0,1000}", 20), false},
		"counts without an end":              {strings.Repeat("a{1000,}", 20), false},
		"many classes of thousands of signs": {strings.Repeat("\\pL", 1300), true},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Anchored(row.pattern)
			runtime.ReadMemStats(&after)
			if row.ok != (err == nil) || !row.ok && !IsLarge(err) {
				t.Errorf("got %v", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 48<<20 {
				t.Errorf("it took %d MiB", took>>20)
			}
		})
	}
}
