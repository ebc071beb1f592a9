package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// enum is the value of a flag that takes one of a few words.
type enum[T ~string] struct {
	value *T
	words []T
}

// enumFlag adds a flag that takes one of a few words to a command. Its help lists
// them, shells complete them, and any other word is an error.
func enumFlag[T ~string](cmd *cobra.Command, flags *pflag.FlagSet, value *T, name string, byDefault T, usage string, words ...T) {
	*value = byDefault
	e := enum[T]{value, words}
	flags.Var(e, name, usage+": "+text.List(e.list(), "or"))
	if err := cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(e.list(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag exists, and has no completion yet
	}
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
