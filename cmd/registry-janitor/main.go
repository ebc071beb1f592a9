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
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/progress"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	limitMemory(memlimit.FromCgroup)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: clock.Now, who: who()}
	os.Exit(a.run(ctx, os.Args[1:]))
}

// app is what all commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	who            string // the user and the machine, for the ledger
	logFormat      string
	logLevel       string
	color          colors
	log            *slog.Logger   // set before a command runs
	line           *progress.Line // of the terminal that is standard error; nil if it is none
	// stdinOf and stdoutOf are what has taken standard input and output; "" for nothing.
	stdinOf, stdoutOf string
}

// run runs one command and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var status *exitError
	switch {
	case err == nil:
		return janitor.ExitDone
	case errors.As(err, &status):
		if status.err != nil {
			fmt.Fprintln(a.stderr, a.failed(status.err))
		}
		return status.code
	}
	fmt.Fprintln(a.stderr, a.failed(err))
	return janitor.ExitIncomplete
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
		RunE:          help,
		Version:       versionLine(),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			useVariable(cmd)
			return errors.Join(notAFormat(cmd), a.openLog())
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	enumFlag(root, root.PersistentFlags(), &a.logFormat, "log-format", "text", "format of the log on standard error", "text", "json")
	enumFlag(root, root.PersistentFlags(), &a.logLevel, "log-level", "info", "log this level and above", "debug", "info", "warn", "error")
	enumFlag(root, root.PersistentFlags(), &a.color, "color", colorAuto, "paint text for people", colorAuto, colorAlways, colorNever)
	root.AddCommand(
		a.demoCommand(), a.initCommand(), a.planCommand(), a.applyCommand(), a.approveCommand(), a.serveCommand(), a.scanCommand(), a.explainCommand(), a.historyCommand(), a.restoreCommand(), a.archiveCommand(),
		a.configCommand(), a.policyCommand(), a.probeCommand(), a.notifyCommand(), a.emulatorCommand(), a.manCommand(), a.versionCommand(),
	)
	complete(root)
	answer(root)
	return root
}

// help runs a command that only groups others.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

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
