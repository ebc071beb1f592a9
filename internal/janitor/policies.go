package janitor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/policy"
)

// Policies compiles the policy set of a configuration.
func Policies(ctx context.Context, c *config.Config, o policy.Options) (*policy.Engine, error) {
	o, err := PolicyOptions(c, o)
	if err != nil {
		return nil, err
	}
	e, err := policy.New(ctx, o)
	if err == nil && c.Content.Read == config.ReadNever && e.ReadsContent() {
		return nil, c.Problem("content.read", "must not be never: policies read tag.content", "write content: {read: auto}, or remove content from the policies")
	}
	return e, err
}

// maxKey bounds the file of a public key, in bytes.
const maxKey = files.MiB

// PolicyOptions adds the settings of the configuration to options.
func PolicyOptions(c *config.Config, o policy.Options) (policy.Options, error) {
	for i, path := range c.PolicyPaths() {
		if _, err := os.Stat(path); err != nil {
			return o, c.Problem(fmt.Sprintf("policies[%d]", i), "cannot be read: "+err.Error(), "name a folder, a .rego file or a bundle; relative paths begin at the folder of this file")
		}
	}
	o.Config = c.Document()
	enforced, trial := c.EnforcedAndTrial()
	o.Paths, o.Trial = append(enforced, o.Paths...), append(trial, o.Trial...)
	o.Dir = filepath.Dir(c.File)
	o.Timeout = c.Policy.Timeout.Duration()
	if path := c.Resolve(c.Policy.VerificationKey); path != "" {
		key, err := files.Read(path, maxKey)
		if err != nil {
			return o, c.Problem("policy.verification_key", "cannot be read: "+err.Error(), "name the file with the public key, in PEM")
		}
		if len(key) == 0 {
			return o, c.Problem("policy.verification_key", path+" is empty", "name the file with the public key, in PEM")
		}
		o.VerificationKey = key
	}
	return o, nil
}
