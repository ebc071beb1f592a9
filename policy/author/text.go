package author

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Text is what policy test prints: the tests that did not pass, or all of them if
// verbose, then the coverage and the totals.
func (r *TestReport) Text(verbose bool) string {
	var b strings.Builder
	for _, t := range r.Results {
		if t.Outcome == TestPassed && !verbose {
			continue
		}
		took := ""
		if verbose {
			took = fmt.Sprintf(" (%s)", t.Duration.Round(time.Microsecond))
		}
		fmt.Fprintf(&b, "%s:%d: %s: %s.%s%s\n", t.File, t.Line, strings.ToUpper(string(t.Outcome)), t.Package, t.Name, took)
		if t.Error != "" {
			fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(t.Error, "\n", "\n    "))
		}
		t.Failure.write(&b, t.File)
		for line := range strings.Lines(t.Output) {
			fmt.Fprintf(&b, "    | %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	if r.Coverage != nil {
		r.Coverage.write(&b)
	}
	fmt.Fprintf(&b, "%d passed, %d failed", r.Passed, r.Failed)
	if r.Skipped > 0 {
		fmt.Fprintf(&b, ", %d skipped", r.Skipped)
	}
	b.WriteByte('\n')
	return b.String()
}

// place is where something is, at the beginning of a line.
func place(file string, line int) string { return fmt.Sprintf("%s:%d: ", file, line) }

func (c *Coverage) write(b *strings.Builder) {
	b.WriteString("coverage:\n")
	for _, f := range c.Files {
		fmt.Fprintf(b, "  %5.1f %%  %s", f.Percent, f.File)
		if len(f.Missing) > 0 {
			fmt.Fprintf(b, "  not evaluated: line %s", strings.Join(f.Missing, ", "))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "  %5.1f %%  in total\n", c.Percent)
}

// Text is what policy show prints.
func (d *Description) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "policy set %s\n", d.Digest)
	for _, m := range d.Modules {
		m.write(&b)
	}
	if len(d.Data) > 0 {
		fmt.Fprintf(&b, "\ndata: %s\n", strings.Join(d.Data, ", "))
	}
	return b.String()
}

func (m *ModuleDescription) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s  %s\n", m.Package, m.File)
	if m.Title != "" {
		fmt.Fprintf(b, "  title: %s\n", m.Title)
	}
	if m.Description != "" {
		fmt.Fprintf(b, "  description: %s\n", strings.ReplaceAll(m.Description, "\n", "\n    "))
	}
	if m.Severity != "" {
		fmt.Fprintf(b, "  severity: %s\n", m.Severity)
	}
	switch {
	case m.Judges == "":
		b.WriteString("  helpers\n")
	case !m.Active:
		b.WriteString("  judges: nothing; the configuration has no rule for it\n")
	default:
		fmt.Fprintf(b, "  judges: every %s\n", m.Judges)
	}
	for _, r := range m.Rules {
		note := ""
		if r.Title != "" && r.Title != m.Title {
			note = "  " + r.Title
		}
		if r.Severity != "" && r.Severity != m.Severity {
			note += "  severity " + r.Severity
		}
		if r.ReportOnly {
			note += "  not enforced"
		}
		fmt.Fprintf(b, "  rule: %s  %s:%d%s\n", r.Name, r.File, r.Line, note)
	}
	switch {
	case !m.Builtin:
		b.WriteString("  config: all of it, as data.config\n")
	case m.Active:
		text, err := json.Marshal(m.Config)
		if err != nil {
			text = fmt.Append(nil, m.Config)
		}
		fmt.Fprintf(b, "  config: data.config.%s = %s\n", m.ConfigKey, text)
	}
	fmt.Fprintf(b, "  digest: %s\n", m.Digest)
}

// Titles lists the operator's own rules by their titles, as policy list does.
func (d *Description) Titles() string {
	var b strings.Builder
	for _, m := range d.Modules {
		if m.Builtin {
			continue
		}
		for _, r := range m.Rules {
			title := r.Title
			if title == "" {
				title = "has no title"
			}
			if r.Severity != "" {
				title += fmt.Sprintf(" (severity %s)", r.Severity)
			}
			if r.ReportOnly {
				title += " (not enforced)"
			}
			fmt.Fprintf(&b, "%s.%s: %s  %s:%d\n", m.Package, r.Name, title, r.File, r.Line)
		}
	}
	return b.String()
}

// slow is the CPU time for each tag above which a benchmark lists the packages.
const slow = 50 * time.Microsecond

// Text is what policy bench prints: the cost of each size, by package where it is
// high, and the growth.
func (b *Benchmark) Text() string {
	var out strings.Builder
	micro := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	for _, m := range b.Sizes {
		fmt.Fprintf(&out, "%6d tags  %8.1f µs for each tag\n", m.Tags, micro(m.PerTag))
		if m.PerTag < slow && b.Linear() {
			continue
		}
		for _, c := range m.Packages {
			fmt.Fprintf(&out, "             %8.1f µs  %s\n", micro(c.PerTag), c.Package)
		}
	}
	if b.Growth > 0 {
		fmt.Fprintf(&out, "growth: %.1f times (at most %.1f)\n", b.Growth, b.Limit)
	}
	return out.String()
}
