package syntax

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Answer makes all commands below root answer a wrong command line with what was
// probably meant.
func Answer(root *cobra.Command) {
	root.SetFlagErrorFunc(flagError)
	for _, cmd := range root.Commands() {
		Answer(cmd)
	}
	accepts := root.Args
	if accepts == nil {
		return
	}
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 && isYAML(args[0]) && cmd.Flags().Lookup("config") != nil {
			return fmt.Errorf("%s does not take the configuration as an argument: write %s -c %s", nameOf(cmd), nameOf(cmd), args[0])
		}
		if err := accepts(cmd, args); err != nil {
			return argumentError(cmd, args)
		}
		return nil
	}
}

// nameOf is a command without the name of the program.
func nameOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// otherCommands are what other tools call these commands.
var otherCommands = map[string]string{
	"validate": "config check", "check": "config check", "lint": "policy lint", "test": "policy test",
	"show": "history show", "run": "apply", "clean": "apply", "prune": "apply", "gc": "apply", "delete": "apply",
	"diff": "plan --compare", "daemon": "serve", "server": "serve", "list": "history", "why": "explain",
}

// argumentError is why a command does not take these arguments.
func argumentError(cmd *cobra.Command, args []string) error {
	name, wanted := nameOf(cmd), wantedArgument(cmd)
	switch {
	case len(args) == 0:
		return fmt.Errorf("%s needs a %s, %s", name, strings.ReplaceAll(wanted, "|", " or a "), exampleOf(wanted))
	case cmd.HasAvailableSubCommands() && (wanted == "" || text.Nearest(args[0], commandsOf(cmd)) != ""):
		return commandError(cmd, args[0])
	case wanted == "":
		return fmt.Errorf("%s takes no argument: %q", name, args[0])
	}
	return fmt.Errorf("%s takes one %s, not %s: %q", name, strings.ReplaceAll(wanted, "|", " or "), text.Count(len(args), "argument"), args)
}

// commandError is about a command that does not exist.
func commandError(group *cobra.Command, typed string) error {
	names := commandsOf(group)
	hint := "its commands are " + text.List(names, "and")
	words := slices.Clone(names)
	if !group.HasParent() {
		words = slices.AppendSeq(words, maps.Keys(otherCommands))
		slices.Sort(words)
	}
	if meant := text.Nearest(typed, words); meant != "" {
		if !slices.Contains(names, meant) {
			meant = otherCommands[meant]
		}
		hint = fmt.Sprintf("did you mean %q? See --help for all commands", strings.TrimSpace(group.CommandPath()+" "+meant))
	}
	return fmt.Errorf("%s has no command %q: %s", nameOf(group), typed, hint)
}

func commandsOf(group *cobra.Command) []string {
	var names []string
	for _, cmd := range group.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	return names
}

var argument = regexp.MustCompile(`\[?([A-Z][A-Za-z.]*(?:\|[A-Z][A-Za-z.]*)*|[a-z]+\|[a-z|]+)…?\]?$`)

// wantedArgument is what the usage of a command calls its argument; "" if it takes
// none.
func wantedArgument(cmd *cobra.Command) string {
	use := strings.NewReplacer("-c FILE", "", "-o FILE", "").Replace(cmd.Use)
	m := argument.FindStringSubmatch(use)
	if m == nil {
		return ""
	}
	return m[1]
}

func exampleOf(wanted string) string {
	switch first, _, _ := strings.Cut(wanted, "|"); first {
	case "REF":
		return "such as rg.fr-par.scw.cloud/prod/api:v1.2.3"
	case "RUN":
		return "the number of a run that history lists"
	}
	return "which its usage names; see --help"
}

func isYAML(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".yaml" || ext == ".yml"
}

// flagError is why a command does not take a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var valueless *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		typed := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return fmt.Errorf("%s has no flag -%s%s", nameOf(cmd), typed, hintOf(otherFlag(cmd, typed)))
		}
		return fmt.Errorf("%s has no flag --%s%s", nameOf(cmd), typed, hintOf(otherFlag(cmd, typed)))
	case errors.As(err, &valueless):
		return valueError(valueless.GetFlag())
	}
	return err
}

// valueError is why a flag needs a value; a flag that was replaced refuses every value and
// names what replaces it.
func valueError(f *pflag.Flag) error {
	if f.Hidden {
		if err := f.Value.Set(""); err != nil {
			return fmt.Errorf("--%s: %w", f.Name, err)
		}
	}
	value, _ := pflag.UnquoteUsage(f)
	return fmt.Errorf("--%s needs a value: write --%s %s", f.Name, f.Name, strings.ToUpper(value))
}

func hintOf(meant string) string {
	if meant == "" {
		return "; see --help"
	}
	return ": " + meant
}

// otherFlag is what a flag of other tools, or a misspelled one, probably means.
func otherFlag(cmd *cobra.Command, typed string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	has := func(name string) bool { return slices.Contains(names, name) }
	switch word := strings.ReplaceAll(strings.ToLower(typed), "_", "-"); {
	case slices.Contains([]string{"dry-run", "dryrun", "check", "no-op", "noop"}, word) && cmd.Name() == "plan":
		return "a plan never changes anything, so leave it out"
	case slices.Contains([]string{"dry-run", "dryrun", "check", "no-op", "noop", "plan"}, word):
		return "registry-janitor plan shows what apply would do, and changes nothing"
	case slices.Contains([]string{"auto-approve", "y", "force", "assume-yes"}, word) && has("yes"):
		return "did you mean --yes?"
	case slices.Contains([]string{"json", "o", "output", "output-format"}, word) && has("format"):
		return "did you mean --format json?"
	case word == "version":
		return "did you mean registry-janitor --version?"
	case slices.Contains([]string{"f", "file", "values"}, word) && has("config"):
		return "did you mean --config?"
	case slices.Contains([]string{"verbose", "debug", "v", "vv"}, word):
		return "did you mean --log-level debug?"
	case slices.Contains([]string{"quiet", "q", "silent"}, word):
		return "did you mean --log-level error?"
	}
	if meant := text.Nearest(typed, names); len(typed) > 1 && meant != "" {
		return "did you mean --" + meant + "?"
	}
	return ""
}

// NotAFormat refuses -o json, which would write a file of that name.
func NotAFormat(cmd *cobra.Command) error {
	out := cmd.Flags().Lookup("out")
	if out == nil || !slices.Contains([]string{"text", "json", "yaml", "markdown", "html", "junit", "csv"}, strings.ToLower(out.Value.String())) {
		return nil
	}
	word := out.Value.String()
	hint := "name a file, such as -o FILE." + word
	if cmd.Flags().Lookup("format") != nil {
		hint = fmt.Sprintf("to print that format, write --format %s; to write a file as well, -o FILE", word)
	}
	return fmt.Errorf("-o names a file, not a format: %s (for a file of that name, write -o ./%s)", hint, word)
}
