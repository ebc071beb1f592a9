package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/registry-janitor/registry-janitor/internal/archive/target"
	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Archive is where tags are copied before they are deleted.
type Archive struct {
	To   string              `yaml:"to" is:"archive" need:"say where, such as to: /var/lib/registry-janitor/archive"`
	Keep strictyaml.Duration `yaml:"keep" positive:"yes"` // how long a copy stays
	// Required: a tag that cannot be copied is not deleted.
	Required bool `yaml:"required"`
	// Match and Except select the tags that are copied; without them it is all.
	Match  *rules.Match `yaml:"match,omitempty" fill:"say which tags are copied, or remove the key"`
	Except *rules.Match `yaml:"except,omitempty" fill:"say which tags are not copied, or remove the key"`
	// RestoredStay is how long a tag that was restored is kept, whatever the rules say.
	RestoredStay strictyaml.Duration `yaml:"restored_stay"`
	// MaxBandwidth is how many bytes per second copies read: "50MB". "" does not bound it.
	MaxBandwidth string `yaml:"max_bandwidth" is:"bandwidth" blank:"ok"`
}

// Defaults are those of an archive.
func (a *Archive) Defaults() {
	a.Keep, a.RestoredStay = strictyaml.MustDuration("30d"), strictyaml.MustDuration("30d")
	a.Required = true
}

// Selector reports which tags are copied, by their reference and age.
func (a *Archive) Selector() (func(tag registry.Ref, age time.Duration) bool, error) {
	selector, err := rules.NewSelector(a.Match, a.Except)
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return func(tag registry.Ref, age time.Duration) bool {
		tags, ok := selector.Tags(&registry.Image{Namespace: &registry.Namespace{Region: tag.Region, Name: tag.Namespace}, Name: tag.Image})
		return ok && tags.Matches(tag.Tag, rules.ParseVersion(tag.Tag), int(age/time.Second))
	}, nil
}

// BytesPerSecond is MaxBandwidth as a number; 0 does not bound it.
func (a *Archive) BytesPerSecond() int64 {
	n, _ := humanize.ParseBytes(a.MaxBandwidth)
	return int64(min(n, 1<<62))
}

// ArchiveTarget is archive.to, with a relative path resolved.
func (c *Config) ArchiveTarget() (target.Target, error) {
	t, err := target.Parse(c.Archive.To)
	t.Path = c.Resolve(t.Path)
	host, namespace, _ := strings.Cut(t.Repository, "/")
	if t.Kind == target.Registry && !strings.Contains(namespace, "/") && c.hasNamespaces(host) {
		t.Repository += "/registry-janitor"
	}
	return t, err
}

// hasNamespaces reports whether a host is the registry of the configuration, or one of the
// provider: there, an image needs a namespace.
func (c *Config) hasNamespaces(host string) bool {
	address := c.Scaleway.RegistryURL
	_, own, _ := strings.Cut(address, "://")
	own, _, _ = strings.Cut(own, "/")
	for _, region := range registry.Regions() {
		if host == "rg."+string(region)+".scw.cloud" || host == strings.ReplaceAll(own, "{region}", string(region)) {
			return true
		}
	}
	return false
}

// ArchivePerGB is what 10⁹ bytes in the archive cost for a month, where the provider has
// it; 0 if that is not known.
func (c *Config) ArchivePerGB() float64 {
	if c.Archive == nil {
		return 0
	}
	t, err := c.ArchiveTarget()
	if err != nil {
		return 0
	}
	return t.PerGB(c.Cost.PerGBMonth, c.Cost.Currency)
}

func checkArchive(s string) (message, hint string) {
	if strings.HasPrefix(s, "~") || strings.Contains(s, "$") {
		return "is not expanded: " + strictyaml.Quote(s), "write the path out; a relative one starts at the folder of this file"
	}
	var wrong *target.Error
	if _, err := target.Parse(s); errors.As(err, &wrong) {
		return wrong.What, wrong.Remedy
	}
	return "", ""
}

func checkBandwidth(s string) (message, hint string) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n < 1000 || !strings.HasSuffix(strings.ToUpper(s), "B") {
		return "is not a number of bytes per second: " + strictyaml.Quote(s), "write at least 1kB, such as 50MB, or 400MiB"
	}
	return "", ""
}

// unarchived are the keys of a match that an archive does not have: its tags are steps
// of a plan, which do not tell of their project and content.
var unarchived = []string{"project_ids", "labels", "platforms", "kind"}

func (d checker) checkArchive(a *Archive) {
	if a == nil {
		return
	}
	for _, path := range []string{"archive.match", "archive.except"} {
		d.checkAbsent(path, unarchived, "cannot be used in an archive", "name namespaces, images or tags instead")
	}
	d.checkMatches("archive", "tag", a.Match, a.Except)
}

// sentence says what the archive does.
func (a *Archive) sentence() string {
	what := "every tag"
	if words := describeMatch(a.Match, a.Except); words != "" {
		what = "what matches " + words
	}
	out := fmt.Sprintf("copies %s to %s before its deletion, and keeps the copy for %s", what, a.To, a.Keep.Words())
	if a.Required {
		out += "; what cannot be copied is not deleted"
	} else {
		out += "; what cannot be copied is deleted all the same, with a warning"
	}
	if a.RestoredStay.Duration() > 0 {
		out += "; keeps what was restored for " + a.RestoredStay.Words()
	}
	return out
}
