package author

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/junit"
)

// JUnit writes the report in the XML that CI systems read: a suite for each
// package, a case for each test.
func (r *TestReport) JUnit(w io.Writer) error {
	root := junit.Suites{Name: "registry-janitor policy test"}
	suites := map[string]*junit.Suite{}
	durations := map[string]time.Duration{}
	var total time.Duration
	for _, t := range r.Results {
		suite := suites[t.Package]
		if suite == nil {
			suite = &junit.Suite{Name: t.Package}
			suites[t.Package] = suite
			root.Suites = append(root.Suites, suite)
		}
		suite.Add(junitCase(t))
		total += t.Duration
		durations[t.Package] += t.Duration
		suite.Time = inSeconds(durations[t.Package])
	}
	root.Time = inSeconds(total)
	return root.Write(w)
}

func junitCase(t TestResult) junit.Case {
	c := junit.Case{
		Name: t.Name, Class: t.Package, File: t.File, Line: strconv.Itoa(t.Line),
		Time: inSeconds(t.Duration), SystemOut: printable(t.Output),
	}
	place := fmt.Sprintf("%s:%d", t.File, t.Line)
	switch t.Outcome {
	case TestFailed:
		c.Failure = &junit.Problem{Message: printable(t.Name + " is not true" + t.Failure.words()), Text: place}
	case TestError:
		c.Error = &junit.Problem{Message: printable(t.Error), Text: place}
	case TestSkipped:
		c.Skipped = &junit.Skipped{}
	}
	return c
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

// printable drops control characters, most of which XML cannot contain.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
