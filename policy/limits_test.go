package policy

import (
	"context"
	"flag"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// bombs are policies that take as much memory or time as they can, for images
// called bomb only.
var bombs = map[string]string{
	"a loop that never ends":          `xs := numbers.range(1, 100000); some a in xs; some b in xs; a + b == 0`,
	"a list without end":              `xs := [s | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000); s := sprintf("%d-%d", [a, b])]; count(xs) == 0`,
	"a set without end":               `xs := {[a, b] | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000)}; count(xs) == 0`,
	"a range without end":             `count(numbers.range(1, 100000000000)) == 0`,
	"texts that double":               doubling(`s%d := concat("", [s%d, s%d])`, `s0 := "0123456789abcdef"`, `s60 == ""`),
	"texts that double by replace":    doubling(`s%d := replace(s%d, "0", "00")`, `s0 := "0000000000"`, `s60 == ""`),
	"lists that double":               doubling(`s%d := array.concat(s%d, s%d)`, `s0 := [1, 2, 3, 4]`, `count(s60) == 0`),
	"a text joined by itself":         `s := concat(",", ["0123456789" | some _ in numbers.range(1, 50000)]); t := concat(s, split(s, ",")); t == ""`,
	"a text replaced by itself":       `s := concat("0", ["0123456789" | some _ in numbers.range(1, 50000)]); t := replace(s, "0", s); t == ""`,
	"a text that a regex multiplies":  `s := concat("0", ["0123456789" | some _ in numbers.range(1, 50000)]); t := regex.replace(s, "0", s); t == ""`,
	"a text replaced many times":      `s := concat("0", ["0123456789" | some _ in numbers.range(1, 50000)]); t := strings.replace_n({"0": s}, s); t == ""`,
	"a text formatted many times":     `s := concat("0", ["0123456789" | some _ in numbers.range(1, 50000)]); f := concat("", ["%[1]s" | some _ in numbers.range(1, 50000)]); t := sprintf(f, [s]); t == ""`,
	"a number shifted out of sight":   `bits.lsh(1, 1000000000000000) == 0`,
	"a number shifted to the end":     `bits.lsh(1, 18446744073709551615) == 0`,
	"a text cut into its letters":     `s := concat("", ["0123456789abcdef0123456789abcdef" | some _ in numbers.range(1, 50000)]); t := split(s, ""); count(t) == 0`,
	"all of it twice at once":         `xs := [1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000)]; ys := [x | some x in xs; some y in xs]; count(ys) == 0`,
	"a number written wide":           `f := concat("", ["%999999[1]d" | some _ in numbers.range(1, 50000)]); sprintf(f, [1]) == ""`,
	"a number written precisely":      `f := concat("", ["%.999999[1]f" | some _ in numbers.range(1, 50000)]); sprintf(f, [1.5]) == ""`,
	"a width among the arguments":     `f := concat("", ["%[1]*[2]d" | some _ in numbers.range(1, 50000)]); sprintf(f, [999999, 1]) == ""`,
	"a list written many times":       `xs := numbers.range(1, 100000); f := concat("", ["%[1]v" | some _ in numbers.range(1, 50000)]); sprintf(f, [xs]) == ""`,
	"a list of itself, written":       `sprintf("%v", [a40]) == ""`,
	"a list of itself as JSON":        `json.marshal(a40) == ""`,
	"a list of itself as YAML":        `yaml.marshal(a40) == ""`,
	"a list of itself, flattened":     `count(array.flatten(a40)) == 0`,
	"a list of itself, printed":       `print(a40); false`,
	"a list of itself in a template":  "$`{a40}` == \"\"",
	"every combination, printed":      `xs := numbers.range(1, 100000); print({x | some x in xs}, {x | some x in xs}); some a in xs; some b in xs; print(a, b); false`,
	"numbers that square themselves":  squares,
	"a number with a long exponent":   `xs := json.unmarshal("[1e99999999, 1e99999999]"); xs[0] + xs[1] == 0`,
	"a sum of long exponents":         `xs := json.unmarshal("[1e99999999, 1e99999999]"); sum(xs) == 0`,
	"a product of many numbers":       `product([x | some i in numbers.range(1, 100000); x := 1000000007 + i]) == 0`,
	"a unit with a long exponent":     `units.parse("1e99999999K") == 0`,
	"texts that double as hex":        doubling(`s%d := hex.encode(s%d)`, `s0 := "0123456789abcdef"`, `s60 == ""`),
	"matches of matches":              `s := concat("", ["a" | some _ in numbers.range(1, 100000)]); count(regex.find_all_string_submatch_n("(?:a*b)?", s, -1)) == 0`,
	"matches with many groups":        `s := concat("", ["a" | some _ in numbers.range(1, 100000)]); p := concat("", ["()" | some _ in numbers.range(1, 1000)]); count(regex.find_all_string_submatch_n(p, s, -1)) == 0`,
	"a split by a slow expression":    `s := concat("", ["a" | some _ in numbers.range(1, 100000)]); count(regex.split("a*b|a", s)) == 0`,
	"a long regular expression":       `p := concat("", ["a{1000}" | some _ in numbers.range(1, 17000)]); regex.match(p, "a")`,
	"many regular expressions":        `some i in numbers.range(1, 1000000); regex.match(sprintf("a{1000}b{1000}c{1000}%d", [i]), "a")`,
	"a glob that tries":               `s := concat("", ["a" | some _ in numbers.range(1, 100000)]); p := concat("", ["*a" | some _ in numbers.range(1, 100000)]); glob.match(p, null, s); false`,
	"a glob of alternatives":          `p := concat("", ["{a,*b,c*}" | some _ in numbers.range(1, 2000)]); glob.match(p, null, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"); some a in numbers.range(1, 100000); some b in numbers.range(1, 100000); a + b == 0`,
	"lists in a text":                 `s := concat(",", ["[]" | some _ in numbers.range(1, 100000)]); t := concat("", ["[", concat(",", [s | some _ in numbers.range(1, 12)]), "]"]); xs := [json.unmarshal(t) | some _ in numbers.range(1, 100000)]; count(xs) == 0`,
	"YAML that repeats itself":        "s := concat(\"\", [\"a: &a [x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\\n\"]); yaml.unmarshal(s) == 0",
	"a list in every place of a list": `xs := numbers.range(1, 100000); ys := [x | some x in xs; x > 1]; object.subset(array.concat(xs, xs), ys); object.subset(array.concat(xs, xs), array.concat(ys, xs)); false`,
	"a text trimmed by signs":         `s := concat("", ["é" | some _ in numbers.range(1, 100000)]); c := concat("", ["ü" | some _ in numbers.range(1, 100000)]); trim(s, concat("", [c, "é"])) == "x"`,
	"prefixes of prefixes":            `xs := [s | some i in numbers.range(1, 100000); s := sprintf("%d", [i])]; ys := [s | some i in numbers.range(1, 100000); s := sprintf("x%d", [i])]; strings.any_prefix_match(ys, xs)`,
	"a range of steps":                `count(numbers.range_step(1, 9000000000, 2)) == 0`,
	"a regular expression that tries": `s := concat("", ["a" | some _ in numbers.range(1, 200000)]); some _ in numbers.range(1, 100000); regex.match("(a*)*b$", s)`,
}

// nested are rules of a list that contains itself many times over, which takes
// little memory until it is written out.
func nested() string {
	text := "\n\na0 := [input.image.name, 1, 2]\n"
	for i := 1; i <= 40; i++ {
		text += fmt.Sprintf("\na%d := [a%d, a%d]\n", i, i-1, i-1)
	}
	return text
}

var squares = doubling(`s%d := s%d * s%d`, `s0 := 1e300`, `s60 == 0`)

func doubling(step, first, last string) string {
	lines := []string{first}
	for i := 1; i <= 60; i++ {
		args := []any{i, i - 1, i - 1}
		lines = append(lines, fmt.Sprintf(step, args[:strings.Count(step, "%d")]...))
	}
	return strings.Join(append(lines, last), "; ")
}

var bombTime = flag.Duration("bombs", 250*time.Millisecond, "how long each bomb may run; more if the machine is busy")

// A policy that takes too much is stopped, in time and before it has taken much
// more than it may, several images at once; the other images are judged.
func TestBombsAreDefused(t *testing.T) {
	const limit = 48 << 20
	for name, body := range bombs {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, builds, header+"warn contains \"x\" if {\n\tinput.image.name == \"bomb\"\n\t"+strings.ReplaceAll(body, "; ", "\n\t")+"\n}"+nested())
			e.limits.maxHeap = limit
			runtime.GC()
			before := heapSize(heapObjects)
			peak := newPeak()
			var verdicts []registry.Verdict
			inTime(e, *bombTime, func() bool {
				verdicts = judgeAtOnce(e, "harmless", "bomb", "bomb")
				harmless := verdicts[0].Err == nil || strings.Contains(verdicts[0].Err.Error(), "memory")
				return harmless && !slices.ContainsFunc(verdicts[1:], nothingMarked)
			})
			most := peak.stop()
			t.Logf("the heap grew by %d MiB at most", (int64(most)-int64(before))>>20)
			if verdicts[0].Err != nil && !strings.Contains(verdicts[0].Err.Error(), "memory") {
				t.Errorf("the image without a bomb failed: %v", verdicts[0].Err)
			}
			for _, v := range verdicts[1:] {
				if v.Err == nil {
					t.Fatal("it was not stopped")
				}
				if !strings.Contains(v.Err.Error(), "policy janitor.image.own: ") {
					t.Errorf("the culprit is not named: %v", v.Err)
				}
				if nothingMarked(v) {
					t.Errorf("what the others mark is lost: %v", words(v))
				}
			}
			if grown := int64(most) - int64(before); grown > 16*limit {
				t.Errorf("the heap grew by %d MiB, of %d allowed", grown>>20, limit>>20)
			}
		})
	}
}

func nothingMarked(v registry.Verdict) bool { return len(v.Tags) == 0 || len(v.Tags[1].Delete) == 0 }

// judgeAtOnce judges images of these names, all at the same time.
func judgeAtOnce(e *Engine, names ...string) []registry.Verdict {
	j := e.At(now, WhatCounts)
	verdicts := make([]registry.Verdict, len(names))
	var group sync.WaitGroup
	for i, name := range names {
		group.Go(func() {
			img := anImage(aTag("pr-1", 15*days), aTag("main-1", 0))
			img.Name = name
			verdicts[i], _ = j.Image(context.Background(), img)
		})
	}
	group.Wait()
	return verdicts
}

// peak watches the heap from beside.
type peak struct {
	done chan struct{}
	most chan uint64
}

func newPeak() *peak {
	p := &peak{done: make(chan struct{}), most: make(chan uint64)}
	go func() {
		most := uint64(0)
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				most = max(most, heapSize(heapObjects))
			case <-p.done:
				p.most <- most
				return
			}
		}
	}()
	return p
}

func (p *peak) stop() uint64 {
	close(p.done)
	return <-p.most
}

// What is far from any limit is left alone.
func TestBoundedFunctionsStillWork(t *testing.T) {
	e := newEngine(t, "", header+`warn contains concat(",", ["a", "b"])

warn contains replace("aXa", "X", "yy")

warn contains strings.replace_n({"a": "b"}, "cac")

warn contains regex.replace("aXa", "X", "<$0>")

warn contains sprintf("%s %d %v", ["a", 1, ["x"]])

warn contains x if some x in split("p/q", "/")

warn contains sprintf("%d", [bits.lsh(1, 10)])
`)
	v := judge(t, e, anImage(aTag("x", 0)))
	var got []string
	for _, x := range v.Violations {
		got = append(got, x.Reason.Text)
	}
	if want := `a 1 ["x"]|a,b|a<>a|ayya|1024|cbc|p|q`; len(got) != 8 || v.Err != nil {
		t.Errorf("got %s, %v, want %s", strings.Join(got, "|"), v.Err, want)
	}
}

// The budget is that of the image, however many packages use it up.
func TestManyPackagesShareOneBudget(t *testing.T) {
	modules := []string{}
	for i := range 12 {
		modules = append(modules, fmt.Sprintf("package janitor.image.p%d\n\nwarn contains \"x\" if {\n\txs := numbers.range(1, 100000)\n\tsome a in xs\n\tsome b in xs\n\ta + b == 0\n}\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\txs := numbers.range(1, 100000)\n\tsome a in xs\n\tsome b in xs\n\ta + b == 0\n}\n", i))
	}
	e := newEngine(t, builds, modules...)
	var v registry.Verdict
	inTime(e, time.Second, func() bool {
		v = judge(t, e, anImage(aTag("pr-1", 15*days)))
		return v.Err == nil || len(v.Tags) > 0 && len(v.Tags[0].Delete) > 0
	})
	if v.Err == nil || len(v.Tags) == 0 || len(v.Tags[0].Delete) == 0 {
		t.Fatalf("got %v", words(v))
	}
	if stopped := strings.Count(v.Err.Error(), "stopped after"); stopped > 6 {
		t.Errorf("%d of 12 packages had time: %v", stopped, v.Err)
	}
	for i := range 12 {
		if !strings.Contains(v.Err.Error(), fmt.Sprintf("policy janitor.image.p%d: ", i)) {
			t.Errorf("p%d is not named: %v", i, v.Err)
		}
	}
}

// A step that cannot be stopped is left behind: the run goes on, and nothing is
// evaluated any more.
func TestAStepThatDoesNotEndIsLeftBehind(t *testing.T) {
	rules := ""
	for _, name := range []string{"a", "b"} {
		rules += "\n\n" + name + "0 := [input.image.name]\n"
		for i := 1; i <= 32; i++ { // object.get hides the type, which the compiler would compare
			rules += fmt.Sprintf("\n%s%d := object.get({\"k\": [%s%d, %s%d]}, \"k\", null)\n", name, i, name, i-1, name, i-1)
		}
	}
	e := newEngine(t, builds, header+"warn contains \"x\" if {\n\tinput.image.name == \"bomb\"\n\ta32 in [b32]\n}"+rules)
	e.limits.timeout, e.limits.grace = 200*time.Millisecond, 100*time.Millisecond
	j := e.At(now, WhatCounts)
	img := anImage(aTag("pr-1", 15*days))
	img.Name = "bomb"
	start := time.Now()
	for range 3 {
		v, _ := j.Image(t.Context(), img)
		if v.Err == nil || !strings.Contains(v.Err.Error(), "one of its steps does not end") {
			t.Errorf("got %v", v.Err)
		}
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}

// The heap of policies follows the memory limit of the program.
func TestTheHeapFollowsTheMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for limit, want := range map[int64]uint64{math.MaxInt64: 512 << 20, 16 << 30: 512 << 20, 400 << 20: 100 << 20} {
		debug.SetMemoryLimit(limit)
		if got := defaultMaxHeap(); got != want {
			t.Errorf("with %d MiB: %d MiB, want %d", limit>>20, got>>20, want>>20)
		}
	}
}

func BenchmarkBudget(b *testing.B) {
	l := newLimits(context.Background(), Options{})
	b.ReportAllocs()
	for b.Loop() {
		budget := l.budget()
		budget.begin(nil)
		budget.close()
	}
}
