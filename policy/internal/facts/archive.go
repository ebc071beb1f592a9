package facts

import (
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/registry"
)

// archive is what facts need of the archive's configuration.
type archive struct {
	To           string  `json:"to"`
	RestoredStay float64 `json:"restored_stay_seconds"`
}

// repository is "host/name" of an archive in a registry; "" for any other. In a namespace
// alone, it is the image registry-janitor.
func (a archive) repository() string {
	repository, _ := strings.CutPrefix(a.To, "oci://")
	if repository == a.To {
		return ""
	}
	if strings.Count(repository, "/") == 1 {
		repository += "/registry-janitor"
	}
	return repository
}

// restored adds the tags that were restored from the archive.
func (f *Image) restored(facts *factList) {
	var out []*ast.Term
	for i := range f.tags {
		if t := &f.tags[i]; t.isRestored && f.matters(t) {
			out = append(out, ast.ObjectTerm(
				[2]*ast.Term{keyName, f.names[i]},
				[2]*ast.Term{keyReason, ast.StringTerm("restored on " + t.restored.At.UTC().Format(time.DateOnly) + ", and kept until " + t.restored.Until.UTC().Format(time.DateOnly))},
			))
		}
	}
	facts.list("archive", keyRestored, out)
}

// IsRestored reports whether a tag was restored from the archive, and its stay has not
// ended.
func (f *Image) IsRestored(i int) bool { return f.tags[i].isRestored }

// ranks gives the tags, called in their order, their positions in the input: restored tags
// come after all others, so that they take no place in what a policy counts.
func (f *Image) ranks() func(t *tag) int {
	next, restored := 0, len(f.tags)
	for i := range f.tags {
		if f.tags[i].isRestored {
			restored--
		}
	}
	return func(t *tag) int {
		at := &next
		if t.isRestored {
			at = &restored
		}
		*at++
		return *at - 1
	}
}

// own adds all tags of the image that is the archive itself, or that was one: its copies stay
// until they expire, wherever the archive is now.
func (f *Image) own(facts *factList) {
	if !f.img.IsArchive() && !f.scan.Rules.isArchive(f.img) {
		return
	}
	var out []*ast.Term
	for i := range f.tags {
		if f.matters(&f.tags[i]) {
			out = append(out, f.names[i])
		}
	}
	facts.list("archive", keyOwn, out)
}

// isArchive reports whether the archive lies in an image, by the address that clients pull
// it from: that of scaleway.registry_url, or the provider's.
func (s *Rules) isArchive(img *registry.Image) bool {
	repository := s.Archive.repository()
	if repository == "" {
		return false
	}
	name := "/" + img.Namespace.Name + "/" + img.Name
	host, ok := strings.CutSuffix(repository, name)
	if !ok {
		return false
	}
	region := string(img.Namespace.Region)
	configured := strings.ToLower(strings.ReplaceAll(s.Scaleway.RegistryURL, "{region}", region))
	scheme, address, _ := strings.Cut(strings.TrimRight(configured, "/"), "://")
	return withoutPort(host, "https") == "rg."+region+".scw.cloud" || withoutPort(host, scheme) == withoutPort(address, scheme)
}

// withoutPort is a host without the port that its scheme has anyway.
func withoutPort(host, scheme string) string {
	return strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
}
