package config

// PolicySource names the operator's own policies.
type PolicySource struct {
	Path string `yaml:"path" need:"name a file, a folder or a bundle"` // as written; see PolicyPaths
	// Enforce is false for policies that are shown but never applied.
	Enforce bool `yaml:"enforce"`
}

// Defaults sets the values of keys that are not in the file.
func (p *PolicySource) Defaults() { p.Enforce = true }

// Shorthand is the key that can be written alone.
func (p *PolicySource) Shorthand() string { return "path" }

// PolicyPaths are the resolved paths of all the operator's own policies.
func (c *Config) PolicyPaths() []string {
	paths := make([]string, 0, len(c.Policies))
	for _, p := range c.Policies {
		paths = append(paths, c.Resolve(p.Path))
	}
	return paths
}

// EnforcedAndTrial are those paths by whether they are enforced.
func (c *Config) EnforcedAndTrial() (enforced, trial []string) {
	for i, path := range c.PolicyPaths() {
		if c.Policies[i].Enforce {
			enforced = append(enforced, path)
		} else {
			trial = append(trial, path)
		}
	}
	return enforced, trial
}

// policiesDocument uses mappings where the path does not say enough.
func (c *Config) policiesDocument() []any {
	list := make([]any, len(c.Policies))
	for i, p := range c.Policies {
		list[i] = p.Path
		if !p.Enforce {
			list[i] = map[string]any{"path": p.Path, "enforce": false}
		}
	}
	return list
}
