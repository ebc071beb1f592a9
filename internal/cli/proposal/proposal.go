// Package proposal has the command init: it records the registry, and writes the
// configuration that internal/propose proposes for it. It must never overwrite a file
// without --force, or send anything but GET.
package proposal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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
)

// flags are the flags of init.
type flags struct {
	inputs.Flags
	out    string
	force  bool
	schema bool
}

// Command is init.
func Command(o *inputs.Opener) *cobra.Command {
	a := &author{o}
	var f flags
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
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context(), &f) },
	}
	f.AddConcurrency(cmd)
	cmd.Flags().StringVarP(&f.out, "out", "o", "janitor.yaml", "the `FILE` to write, - for standard output")
	cmd.Flags().BoolVar(&f.force, "force", false, "overwrite the file if it exists")
	cmd.Flags().BoolVar(&f.schema, "schema", false, "also write the JSON Schema beside the file, for editors")
	cmd.Flags().StringVar(&f.Inventory, "inventory", "", "read the inventory in this `FILE`, which scan wrote, instead of the registry")
	return cmd
}

// author proposes a configuration.
type author struct{ *inputs.Opener }

func (a *author) run(ctx context.Context, f *flags) error {
	out, err := f.outputs()
	if err != nil {
		return err
	}
	o := out.options()
	inventory, remove, err := a.inventory(ctx, f, &o)
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
	a.ListGaps(p.gaps)
	fmt.Fprintf(a.Stderr, "If every rule were enforced, %s would be deleted today. No rule is, until you remove its enforce: false.\n", propose.Deletions(p.plan))
	if !terminal.IsStdout(out.config) {
		next := (&inputs.Flags{Config: "janitor.yaml"}).Again("plan", "-c", out.config)
		fmt.Fprintf(a.Stderr, "%s is written. Next: %s\n", out.config, next)
	}
	if len(p.gaps) > 0 {
		return fmt.Errorf("the proposal is incomplete: %s", text.Count(len(p.gaps), "gap"))
	}
	return nil
}

// inventory is the file of the inventory to read: a given one, or that of a scan.
func (a *author) inventory(ctx context.Context, f *flags, o *propose.Options) (path string, remove func(), err error) {
	if f.Inventory != "" && !terminal.IsStream(f.Inventory) {
		return f.Inventory, func() {}, nil
	}
	file, err := os.CreateTemp("", "registry-janitor-init-*.jsonl")
	if err != nil {
		return "", nil, fmt.Errorf("recording the scan: %w", err)
	}
	remove = func() { _ = os.Remove(file.Name()) }
	if f.Inventory != "" { // it is read more than once
		err = a.copy(ctx, f.Inventory, file)
	} else {
		err = a.record(ctx, f, file, o)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		remove()
		return "", nil, err
	}
	return file.Name(), remove, nil
}

// copy copies the inventory of a stream.
func (a *author) copy(ctx context.Context, path string, to io.Writer) error {
	from, err := a.OpenFile(ctx, "--inventory", path, inputs.MaxInventory)
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}

// record records the registry with the scope and the use sources of a proposal.
func (a *author) record(ctx context.Context, f *flags, w io.Writer, o *propose.Options) error {
	s, err := a.session(ctx, f, "")
	if err != nil {
		return err
	}
	clusters, unlisted := s.Session.Clusters(ctx)
	switch {
	case clusters > 0:
		if s, err = a.session(ctx, f, ", kapsule: true"); err != nil {
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

// session is a session with the scope of a proposal, and its use sources.
func (a *author) session(ctx context.Context, f *flags, more string) (*inputs.Source, error) {
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
func (a *author) propose(ctx context.Context, path string, o propose.Options) (*proposal, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	defer file.Close()
	survey, gaps, err := propose.Read(ctx, path, file, &o)
	if err != nil {
		return nil, err
	}
	if len(gaps) > 0 && survey.Images() == 0 {
		a.ListGaps(gaps)
		return nil, errors.New("no image could be read, so nothing is proposed, and no file is written")
	}
	p := &proposal{text: survey.Write(o), gaps: gaps}
	if p.plan, err = a.planEnforced(ctx, path, p.text); err != nil {
		return nil, err
	}
	p.text += propose.Today(p.plan)
	return p, nil
}

// planEnforced plans an inventory by a proposal, as if its rules were enforced.
func (a *author) planEnforced(ctx context.Context, path, text string) (*actions.Plan, error) {
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
