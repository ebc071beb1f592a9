package builtins

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// An evaluation is stopped between the calls of built-in functions only: a single
// call that asks for more memory than the machine has ends the program, and one that
// counts to the end of time never returns. So each call is bounded before it is made,
// and a function that cannot be bounded is not offered.
const (
	maxResult = 64 << 20  // bytes of memory that one call takes
	maxSteps  = 128 << 20 // steps of one call, each of some nanoseconds
	maxText   = 4 << 20   // bytes of one text
	maxDigits = 400       // of one number; the largest floating-point number has 309
)

// bound is an upper bound of what a call takes beyond the size of its arguments. It
// is 0 for arguments of a wrong type, of which the function itself complains.
type bound func(args []*ast.Term) cost

// cost is what one call takes.
type cost struct{ bytes, steps float64 }

// memory is the cost of what takes only memory.
func memory(n float64) cost { return cost{bytes: n} }

// limitAll puts the bounds around the built-in functions. OPA keeps its
// functions in one table for the whole process, so this is done once, before the
// first evaluation; it changes no result, it only refuses.
var limitAll = sync.OnceFunc(func() {
	for name, most := range offered() {
		original := topdown.GetBuiltin(name)
		if original == nil { // part of the evaluator itself
			continue
		}
		topdown.RegisterBuiltinFunc(name, func(c topdown.BuiltinContext, args []*ast.Term, iter func(*ast.Term) error) error {
			if err := refuse(args, most); err != nil {
				return err
			}
			return original(c, args, iter)
		})
	}
})

// refuse says why a call is not made.
func refuse(args []*ast.Term, most bound) error {
	for _, arg := range args {
		switch v := arg.Value.(type) {
		case ast.String:
			if len(v) > maxText {
				return fmt.Errorf("a text has %d MiB: at most %d MiB are allowed", len(v)>>20, maxText>>20)
			}
		case ast.Number:
			if len(v) > 4 && digits(string(v)) > maxDigits {
				return fmt.Errorf("a number has more than %d digits", maxDigits)
			}
		}
	}
	if most == nil {
		return nil
	}
	switch c := most(args); {
	case c.bytes > maxResult:
		return fmt.Errorf("the result would take up to %.0f MiB of memory: at most %d MiB are allowed", c.bytes/(1<<20), maxResult>>20)
	case c.steps > maxSteps:
		return fmt.Errorf("it would take up to %.0f million steps: at most %d million are allowed", c.steps/(1<<20), maxSteps>>20)
	}
	return nil
}

// digits is how many digits a number has once it is written out.
func digits(number string) int {
	at := strings.IndexAny(number, "eE")
	if at < 0 {
		return len(number)
	}
	exponent, err := strconv.Atoi(number[at+1:])
	if err != nil {
		return maxResult
	}
	return at + max(exponent, -exponent)
}
