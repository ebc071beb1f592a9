// Package syntax is how command lines are written: the values of flags, what shells
// complete, and the answer to what is wrong. It must never know what a command does.
package syntax

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Enum adds a flag that takes one of a few words to a command. Its help lists
// them, shells complete them, and any other word is an error.
func Enum[T ~string](cmd *cobra.Command, flags *pflag.FlagSet, value *T, name string, byDefault T, usage string, words ...T) {
	*value = byDefault
	e := enum[T]{value, words}
	flags.Var(e, name, usage+": "+text.List(e.list(), "or"))
	if err := cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(e.list(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag exists, and has no completion yet
	}
}

// Format adds --format to a command that prints text or JSON.
func Format[T ~string](cmd *cobra.Command, value *T) {
	Enum(cmd, cmd.Flags(), value, "format", "text", "what to print", "text", "json")
}

// enum is the value of a flag that takes one of a few words.
type enum[T ~string] struct {
	value *T
	words []T
}

func (e enum[T]) String() string { return string(*e.value) }

func (e enum[T]) Type() string { return "string" }

// Set accepts a word in any case.
func (e enum[T]) Set(typed string) error {
	for _, word := range e.words {
		if strings.EqualFold(typed, string(word)) {
			*e.value = word
			return nil
		}
	}
	return fmt.Errorf("want %s", text.List(e.list(), "or"))
}

func (e enum[T]) list() []string {
	out := make([]string, len(e.words))
	for i, word := range e.words {
		out[i] = string(word)
	}
	return out
}

// Positive is the value of a flag that takes a number from 1 on.
type Positive int

func (p *Positive) String() string { return strconv.Itoa(int(*p)) }

// Type is what the help calls the value.
func (p *Positive) Type() string { return "int" }

// Set refuses what is not a number from 1 on.
func (p *Positive) Set(typed string) error {
	n, err := strconv.Atoi(typed)
	if err != nil || n < 1 {
		return errors.New("want a number, at least 1")
	}
	*p = Positive(n)
	return nil
}

// Group is a command that only groups others, and shows its help.
func Group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: Help}
	cmd.AddCommand(commands...)
	return cmd
}

// Help runs a command that only groups others.
func Help(cmd *cobra.Command, _ []string) error { return cmd.Help() }
