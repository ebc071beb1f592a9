package syntax

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Complete sets what a shell offers for the flags and arguments of the commands
// below root: files of the right kind, and the beginnings of references. The words
// of an enum have been set with it, and cobra's own command, completion, makes
// the scripts.
func Complete(root *cobra.Command) {
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { completeFlag(root, f) })
	for _, cmd := range root.Commands() {
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { completeFlag(cmd, f) })
		if cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = arguments(cmd.Use)
		}
		Complete(cmd)
	}
}

// completeFlag offers files only for a flag whose value is named FILE.
func completeFlag(cmd *cobra.Command, f *pflag.Flag) {
	if _, has := cmd.GetFlagCompletionFunc(f.Name); has {
		return
	}
	var err error
	switch value, _ := pflag.UnquoteUsage(f); {
	case f.Name == "config":
		err = cmd.MarkFlagFilename(f.Name, "yaml", "yml")
	case value != "FILE":
		err = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
	}
	if err != nil {
		panic(err) // the flag exists, and has no completion yet
	}
}

// arguments completes the arguments of a command by the last word of its usage.
// nil is what shells do by themselves: files.
func arguments(use string) cobra.CompletionFunc {
	switch words := strings.Fields(use); {
	case len(words) > 1 && strings.Trim(words[len(words)-1], "[]") == "REF":
		return references
	case len(words) == 1, words[len(words)-1] == "FILE", words[len(words)-1] == "RUN":
		return cobra.NoFileCompletions
	}
	return nil
}

// references completes the beginning of a reference. It does not ask the registry:
// a shell should not send requests when a key is pressed.
func references(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, region := range []string{"fr-par", "nl-ams", "pl-waw"} {
		if host := "rg." + region + ".scw.cloud/"; strings.HasPrefix(host, typed) {
			out = append(out, host)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
