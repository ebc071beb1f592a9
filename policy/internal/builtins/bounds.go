package builtins

import (
	"math"
	"regexp/syntax"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// element is about what one value of a list takes, in bytes.
const element = 64

func length(t *ast.Term) float64 {
	s, _ := t.Value.(ast.String)
	return float64(len(s))
}

func number(t *ast.Term) float64 {
	n, _ := t.Value.(ast.Number)
	f, _ := n.Float64()
	return f
}

// each visits the elements of a list or set.
func each(t *ast.Term, visit func(*ast.Term)) {
	switch v := t.Value.(type) {
	case *ast.Array:
		v.Foreach(visit)
	case ast.Set:
		v.Foreach(visit)
	}
}

// texts sums up the lengths and the number of the strings in a list or set.
func texts(t *ast.Term) (bytes, count float64) {
	each(t, func(e *ast.Term) {
		bytes += length(e)
		count++
	})
	return bytes, count
}

// tree is what a value takes, in bytes, where each part of it is written out each time
// that it occurs: [x, x] is small in memory, but twice x in a text. It stops counting
// beyond maxResult.
func tree(t *ast.Term) float64 {
	n := 0.0
	var add func(*ast.Term)
	add = func(t *ast.Term) {
		if n > maxResult {
			return
		}
		n += element
		switch v := t.Value.(type) {
		case ast.String:
			n += 6 * float64(len(v)) // escaped
		case ast.Number:
			n += float64(len(v))
		case *ast.Array:
			v.Until(func(e *ast.Term) bool { add(e); return n > maxResult })
		case ast.Set:
			v.Until(func(e *ast.Term) bool { add(e); return n > maxResult })
		case ast.Object:
			v.Until(func(key, value *ast.Term) bool { add(key); add(value); return n > maxResult })
		}
	}
	add(t)
	return n
}

func treeBound(args []*ast.Term) cost {
	n := 0.0
	for _, arg := range args {
		n += tree(arg)
	}
	return memory(n)
}

// printBound: every combination of the values of the arguments is a separate text.
func printBound(args []*ast.Term) cost {
	combinations, size := 1.0, tree(args[0])
	each(args[0], func(e *ast.Term) {
		if set, ok := e.Value.(ast.Set); ok {
			combinations *= float64(max(set.Len(), 1))
		}
	})
	return cost{bytes: size, steps: combinations * size}
}

// parseBound: "[[],[],…" takes far more memory than its text.
func parseBound(args []*ast.Term) cost { return memory(128 * length(args[0])) }

// unitsBound: 1e999999 is a short text.
func unitsBound(args []*ast.Term) cost {
	s, _ := args[0].Value.(ast.String)
	end := strings.TrimRightFunc(string(s), func(r rune) bool { return r < '0' || r > '9' })
	if digits(end) > maxDigits {
		return memory(math.Inf(1))
	}
	return cost{}
}

// digitsBound: a product has as many digits as its factors together.
func digitsBound(args []*ast.Term) cost {
	n := 0.0
	each(args[0], func(e *ast.Term) {
		if v, ok := e.Value.(ast.Number); ok {
			n += float64(digits(string(v)))
		}
	})
	return cost{bytes: n, steps: n * n / 64}
}

func rangeBound(args []*ast.Term) cost {
	step := 1.0
	if len(args) > 2 {
		step = max(number(args[2]), 1)
	}
	return memory(element * math.Abs(number(args[1])-number(args[0])) / step)
}

// subsetBound: a list is looked for at every place of the other.
func subsetBound(args []*ast.Term) cost {
	return cost{steps: tree(args[0]) / element * tree(args[1]) / element}
}

// pairsBound: each text is compared with each.
func pairsBound(args []*ast.Term) cost {
	_, search := texts(args[0])
	_, base := texts(args[1])
	return cost{steps: max(search, 1) * max(base, 1)}
}

func trimBound(args []*ast.Term) cost { return cost{steps: length(args[0]) * length(args[1])} }

func concatBound(args []*ast.Term) cost {
	sum, count := texts(args[1])
	return memory(sum + length(args[0])*count)
}

func replaceBound(args []*ast.Term) cost {
	text, _ := args[0].Value.(ast.String)
	old, _ := args[1].Value.(ast.String)
	if length(args[2]) <= length(args[1]) {
		return cost{}
	}
	return memory(length(args[0]) + float64(strings.Count(string(text), string(old)))*length(args[2]))
}

// replaceNBound: each place of the text is replaced once at most, by the longest.
func replaceNBound(args []*ast.Term) cost {
	patterns, ok := args[0].Value.(ast.Object)
	if !ok {
		return cost{}
	}
	longest := 0.0
	patterns.Foreach(func(_, v *ast.Term) { longest = max(longest, length(v)) })
	return memory(length(args[1]) + (length(args[1])+1)*longest)
}

// sprintfBound: each verb may stand for the longest argument, escaped, and has a
// width and a precision.
func sprintfBound(args []*ast.Term) cost {
	format, _ := args[0].Value.(ast.String)
	longest := 0.0
	each(args[1], func(t *ast.Term) {
		switch v := t.Value.(type) {
		case ast.String:
			longest = max(longest, 4*float64(len(v)))
		case ast.Number:
			longest = max(longest, float64(maxDigits+len(v)))
		default:
			longest = max(longest, 4*tree(t))
		}
	})
	verbs, widths := verbsOf(string(format))
	return memory(length(args[0]) + verbs*longest + widths)
}

// verbsOf counts the verbs of a format, and sums up their widths and precisions. The
// formatter ignores those above a million; * stands for any.
func verbsOf(format string) (verbs, widths float64) {
	const widest = 1e6
	for {
		_, rest, found := strings.Cut(format, "%")
		if !found {
			return verbs, widths
		}
		verbs++
		end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("+-# 0123456789.[]*", r) })
		if end < 0 {
			end = len(rest)
		}
		for _, n := range strings.FieldsFunc(rest[:end], func(r rune) bool { return strings.ContainsRune("+-# .[]", r) }) {
			widths += widest * float64(strings.Count(n, "*"))
			if n = strings.Trim(n, "*"); n != "" {
				widths += min(widest, number(ast.NewTerm(ast.Number(n))))
			}
		}
		format = rest[end:]
		format = strings.TrimPrefix(format, "%") // %% is a verb of its own
	}
}

// listsBound: the elements are shared, the list and their hashes are not.
func listsBound(args []*ast.Term) cost {
	n := 0
	for _, t := range args {
		if list, ok := t.Value.(*ast.Array); ok {
			n += list.Len()
		}
	}
	return memory(element * float64(n))
}

// splitBound: each part is a separate value.
func splitBound(args []*ast.Term) cost {
	text, _ := args[0].Value.(ast.String)
	delimiter, _ := args[1].Value.(ast.String)
	return memory(length(args[0]) + element*float64(strings.Count(string(text), string(delimiter))))
}

func shiftBound(args []*ast.Term) cost {
	if number(args[1]) > 4*maxDigits {
		return memory(max(number(args[1]), maxResult*8+8) / 8)
	}
	return cost{}
}

// globBound: a glob is compiled, and its parts are tried at every place.
func globBound(args []*ast.Term) cost {
	return cost{steps: length(args[0]) * length(args[0]) * (length(args[2]) + 1)}
}

// pattern is what is known of a regular expression.
type pattern struct{ steps, groups float64 }

// patterns remembers what has been computed; it is emptied when it is full.
var patterns = struct {
	sync.Mutex
	known map[string]pattern
}{known: map[string]pattern{}}

const maxPatterns = 1000

// patternOf is about a regular expression; without end for one that is too large, and
// nothing for one that is not valid.
func patternOf(t *ast.Term) pattern {
	s, _ := t.Value.(ast.String)
	patterns.Lock()
	defer patterns.Unlock()
	p, known := patterns.known[string(s)]
	if known {
		return p
	}
	switch n, err := rules.Steps(string(s)); {
	case err == nil:
		parsed, _ := syntax.Parse(string(s), syntax.Perl)
		p = pattern{float64(n), float64(parsed.MaxCap() + 1)}
	case rules.IsLarge(err):
		p = pattern{math.Inf(1), 1}
	}
	if len(patterns.known) == maxPatterns {
		clear(patterns.known)
	}
	if len(s) < 1<<10 {
		patterns.known[string(s)] = p
	}
	return p
}

func patternBound(args []*ast.Term) cost { return cost{steps: patternOf(args[0]).steps} }

func matchBound(args []*ast.Term) cost {
	return cost{steps: patternOf(args[0]).steps * (length(args[1]) + 1)}
}

// find is the cost of some matches in a text: each may read all of the text, and has
// a text for each group.
func find(p pattern, text, matches float64) cost {
	return cost{bytes: matches * p.groups * element, steps: matches * p.steps * (text + 1)}
}

func findBound(args []*ast.Term) cost {
	text := length(args[1])
	matches := text + 1
	if n := number(args[2]); n >= 0 {
		matches = min(matches, n)
	}
	return find(patternOf(args[0]), text, matches)
}

func regexSplitBound(args []*ast.Term) cost {
	text := length(args[1])
	return find(patternOf(args[0]), text, text+1)
}

// regexReplaceBound: a match takes a byte or nothing, and each $1 of what replaces it
// may stand for the whole text.
func regexReplaceBound(args []*ast.Term) cost {
	value, _ := args[2].Value.(ast.String)
	text := length(args[0])
	c := find(patternOf(args[1]), text, text+1)
	c.bytes += text + (text+1)*float64(len(value)) + float64(strings.Count(string(value), "$"))*text
	return c
}
