package policy

import (
	"context"
	"fmt"
	"runtime"
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
	"a regular expression that tries": `s := concat("", ["a" | some _ in numbers.range(1, 200000)]); some _ in numbers.range(1, 100000); regex.match("(a*)*b$", s)`,
}

func doubling(step, first, last string) string {
	lines := []string{first}
	for i := 1; i <= 60; i++ {
		args := []any{i, i - 1, i - 1}
		lines = append(lines, fmt.Sprintf(step, args[:strings.Count(step, "%d")]...))
	}
	return strings.Join(append(lines, last), "; ")
}

// A policy that takes too much is stopped, in time and before it has taken much
// more than it may, several images at once; the other images are judged.
func TestBombsAreDefused(t *testing.T) {
	const limit = 48 << 20
	for name, body := range bombs {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, builds, header+"warn contains \"x\" if {\n\tinput.image.name == \"bomb\"\n\t"+strings.ReplaceAll(body, "; ", "\n\t")+"\n}")
			e.limits.timeout, e.limits.maxHeap = 250*time.Millisecond, limit
			j := e.At(now, WhatCounts)
			runtime.GC()
			before := heapSize(heapObjects)
			peak := newPeak()
			var group sync.WaitGroup
			verdicts := make([]registry.Verdict, 3) // the first has no bomb
			for i := range verdicts {
				group.Go(func() {
					img := anImage(aTag("pr-1", 15*days), aTag("main-1", 0))
					if i > 0 {
						img.Name = "bomb"
					}
					verdicts[i], _ = j.Image(context.Background(), img)
				})
			}
			group.Wait()
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
				if len(v.Tags) == 0 || len(v.Tags[1].Delete) == 0 {
					t.Errorf("what the others mark is lost: %v", words(v))
				}
			}
			if grown := int64(most) - int64(before); grown > 16*limit {
				t.Errorf("the heap grew by %d MiB, of %d allowed", grown>>20, limit>>20)
			}
		})
	}
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

func BenchmarkGuard(b *testing.B) {
	l := newLimits(context.Background(), Options{})
	b.ReportAllocs()
	for b.Loop() {
		l.watch(context.Background()).stop()
	}
}
