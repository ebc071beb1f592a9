package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// complete teaches the commands below root what a shell offers at each place:
// files of the right kind, the words that the help of a flag lists, and the
// beginnings of references. cobra's own command, completion, makes the scripts.
func complete(root *cobra.Command) {
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { completeFlag(root, f) })
	for _, cmd := range root.Commands() {
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { completeFlag(cmd, f) })
		if cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = arguments(cmd.Use)
		}
		complete(cmd)
	}
}

func completeFlag(cmd *cobra.Command, f *pflag.Flag) {
	if _, has := cmd.GetFlagCompletionFunc(f.Name); has {
		return
	}
	var err error
	switch words := offered(f.Usage); {
	case f.Name == "config":
		err = cmd.MarkFlagFilename(f.Name, "yaml", "yml")
	case words != nil:
		err = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	case f.Value.Type() != "string" || takesNoFile(f):
		err = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
	}
	if err != nil {
		panic(err) // the flag is there, and has none yet
	}
}

// choice is how the help of a flag lists words: "what to print: text, json or
// html", and perhaps a condition for more of them.
var choice = regexp.MustCompile(`: ((?:[a-z]+, )*[a-z]+ or [a-z]+)(?:$|[;(])`)

// offered are the words that the help of a flag lists, if it does.
func offered(usage string) []cobra.Completion {
	match := choice.FindStringSubmatch(usage)
	if match == nil {
		return nil
	}
	return strings.Split(strings.Replace(match[1], " or ", ", ", 1), ", ")
}

// takesNoFile says whether the value of a flag is something else than a file,
// which its help names in back quotes.
func takesNoFile(f *pflag.Flag) bool {
	name, _ := pflag.UnquoteUsage(f)
	return slices.Contains([]string{"ADDRESS", "TIME", "URL"}, name)
}

// arguments completes what a command takes beside flags, by the last word of its
// usage. nil is what shells do by themselves, which is files.
func arguments(use string) cobra.CompletionFunc {
	switch words := strings.Fields(use); {
	case len(words) > 1 && strings.Trim(words[len(words)-1], "[]") == "REF":
		return references
	case len(words) == 1, words[len(words)-1] == "FILE", words[len(words)-1] == "RUN":
		return cobra.NoFileCompletions
	}
	return nil
}

// references completes the beginning of a reference. What is in a registry would
// have to be asked for, which a shell should not do at a key.
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
