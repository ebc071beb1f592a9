package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/propose"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// initFlags are the flags of init.
type initFlags struct {
	inputs.Flags
	out    string
	force  bool
	schema bool
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Propose a configuration from what is in the registry; nothing is changed",
		Long: `Scan the registry, or read a recorded scan with --inventory, and write a commented
configuration for what is there. It groups the names of tags by their shape, such as
versions, builds of pull requests, branches and commits, dates, build caches and names
that move, shows how many there are, how old and how large, and proposes a rule for
each group. Public images become the allow-list of visibility rules.

Every rule has enforce: false, so plan shows what it would delete, and apply deletes
nothing. The file ends with what it would delete today if every rule were enforced.

An existing file is not overwritten without --force. init sends only GET requests.

Exit codes: 0 done; 1 an error, or something could not be read: the file is written
nevertheless.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context(), &f) },
	}
	f.AddConcurrency(cmd)
	cmd.Flags().StringVarP(&f.out, "out", "o", "janitor.yaml", "the `FILE` to write, - for standard output")
	cmd.Flags().BoolVar(&f.force, "force", false, "overwrite the file if it exists")
	cmd.Flags().BoolVar(&f.schema, "schema", false, "also write the JSON Schema beside the file, for editors")
	cmd.Flags().StringVar(&f.Inventory, "inventory", "", "read the inventory in this `FILE`, which scan wrote, instead of the registry")
	return cmd
}

func (a *app) init(ctx context.Context, f *initFlags) error {
	out, err := f.outputs()
	if err != nil {
		return err
	}
	o := out.options()
	inventory, remove, err := a.initInventory(ctx, f, &o)
	if err != nil {
		return err
	}
	defer remove()
	p, err := a.propose(ctx, inventory, o)
	if err != nil {
		return err
	}
	if err := out.write(ctx, a.Stdout, p.text); err != nil {
		return err
	}
	a.listGaps(p.gaps)
	fmt.Fprintf(a.Stderr, "If every rule were enforced, %s would be deleted today. No rule is, until you remove its enforce: false.\n", propose.Deletions(p.plan))
	if !terminal.IsStdout(out.config) {
		fmt.Fprintf(a.Stderr, "%s is written. Next: registry-janitor plan -c %s\n", out.config, out.config)
	}
	if len(p.gaps) > 0 {
		return fmt.Errorf("the proposal is incomplete: %s", text.Count(len(p.gaps), "gap"))
	}
	return nil
}

// listGaps writes what could not be read.
func (a *app) listGaps(gaps []registry.Gap) {
	for _, g := range gaps {
		fmt.Fprintf(a.Stderr, "registry-janitor: gap: %s: %s\n", g.Subject, g.Error)
	}
}

// initInventory is the file of the inventory to read: a given one, or that of a scan.
func (a *app) initInventory(ctx context.Context, f *initFlags, o *propose.Options) (path string, remove func(), err error) {
	if f.Inventory != "" && !terminal.IsStream(f.Inventory) {
		return f.Inventory, func() {}, nil
	}
	file, err := os.CreateTemp("", "registry-janitor-init-*.jsonl")
	if err != nil {
		return "", nil, fmt.Errorf("recording the scan: %w", err)
	}
	remove = func() { _ = os.Remove(file.Name()) }
	if f.Inventory != "" { // it is read more than once
		err = a.copyInventory(ctx, f.Inventory, file)
	} else {
		err = a.initScan(ctx, f, file, o)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		remove()
		return "", nil, err
	}
	return file.Name(), remove, nil
}

// copyInventory copies the inventory of a stream.
func (a *app) copyInventory(ctx context.Context, path string, to io.Writer) error {
	from, err := a.OpenFile(ctx, "--inventory", path, inputs.MaxInventory)
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}

// initScan records the registry with the scope and the use sources of a proposal.
func (a *app) initScan(ctx context.Context, f *initFlags, w io.Writer, o *propose.Options) error {
	s, err := a.initSession(ctx, f, "")
	if err != nil {
		return err
	}
	clusters, unlisted := s.Session.Clusters(ctx)
	switch {
	case clusters > 0:
		if s, err = a.initSession(ctx, f, ", kapsule: true"); err != nil {
			return err
		}
	case unlisted > 0:
		o.Kapsule = propose.NotListed
	}
	feed, err := s.Feed(janitor.Scope(s.Planner.Config))
	if err != nil {
		return err
	}
	stop := a.ShowProgress(s.Planner.Progress)
	defer stop()
	_, err = s.Planner.Record(ctx, feed, w)
	return err
}

// initSession is a session with the scope of a proposal, and its use sources.
func (a *app) initSession(ctx context.Context, f *initFlags, more string) (*inputs.Source, error) {
	c, err := config.Parse("janitor.yaml", fmt.Appendf(nil, "scope: {exclude: [%q]}\nprotect: {serverless: true%s}\n", propose.Functions, more))
	if err != nil {
		return nil, err
	}
	return a.OpenSession(ctx, &janitor.Planner{Config: c, Progress: new(janitor.Progress)}, &f.Flags)
}

// proposal is a configuration, and what it would do.
type proposal struct {
	text string
	plan *actions.Plan
	gaps []registry.Gap
}

// propose surveys an inventory, writes a configuration for it, and plans with that.
func (a *app) propose(ctx context.Context, path string, o propose.Options) (*proposal, error) {
	survey, gaps, err := surveyOf(ctx, path, &o)
	if err != nil {
		return nil, err
	}
	if len(gaps) > 0 && survey.Images() == 0 {
		a.listGaps(gaps)
		return nil, errors.New("no image could be read, so nothing is proposed, and no file is written")
	}
	p := &proposal{text: survey.Write(o), gaps: gaps}
	if p.plan, err = a.planEnforced(ctx, path, p.text); err != nil {
		return nil, err
	}
	p.text += propose.Today(p.plan)
	return p, nil
}

// surveyOf counts what is in an inventory, and completes the options.
func surveyOf(ctx context.Context, path string, o *propose.Options) (*propose.Survey, []registry.Gap, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the inventory: %w", err)
	}
	defer file.Close()
	inventory, err := scanner.ReadInventory(file)
	if err == nil {
		inScope(inventory.Header, o)
		err = inventory.Narrow(o.Scope)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the inventory %s: %w", path, err)
	}
	survey, stream := propose.New(inventory.Header.TakenAt), inventory.Stream(ctx)
	var gaps []registry.Gap
	functions := ""
	for item := range stream.Items() {
		switch {
		case item.Image != nil:
			survey.Add(item.Image)
			if strings.HasPrefix(item.Image.Namespace.Name, "funcscw") {
				functions = item.Image.Namespace.Name
			}
		case item.Gap != nil && item.Gap.Holds != registry.HoldsNothing:
			gaps = append(gaps, *item.Gap)
			failed(item.Gap, o)
		}
	}
	o.Gaps = len(gaps)
	switch err := stream.Err(); {
	case err != nil:
		return nil, nil, fmt.Errorf("reading %s: %w", path, err)
	case functions != "":
		return nil, nil, fmt.Errorf("the inventory %s has images of Serverless Functions (%s), which no rule may delete: take the scan again with scope: {exclude: [%q]}, or with the default scope", path, functions, propose.Functions)
	}
	return survey, gaps, nil
}

// inScope sets the scope of a proposal, and which use sources were read. The scope is
// everything but the images of functions, or that of the inventory, because one of
// another scope can be planned only with its own.
func inScope(h scanner.Header, o *propose.Options) {
	o.Scope = scanner.Scope{Exclude: []string{propose.Functions}}
	o.Serverless = propose.NotAsked
	if !h.Scope.Equal(scanner.Scope{}) && !h.Scope.Equal(o.Scope) {
		o.Scope = h.Scope
		if !slices.Contains(h.Scope.Exclude, propose.Functions) {
			o.Serverless = propose.NotInScope
		}
	}
	if slices.Contains(h.Sources, propose.ServerlessKey) {
		o.Serverless = propose.Asked
	}
	if slices.Contains(h.Sources, propose.KapsuleKey) {
		o.Kapsule = propose.Asked
	}
}

// failed notes that a use source could not be read.
func failed(g *registry.Gap, o *propose.Options) {
	switch g.Source {
	case propose.ServerlessKey:
		o.Serverless = propose.Failed
	case propose.KapsuleKey:
		o.Kapsule = propose.Failed
	}
}

// planEnforced plans an inventory by a proposal, as if its rules were enforced.
func (a *app) planEnforced(ctx context.Context, path, text string) (*actions.Plan, error) {
	c, err := config.Parse("janitor.yaml", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("the proposal is not valid, please report this: %w", err)
	}
	for i := range c.Retention {
		c.Retention[i].Enforce = true
	}
	policies, err := janitor.Policies(ctx, c, policy.Options{Logger: a.Log})
	if err != nil {
		return nil, err
	}
	s, err := a.OpenInventory(ctx, &janitor.Planner{Config: c, Policies: policies}, path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	feed, err := s.Feed(janitor.Scope(c))
	if err != nil {
		return nil, err
	}
	return s.Planner.Plan(ctx, feed)
}
