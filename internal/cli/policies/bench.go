package policies

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

func (a *authoring) benchCommand() *cobra.Command {
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
			options, err := a.options(cmd, file, args)
			if err != nil {
				return err
			}
			options.Timeout = limit
			engine, err := policy.New(cmd.Context(), options)
			if err != nil {
				return err
			}
			b, err := author.Bench(cmd.Context(), engine, author.BenchOptions{Clock: cpuClock()})
			_, failed := io.WriteString(a.Stdout, b.Text())
			return cmp.Or(err, failed, growth(b))
		},
	}
	inputs.ConfigFlag(cmd, &file)
	cmd.Flags().DurationVar(&limit, "limit", policy.DefaultTimeout, "the longest time that one image may take")
	return cmd
}

// growth fails if the cost of a tag grows with their number.
func growth(b *author.Benchmark) error {
	if b.Linear() {
		return nil
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
