package policies

import (
	"context"
	"fmt"
	"io"
	"strings"

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
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.listRules(cmd.Context(), file, format) },
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
	if format == report.FormatJSON {
		return a.PrintJSON(listed{append([]config.Sentence{}, c.Sentences()...), ownRules(d)})
	}
	var b strings.Builder
	for _, s := range c.Sentences() {
		fmt.Fprintf(&b, "%s/%s: %s\n", s.Kind, s.Name, s.Text)
	}
	_, err = io.WriteString(a.Stdout, b.String()+d.Titles())
	return err
}

// listed is the JSON of policy list.
type listed struct {
	Rules    []config.Sentence `json:"rules"`
	Policies []ownRule         `json:"policies"`
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
