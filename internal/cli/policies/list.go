package policies

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

func (a *authoring) listCommand() *cobra.Command {
	var file string
	var format report.Format
	cmd := &cobra.Command{
		Use:   "list -c FILE",
		Short: "Describe every rule of a configuration in one sentence",
		Long: `Describe every rule of a configuration in one sentence.

With a ledger, the newest plan that these rules made there says how much storage the
deletions of each rule free, as far as the contents of tags were known. Nothing is
read from the registry.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listRules(cmd.Context(), file, format) },
	}
	inputs.ConfigFlag(cmd, &file)
	syntax.Format(cmd, &format)
	return cmd
}

func (a *authoring) listRules(ctx context.Context, file string, format report.Format) error {
	c, err := a.LoadConfig(ctx, "-c", file, "protect", "ledger")
	if err != nil {
		return err
	}
	options, err := janitor.PolicyOptions(c, policy.Options{})
	if err != nil {
		return err
	}
	options.Dir = "" // so that editors find the places
	d, err := author.Describe(ctx, options)
	if err != nil {
		return err
	}
	freed := a.lastFreed(ctx, c)
	if format == report.FormatJSON {
		return a.PrintJSON(listed{append([]config.Sentence{}, c.Sentences()...), ownRules(d), freed})
	}
	var b strings.Builder
	for _, s := range c.Sentences() {
		fmt.Fprintf(&b, "%s/%s: %s\n", s.Kind, s.Name, s.Text)
	}
	b.WriteString(d.Titles())
	if freed != nil {
		fmt.Fprintf(&b, "\nThe plan of %s, run %d of the ledger, frees by rule:\n", freed.TakenAt.In(c.Location()).Format(time.DateTime), freed.Run)
		for _, r := range freed.ByRule {
			fmt.Fprintf(&b, "  %s: %s\n", r.Rule, report.Freed(r.Frees, janitor.PriceOf(c)))
		}
	}
	_, err = io.WriteString(a.Stdout, b.String())
	return err
}

// lastFreed is what the rules free; nil if that is not known. The list is of use without.
func (a *authoring) lastFreed(ctx context.Context, c *config.Config) *janitor.Freed {
	freed, err := janitor.LastFreed(ctx, c, policy.Options{Logger: a.Log})
	if err != nil {
		a.Log.Warn("what the rules free is not shown", "error", err)
	}
	return freed
}

// listed is the JSON of policy list.
type listed struct {
	Rules    []config.Sentence `json:"rules"`
	Policies []ownRule         `json:"policies"`
	Freed    *janitor.Freed    `json:"freed,omitempty"`
}

// ownRule is a decision rule of the operator's own Rego.
type ownRule struct {
	Package string `json:"package"`
	author.RuleDescription
}

func ownRules(d *author.Description) []ownRule {
	rules := []ownRule{}
	for i := range d.Modules {
		if m := &d.Modules[i]; !m.Builtin {
			for _, r := range m.Rules {
				rules = append(rules, ownRule{m.Package, r})
			}
		}
	}
	return rules
}
