// Command figures measures what docs/benchmarks.md shows, and prints its tables. It takes
// about a quarter of an hour on a quiet machine.
//
//	go -C e2e run ./figures [REGEXP]
//
// The expression selects tables by their titles. A command that fails ends the program
// with 1, after the other tables.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(w io.Writer, args []string) error {
	wanted, err := regexp.Compile("(?i)" + strings.Join(args, " "))
	if err != nil {
		return fmt.Errorf("the titles to select: %w", err)
	}
	var failed []error
	for _, t := range tables() {
		if !wanted.MatchString(t.title) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", t.title, t)
		output, err := t.measure()
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %s: %w\n%s", t.title, t, err, output))
			continue
		}
		fmt.Fprintf(w, "## %s\n\n    %s\n\n%s\n", t.title, t, t.render(output))
	}
	return errors.Join(failed...)
}

// table is a table of the document, and the command that measures it.
type table struct {
	title string
	dir   string   // of the command, from the root; "" is the root
	test  []string // the arguments of go test
	rows  []row    // none: what the tests log is the table
}

// row is one figure, or several of one kind.
type row struct {
	words string
	of    []string // names of benchmarks, without the number of processors
	unit  string   // as the benchmark reports it
	form  string   // of each value, for fmt
}

func (t table) String() string {
	command := "go test "
	if t.dir != "" {
		command = "go -C " + t.dir + " test "
	}
	words := make([]string, len(t.test))
	for i, word := range t.test {
		if words[i] = word; strings.ContainsAny(word, "|$^") {
			words[i] = "'" + word + "'"
		}
	}
	return command + strings.Join(words, " ")
}

// measure runs the command in the repository, which is above this module.
func (t table) measure() ([]byte, error) {
	dir := "../" + t.dir
	if _, err := os.Stat("../go.mod"); err != nil {
		return nil, fmt.Errorf("run it as go -C e2e run ./figures: %w", err)
	}
	c := exec.Command("go", append([]string{"test"}, t.test...)...)
	c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-trimpath")
	return c.CombinedOutput()
}

func (t table) render(output []byte) string {
	if len(t.rows) == 0 {
		return logged(output)
	}
	measured := parse(output)
	var b strings.Builder
	b.WriteString("| | |\n|---|---|\n")
	for _, r := range t.rows {
		var values []string
		for _, of := range r.of {
			value, ok := measured[of][r.unit]
			if !ok {
				values = append(values, "not measured")
				continue
			}
			values = append(values, fmt.Sprintf(r.form, value))
		}
		fmt.Fprintf(&b, "| %s | %s |\n", r.words, strings.Join(values, " / "))
	}
	return b.String()
}

// parse reads the values of benchmarks, by their names and units.
func parse(output []byte) map[string]map[string]float64 {
	measured := map[string]map[string]float64{}
	processors := regexp.MustCompile(`-\d+$`)
	for line := range strings.Lines(string(output)) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		units := map[string]float64{}
		for i := 2; i+1 < len(words); i += 2 { // after the name and the number of rounds
			if value, err := strconv.ParseFloat(words[i], 64); err == nil {
				units[words[i+1]] = value
			}
		}
		measured[processors.ReplaceAllString(strings.TrimPrefix(words[0], "Benchmark"), "")] = units
	}
	return measured
}

// logged is what tests have logged, one line each.
func logged(output []byte) string {
	var b strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: (.*)$`).FindAllSubmatch(output, -1) {
		fmt.Fprintf(&b, "- %s\n", m[1])
	}
	return b.String()
}
