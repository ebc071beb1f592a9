package rules

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// A regular expression is bounded in its length, in bytes, and in the steps that it
// compiles to: 120 kB of "a{1000}" compile to a gigabyte.
const (
	maxPattern = 4 << 10
	maxSteps   = 10_000
)

// errLarge says that a regular expression is larger than the program compiles.
var errLarge = errors.New("too large")

// Anchored compiles a pattern that has to match the whole text.
func Anchored(pattern string) (*regexp.Regexp, error) {
	if _, err := Steps(pattern); err != nil {
		return nil, err
	}
	return regexp.Compile(`^(?:` + pattern + `)$`)
}

// Steps is about how many steps a regular expression compiles to: a match takes at
// most that many for each character. It compiles nothing, and refuses what is not
// valid or too large to be compiled.
func Steps(pattern string) (int, error) {
	if len(pattern) > maxPattern {
		return 0, fmt.Errorf("%w: it has %s characters, and %s are possible", errLarge, text.Thousands(len(pattern)), text.Thousands(maxPattern))
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, err
	}
	n := steps(parsed)
	if n > maxSteps {
		return 0, fmt.Errorf("%w: with its repetitions written out it has about %s steps, and %s are possible", errLarge, text.Thousands(n), text.Thousands(maxSteps))
	}
	return n, nil
}

func steps(r *syntax.Regexp) int {
	n := len(r.Sub)
	for _, sub := range r.Sub {
		n += steps(sub)
	}
	switch r.Op {
	case syntax.OpLiteral:
		return len(r.Rune)
	case syntax.OpRepeat: // the parser refuses more than a thousand copies of a part
		return n * max(r.Min, r.Max, 1)
	}
	return max(n, 1)
}

// IsLarge reports whether a regular expression is refused because it is too large.
func IsLarge(err error) bool { return errors.Is(err, errLarge) }
