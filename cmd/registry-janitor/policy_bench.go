package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

// tooSlow is the CPU time for each tag above which bench lists the packages.
const tooSlow = 50 * time.Microsecond

func (a *app) policyBenchCommand() *cobra.Command {
	var file string
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "bench [-c FILE] [PATH…]",
		Short: "Measure the cost of policies, and fail if it grows faster than linear",
		Long: `Judge made-up images of 100, 1,000 and 10,000 tags by the policies, and show the
CPU time for each tag. If that time grows with the number of tags, a policy is
quadratic and takes seconds for a large image. policy check names the idioms that
cause this.

Exit codes: 0 done; 1 the cost grows faster than linear, a policy failed, or an
image takes longer than --limit.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := a.policyOptions(cmd, file, args)
			if err != nil {
				return err
			}
			options.Timeout = limit
			engine, err := policy.New(cmd.Context(), options)
			if err != nil {
				return err
			}
			b, err := author.Bench(cmd.Context(), engine, author.BenchOptions{Clock: cpuClock()})
			p := &lines{w: a.stdout}
			p.sizes(b)
			if err := cmp.Or(err, p.err); err != nil {
				return err
			}
			return a.growth(b)
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().DurationVar(&limit, "limit", policy.DefaultTimeout, "the longest time that one image may take")
	return cmd
}

// sizes lists the measurements, by package where they are high.
func (l *lines) sizes(b *author.Benchmark) {
	micro := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	for _, m := range b.Sizes {
		l.printf("%6d tags  %8.1f µs for each tag\n", m.Tags, micro(m.PerTag))
		if m.PerTag < tooSlow && b.Linear() {
			continue
		}
		for _, c := range m.Packages {
			l.printf("             %8.1f µs  %s\n", micro(c.PerTag), c.Package)
		}
	}
}

// growth fails if the cost of a tag grows with their number.
func (a *app) growth(b *author.Benchmark) error {
	if _, err := fmt.Fprintf(a.stdout, "growth: %.1f times (at most %.1f)\n", b.Growth, b.Limit); err != nil || b.Linear() {
		return err
	}
	culprits := ""
	if len(b.Culprits) > 0 {
		culprits = ": " + strings.Join(b.Culprits, ", ")
	}
	return fmt.Errorf("the cost grows faster than linear%s: run policy check, which names the idioms that cause this", culprits)
}

// stopwatch shows the time since it was made.
func stopwatch() func() time.Duration {
	began := clock.Now()
	return func() time.Duration { return clock.Now().Sub(began) }
}
