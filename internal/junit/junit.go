// Package junit has the elements of JUnit XML, the test report that CI systems
// read: suites of cases that pass, fail, break or are skipped.
//
// Attributes and elements are in the order of the common schema (junit-10.xsd of
// Jenkins' xUnit plugin). The package must never decide what is a test, and it
// does not make text safe to print.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
)

// Suites is a whole report.
type Suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	Counts
	Time   string   `xml:"time,attr,omitempty"` // in seconds
	Suites []*Suite `xml:"testsuite"`
}

// Suite is a group of cases.
type Suite struct {
	Name string `xml:"name,attr"`
	Counts
	Time      string `xml:"time,attr,omitempty"`
	Timestamp string `xml:"timestamp,attr,omitempty"` // without a zone
	Cases     []Case `xml:"testcase"`
}

// Counts are the totals of a suite or of a report. Suite.Add and Suites.Write
// fill them in.
type Counts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

// Case is one test. It passes unless one of Skipped, Error and Failure is set.
type Case struct {
	Name      string   `xml:"name,attr"`
	Class     string   `xml:"classname,attr"`
	File      string   `xml:"file,attr,omitempty"`
	Line      string   `xml:"line,attr,omitempty"`
	Time      string   `xml:"time,attr,omitempty"`
	Skipped   *Skipped `xml:"skipped"`
	Error     *Problem `xml:"error"`
	Failure   *Problem `xml:"failure"`
	SystemOut string   `xml:"system-out,omitempty"`
}

// Skipped is why a test did not run.
type Skipped struct {
	Message string `xml:"message,attr,omitempty"`
}

// Problem is why a test failed or broke.
type Problem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// Add appends a case and counts it.
func (s *Suite) Add(c Case) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// Write adds up the counts of the suites and writes the report.
func (s *Suites) Write(w io.Writer) error {
	s.Counts = Counts{}
	for _, suite := range s.Suites {
		s.Tests += suite.Tests
		s.Failures += suite.Failures
		s.Errors += suite.Errors
		s.Skipped += suite.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return fmt.Errorf("encoding JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
