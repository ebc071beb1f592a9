package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/policy/author"
)

func (a *app) policyShowCommand() *cobra.Command {
	var file, format string
	var testing bool
	cmd := &cobra.Command{
		Use:   "show [-c FILE] [PATH…]",
		Short: "Show the policy set: modules, rules, titles, configuration, digests",
		Long: `Show every policy, built-in and your own: its package, title and severity, its
decision rules with file and line, the part of the configuration that it reads, and
its digest. The digest of the set is the policy_digest of a plan.

With --testing, print the Rego of data.janitor.testing instead: save it beside your
tests to run them with opa test.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if testing {
				_, err := a.stdout.Write(author.TestingLibrary())
				return err
			}
			options, err := a.policyOptions(cmd, file, args)
			if err != nil {
				return err
			}
			d, err := author.Describe(cmd.Context(), options)
			if err != nil {
				return err
			}
			return a.showPolicies(d, format)
		},
	}
	configFlag(cmd, &file)
	enumFlag(cmd, cmd.Flags(), &format, "format", "text", "what to print", "text", "json")
	cmd.Flags().BoolVar(&testing, "testing", false, "print the helper library for tests")
	return cmd
}

func (a *app) showPolicies(d *author.Description, format string) error {
	if format == "json" {
		return a.printJSON(d)
	}
	p := &lines{w: a.stdout}
	p.printf("policy set %s\n", d.Digest)
	for _, m := range d.Modules {
		p.module(m)
	}
	if len(d.Data) > 0 {
		p.printf("\ndata: %s\n", strings.Join(d.Data, ", "))
	}
	return p.err
}

func (l *lines) module(m author.ModuleDescription) {
	l.printf("\n%s  %s\n", m.Package, m.File)
	if m.Title != "" {
		l.printf("  title: %s\n", m.Title)
	}
	for i, line := range strings.Split(m.Description, "\n") {
		switch {
		case m.Description == "":
		case i == 0:
			l.printf("  description: %s\n", line)
		default:
			l.printf("    %s\n", line)
		}
	}
	if m.Severity != "" {
		l.printf("  severity: %s\n", m.Severity)
	}
	switch {
	case m.Judges == "":
		l.printf("  helpers\n")
	case !m.Active:
		l.printf("  judges: nothing; the configuration has no rule for it\n")
	default:
		l.printf("  judges: every %s\n", m.Judges)
	}
	for _, r := range m.Rules {
		note := ""
		if r.Title != "" && r.Title != m.Title {
			note = "  " + r.Title
		}
		if r.Severity != "" && r.Severity != m.Severity {
			note += "  severity " + r.Severity
		}
		l.printf("  rule: %s  %s:%d%s\n", r.Name, r.File, r.Line, note)
	}
	l.config(m)
	l.printf("  digest: %s\n", m.Digest)
}

// config is the part of the configuration that a module reads.
func (l *lines) config(m author.ModuleDescription) {
	switch {
	case !m.Builtin:
		l.printf("  config: all of it, as data.config\n")
	case m.Active:
		text, err := json.Marshal(m.Config)
		if err != nil {
			text = fmt.Append(nil, m.Config)
		}
		l.printf("  config: data.config.%s = %s\n", m.ConfigKey, text)
	}
}
