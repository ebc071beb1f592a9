// Command registry-janitor keeps a Scaleway Container Registry clean and
// governed: it judges every image by policy, plans what to change, and explains
// why.
//
// This package has the flags, signals, wiring and exit codes, with one file for
// each command. It must never decide anything about the registry: that is the work
// of the packages that it connects.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"os/user"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/policies"
	"github.com/registry-janitor/registry-janitor/internal/cli/proposal"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/clock"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	limitMemory(memlimit.FromCgroup)
	a := newApp(os.Stdout, os.Stderr, who())
	os.Exit(a.run(ctx, os.Args[1:]))
}

// app is what all commands share.
type app struct {
	inputs.Opener
	who string // the user and the machine, for the ledger
}

func newApp(stdout, stderr io.Writer, who string) *app {
	streams := terminal.Terminal{Stdin: os.Stdin, Stdout: stdout, Stderr: stderr}
	return &app{inputs.Opener{Terminal: streams, Now: clock.Now, Version: version()}, who}
}

// run runs one command and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	return a.ExitCode(root.ExecuteContext(ctx))
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "registry-janitor",
		Short: "Keep a Scaleway Container Registry clean and governed",
		Long: `registry-janitor judges every image of a Scaleway Container Registry by your
policies, plans what to change, and explains why. A plan never changes anything.

Try it without an account: registry-janitor demo`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          syntax.Help,
		Version:       versionLine(),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			inputs.UseVariable(cmd)
			return errors.Join(syntax.NotAFormat(cmd), a.OpenLog())
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	a.AddFlags(root)
	root.AddCommand(
		a.demoCommand(), proposal.Command(&a.Opener), a.planCommand(), a.applyCommand(), a.approveCommand(), a.serveCommand(), a.scanCommand(), a.explainCommand(), a.historyCommand(), a.restoreCommand(), a.archiveCommand(),
		policies.ConfigCommand(&a.Opener), policies.Command(&a.Opener), a.probeCommand(), a.notifyCommand(), a.emulatorCommand(), a.manCommand(), a.versionCommand(),
	)
	syntax.Complete(root)
	syntax.Answer(root)
	return root
}

// who is the user and the machine.
func who() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}
