package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/probe"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// probeFlags are the flags of probe.
type probeFlags struct {
	inputs.Flags
	region registry.Region
	yes    bool
	rate   bool
	format report.Format
}

func (a *app) probeCommand() *cobra.Command {
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe -c FILE --region REGION",
		Short: "Find out how the API of your account behaves, in a scratch namespace",
		Long: `Find out what the documentation of the API does not say: what happens to the other
tags of a digest when one of them is deleted, whether a moved tag changes its times,
and more. The probe creates a private namespace, janitor-probe-…, pushes a few tiny
images with some 260 tags, deletes some of them, and looks. It removes the namespace
in any case, also after Ctrl-C, and those of earlier probes that are older than an
hour. It touches nothing else.

The findings are recorded in the ledger. With shared_digest: auto, those of the last
90 days decide whether a tag may be deleted whose digest a kept tag has.

Exit codes: 0 done, also if something could not be found out; 1 an error: an image
could not be pushed, or the namespace could not be removed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.region == "" {
				return errors.New("--region is missing: name the region to probe, such as --region fr-par")
			}
			return a.probe(cmd.Context(), &f)
		},
	}
	f.AddAPI(cmd)
	syntax.Enum(cmd, cmd.Flags(), &f.region, "region", "", "the region to probe", registry.Regions()...)
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask for confirmation")
	cmd.Flags().BoolVar(&f.rate, "rate", false, "also find out at which rate of requests the API answers 429, with up to 620 requests")
	syntax.Format(cmd, &f.format)
	return cmd
}

func (a *app) probe(ctx context.Context, f *probeFlags) error {
	if !f.yes && (!terminal.IsTerminal(a.Stdin) || a.StdinOf() != "") {
		return errors.New("standard input is not a terminal, so probe cannot ask for confirmation: pass --yes to create a scratch namespace and remove it again")
	}
	c, err := a.LoadConfig(ctx, "-c", f.Config, "policies", "policy")
	if err != nil {
		return err
	}
	if regions := c.Scaleway.Regions; !slices.Contains(regions, string(f.region)) {
		return fmt.Errorf("scaleway.regions of the configuration lacks %s: name one of %s", f.region, text.List(regions, "or"))
	}
	prober, err := probe.New(c, f.region, a.SessionOptions(c.Scaleway.Profile, &f.Flags).Connection, a.Now, a.Log)
	if err != nil {
		return err
	}
	prober.Rate = f.rate
	if !f.yes {
		question := fmt.Sprintf("Create a private scratch namespace in %s, push some 260 tags of tiny images into it, and remove it again?", f.region)
		if !a.Confirmed(question) {
			return errors.New("nothing was created")
		}
	}
	found, err := prober.Run(ctx)
	recorded, failed := found.Record(context.WithoutCancel(ctx), c, a.who)
	if f.format == report.FormatJSON {
		return errors.Join(err, failed, a.PrintJSON(found))
	}
	words := found.Text()
	if !recorded {
		words += "\nThe configuration has no ledger.dsn, so the findings were not recorded, and shared_digest: auto cannot use them.\n"
	}
	_, unwritten := io.WriteString(a.Stdout, words)
	return errors.Join(err, failed, unwritten)
}
