package policy

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// JUnit writes the report in the XML that CI systems read: a suite for each
// package, a case for each test.
func (r *TestReport) JUnit(w io.Writer) error {
	root := junitSuites{Name: "registry-janitor policy test", Tests: len(r.Results), Skipped: r.Skipped}
	index := map[string]int{}
	var total time.Duration
	for _, t := range r.Results {
		i, ok := index[t.Package]
		if !ok {
			i = len(root.Suites)
			index[t.Package] = i
			root.Suites = append(root.Suites, junitSuite{Name: t.Package})
		}
		root.Suites[i].add(t)
		total += t.Duration
	}
	for i := range root.Suites {
		s := &root.Suites[i]
		s.Time = inSeconds(s.took)
		root.Failures += s.Failures
		root.Errors += s.Errors
	}
	root.Time = inSeconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(root); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
	took     time.Duration
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *struct{}     `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (s *junitSuite) add(t TestResult) {
	c := junitCase{Name: t.Name, Class: t.Package, File: t.File, Line: t.Line, Time: inSeconds(t.Duration), Output: printable(t.Output)}
	place := fmt.Sprintf("%s:%d", t.File, t.Line)
	switch t.Outcome {
	case TestFailed:
		s.Failures++
		c.Failure = &junitMessage{Message: t.Name + " is not true", Text: place}
	case TestError:
		s.Errors++
		c.Error = &junitMessage{Message: printable(t.Error), Text: place}
	case TestSkipped:
		s.Skipped++
		c.Skipped = &struct{}{}
	}
	s.Tests++
	s.took += t.Duration
	s.Cases = append(s.Cases, c)
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

// printable drops control characters, most of which XML cannot hold at all.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
