package rules

import (
	"errors"
	"regexp"
)

// Capture takes a part out of a name. Its pattern is anchored at both ends.
type Capture struct {
	regex *regexp.Regexp
	index int // of the capture group
}

// NewCapture compiles a pattern. The capture group with the given name takes the
// part, or else the first one.
func NewCapture(pattern, group string) (*Capture, error) {
	regex, err := Anchored(pattern)
	if err != nil {
		return nil, err
	}
	if regex.NumSubexp() == 0 {
		return nil, errors.New("it has no capture group: " + pattern)
	}
	return &Capture{regex: regex, index: max(1, regex.SubexpIndex(group))}, nil
}

// Of is the captured part of a name, which may be empty. It is false for a name that
// the pattern does not match.
func (c *Capture) Of(name string) (string, bool) {
	at := c.regex.FindStringSubmatchIndex(name)
	if at == nil {
		return "", false
	}
	from, to := at[2*c.index], at[2*c.index+1]
	return name[max(0, from):max(0, to)], true
}
