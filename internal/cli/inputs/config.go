package inputs

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
)

// defaultConfig is the configuration that a command reads unless -c names another.
const defaultConfig = "janitor.yaml"

// ConfigFlag adds -c.
func ConfigFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", defaultConfig, "the configuration `FILE`; without -c, the variable "+ConfigVariable+" can have its content instead")
}

// ConfigVariable is the environment variable that can have a whole configuration, where
// there is no disk for a file.
const ConfigVariable = "REGISTRY_JANITOR_CONFIG"

// UseVariable names the variable as the configuration of a command, if it is set and -c
// is not given.
func UseVariable(cmd *cobra.Command) {
	flag := cmd.Flags().Lookup("config")
	if flag != nil && !flag.Changed && os.Getenv(ConfigVariable) != "" {
		_ = flag.Value.Set("$" + ConfigVariable) // a string takes every value
	}
}

// LoadConfig reads and checks a configuration: that in the file, or in the variable. The
// files of the unneeded keys need not be there.
func LoadConfig(file string, unneeded ...string) (*config.Config, error) {
	if file == "$"+ConfigVariable {
		return config.Read(ConfigVariable, []byte(os.Getenv(ConfigVariable)), unneeded...)
	}
	return config.Load(file, unneeded...)
}

// LoadConfig reads a configuration, which flag names.
func (o *Opener) LoadConfig(ctx context.Context, flag, path string, unneeded ...string) (*config.Config, error) {
	c, err := o.readConfig(ctx, flag, path, unneeded)
	if err == nil && c.Protect.ReferencesFile == config.StandardInput {
		err = o.ClaimStdin("protect.references_file")
	}
	return c, err
}

func (o *Opener) readConfig(ctx context.Context, flag, path string, unneeded []string) (*config.Config, error) {
	if !terminal.IsStdin(path) {
		return LoadConfig(path, unneeded...)
	}
	data, err := o.ReadFile(ctx, flag, path, maxConfig)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return config.Read("<stdin>", data, unneeded...)
}

// Again is a command with the same configuration.
func (f *Flags) Again(args ...string) string {
	words := append([]string{"registry-janitor"}, args...)
	if f.Config != defaultConfig && f.Config != "$"+ConfigVariable {
		words = append(words, "-c", f.Config)
	}
	for i, word := range words {
		words[i] = shellWord(word)
	}
	return strings.Join(words, " ")
}

// shellWord quotes a word for a shell if that has to be.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,~", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
