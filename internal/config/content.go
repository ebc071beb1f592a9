package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// Content is what is read of the inside of tags.
type Content struct {
	// Read is "auto" for what can change a decision, "always" for that and what tells how
	// much the deletions free, or "never".
	Read string `yaml:"read" one:"auto|always|never"`
	// MultiArch is which tags may be parts of an index that was not read: those "related" to
	// it by their names, or "all".
	MultiArch string `yaml:"multi_arch" one:"related|all"`
}

// ReadNever reads nothing.
const ReadNever = "never"

// checkNever reports the keys that need what is never read.
func (d checker) checkNever(c *Config) {
	if c.Content.Read != ReadNever {
		return
	}
	report := func(path string, needs bool) {
		if needs {
			d.Report(path, "needs the content of tags, but content.read is never", "write content: {read: auto}, or remove the key")
		}
	}
	match := func(path string, m *rules.Match) {
		if m != nil {
			report(path+".labels", len(m.Labels) > 0)
			report(path+".platforms", len(m.Platforms) > 0)
			report(path+".kind", len(m.Kind) > 0)
		}
	}
	for i := range c.Retention {
		r, path := &c.Retention[i], fmt.Sprintf("retention[%d]", i)
		match(path+".match", r.Match)
		match(path+".except", r.Except)
		report(path+".by", r.By == "built_at")
		report(path+".delete.older_than_label", r.Delete != nil && r.Delete.OlderThanLabel != "")
	}
	for i := range c.Naming {
		match(fmt.Sprintf("naming[%d].match", i), c.Naming[i].Match)
		match(fmt.Sprintf("naming[%d].except", i), c.Naming[i].Except)
	}
	for i := range c.Waivers {
		match(fmt.Sprintf("waivers[%d].match", i), c.Waivers[i].Match)
	}
	report("protect.labels", len(c.Protect.Labels) > 0)
}

// checkRegistryURL wants an address without a path, because the protocol has none.
func checkRegistryURL(s string) (message, hint string) {
	u, err := url.Parse(strings.ReplaceAll(s, "{region}", "region"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.ContainsAny(u.Host, "{}") ||
		u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Sprintf("is not the address of a registry: %s", strictyaml.Quote(s)), "write https:// and a host alone, such as https://rg.{region}.scw.cloud"
	}
	return "", ""
}

// contentSentences describe what differs from the default.
func (c *Config) contentSentences(add func(kind, name, format string, args ...any)) {
	parts := ""
	if c.Content.MultiArch == "all" {
		parts = ", and takes any tag for a possible part of a multi-platform image"
	}
	switch {
	case c.Content.Read == ReadNever:
		add("content", "read", "reads nothing of what is inside tags, so a part of a multi-platform image is deleted like any other tag")
	case c.Content.Read == "always":
		add("content", "read", "reads what is inside the tags that decide something or would be deleted%s", parts)
	case parts != "":
		add("content", "multi_arch", "reads what is inside the tags that decide something%s", parts)
	}
}
