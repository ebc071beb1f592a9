package modules

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// maxResult bounds, in bytes, what one call of a built-in function may make. An
// evaluation is stopped between calls only: a single one that needs more
// memory than the machine has ends the program.
const maxResult = 64 << 20

// bounded makes the built-in functions whose result can be far larger than their
// arguments refuse a result larger than maxResult. OPA keeps its functions in
// one table for the whole process, so this is done once, before the first
// evaluation; it changes no result, it only refuses.
var bounded = sync.OnceFunc(func() {
	for name, size := range map[string]func(args []*ast.Term) float64{
		ast.ArrayConcat.Name:   listsSize,
		ast.Concat.Name:        concatSize,
		ast.Replace.Name:       replaceSize,
		ast.ReplaceN.Name:      replaceNSize,
		ast.RegexReplace.Name:  regexReplaceSize,
		ast.Sprintf.Name:       sprintfSize,
		ast.Split.Name:         splitSize,
		ast.BitsShiftLeft.Name: shiftSize,
	} {
		original := topdown.GetBuiltin(name)
		topdown.RegisterBuiltinFunc(name, func(c topdown.BuiltinContext, args []*ast.Term, iter func(*ast.Term) error) error {
			if n := size(args); n > maxResult {
				return fmt.Errorf("the result would take up to %.0f MiB of memory: at most %d MiB are allowed", math.Ceil(n/(1<<20)), maxResult>>20)
			}
			return original(c, args, iter)
		})
	}
})

// The sizes are upper bounds, in bytes, and 0 for arguments of a wrong type, at
// which the function itself complains.

func length(t *ast.Term) float64 {
	s, _ := t.Value.(ast.String)
	return float64(len(s))
}

// texts sums up the lengths and the number of the strings in a list or set.
func texts(t *ast.Term) (bytes, count float64) {
	add := func(e *ast.Term) {
		bytes += length(e)
		count++
	}
	switch v := t.Value.(type) {
	case *ast.Array:
		v.Foreach(add)
	case ast.Set:
		v.Foreach(add)
	}
	return bytes, count
}

func concatSize(args []*ast.Term) float64 {
	bytes, count := texts(args[1])
	return bytes + length(args[0])*count
}

func replaceSize(args []*ast.Term) float64 {
	text, _ := args[0].Value.(ast.String)
	old, _ := args[1].Value.(ast.String)
	if length(args[2]) <= length(args[1]) {
		return length(args[0])
	}
	return length(args[0]) + float64(strings.Count(string(text), string(old)))*length(args[2])
}

// replaceNSize: each place of the text is replaced once at most, by the longest.
func replaceNSize(args []*ast.Term) float64 {
	patterns, ok := args[0].Value.(ast.Object)
	if !ok {
		return 0
	}
	longest := 0.0
	patterns.Foreach(func(_, v *ast.Term) { longest = max(longest, length(v)) })
	return length(args[1]) + (length(args[1])+1)*longest
}

// regexReplaceSize: a match takes a byte or nothing, and each $1 of what replaces
// it may stand for the whole text.
func regexReplaceSize(args []*ast.Term) float64 {
	value, _ := args[2].Value.(ast.String)
	text := length(args[0])
	groups := float64(strings.Count(string(value), "$"))
	return text + (text+1)*float64(len(value)) + groups*text
}

// sprintfSize: each verb may stand for the longest argument.
func sprintfSize(args []*ast.Term) float64 {
	format, _ := args[0].Value.(ast.String)
	list, ok := args[1].Value.(*ast.Array)
	if !ok {
		return 0
	}
	longest := 0.0
	list.Foreach(func(t *ast.Term) {
		if s, ok := t.Value.(ast.String); ok {
			longest = max(longest, 4*float64(len(s))) // %q and %x write more
		}
	})
	return length(args[0]) + float64(strings.Count(string(format), "%"))*longest
}

// listsSize: the elements are shared, the list of them is not.
func listsSize(args []*ast.Term) float64 {
	n := 0
	for _, t := range args {
		if list, ok := t.Value.(*ast.Array); ok {
			n += list.Len()
		}
	}
	return 16 * float64(n)
}

// splitSize: each part is a term of its own.
func splitSize(args []*ast.Term) float64 {
	const term = 64
	text, _ := args[0].Value.(ast.String)
	delimiter, _ := args[1].Value.(ast.String)
	return length(args[0]) + term*float64(strings.Count(string(text), string(delimiter)))
}

func shiftSize(args []*ast.Term) float64 {
	number, ok := args[1].Value.(ast.Number)
	if !ok {
		return 0
	}
	bits, _, err := big.ParseFloat(string(number), 10, 64, big.ToZero)
	if err != nil {
		return 0
	}
	n, _ := bits.Float64()
	return n / 8
}
